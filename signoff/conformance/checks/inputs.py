"""Checks of inputs that are too large for an assignment and are fetched."""

from __future__ import annotations

from signoff.conformance.check import Section
from signoff.conformance.checks.results import collected
from signoff.conformance.messages import EXECUTION_ID, MAKER_ID, TASK_ID, VALIDATOR, digest_of, exactly
from signoff.conformance.outcome import NotMet
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.errors import StaleLease
from signoff.v1 import execution_pb2

LARGE = b"Jupiter. " * 40_000 + b"."  # comes in several chunks
SMALL = b"Neptune"

by_reference = Section("inputs-by-reference")
SECTIONS = (by_reference,)


@by_reference.check("inputs.fetched", "What came by reference is fetched whole, under the lease and by its digest")
async def inputs_fetched(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = worker.new_lease()
    worker.runner.artifacts.put(digest_of(LARGE), LARGE)
    checks = [exactly(len(LARGE))] if worker.role == VALIDATOR else []
    await stream.say(worker.assign(lease, {"copy": True}, given=LARGE, by_reference=True, checks=checks))
    if worker.role == VALIDATOR:
        verdict = await stream.expect("verdict", lease=lease)
        is_whole = verdict.outcome == execution_pb2.OUTCOME_PASS
    else:
        is_whole = (await collected(stream, lease))[0] == LARGE
    _require_request(worker, lease, LARGE)
    if not is_whole:
        raise NotMet(f"expected work on all {len(LARGE)} bytes of the input, but got something else")


def _require_request(worker: WorkerUnderTest, lease: str, body: bytes) -> None:
    request = worker.runner.artifacts.request_for(digest_of(body))
    if request is None:
        raise NotMet("expected GetArtifact with the input's digest, but the worker did not call it")
    task_id = TASK_ID if worker.role == VALIDATOR else MAKER_ID
    expected = {"execution_id": EXECUTION_ID, "task_id": task_id, "lease_id": lease}
    got = {"execution_id": request.ref.execution_id, "task_id": request.task_id, "lease_id": request.lease_id}
    if got != expected:
        raise NotMet(f"expected GetArtifact with {expected}, but got {got}")


@by_reference.check("inputs.digest", "Bytes that are not those of the digest are never worked on")
async def inputs_digest(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = worker.new_lease()
    worker.runner.artifacts.put(digest_of(SMALL), SMALL + b"?")
    await stream.say(worker.assign(lease, {}, given=SMALL, by_reference=True))
    await stream.accepted(lease)
    said = await stream.expect_any("failure", "abandon", "declined", "verdict", lease=lease)
    if said.verdict.outcome not in (execution_pb2.OUTCOME_UNSPECIFIED, execution_pb2.OUTCOME_ERROR):
        raise NotMet("expected no opinion on bytes that no task made, but got one")


@by_reference.check("inputs.stale", "Told that the lease has ended, it drops the work and says nothing more")
async def inputs_stale(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease, body = worker.new_lease(), b"Uranus"
    worker.runner.artifacts.put(digest_of(body), StaleLease("the lease has ended"))
    before = len(worker.runner.artifacts.asked)
    await stream.say(worker.assign(lease, {}, given=body, by_reference=True))
    await stream.accepted(lease)
    await require_asked(worker, digest_of(body), before, "the input's digest")
    await stream.nothing_about(lease, worker.beats(4))


async def require_asked(worker: WorkerUnderTest, digest: str, before: int, what: str) -> None:
    """Waits until the worker has asked for a content, behind so many requests. Raises NotMet when it does not.

    A silence after the answer is listened for from here on: before it, a slow worker would be as silent as a sound one.
    """
    if not await worker.runner.artifacts.asked_for(digest, worker.timings.answer, behind=before):
        raise NotMet(f"expected GetArtifact with {what}, but the worker did not call it")
