"""Inputs that are too large for an assignment."""

from __future__ import annotations

from signoff.conformance.check import VALIDATOR, NotMet, Section
from signoff.conformance.checks.results import collected
from signoff.conformance.speech import EXECUTION_ID, MAKER_ID, TASK_ID, digest_of, exactly
from signoff.conformance.trial import Trial
from signoff.errors import StaleLease
from signoff.v1 import execution_pb2

LARGE = b"Jupiter. " * 40_000 + b"."  # comes in several chunks
SMALL = b"Neptune"

by_reference = Section("inputs-by-reference")
SECTIONS = (by_reference,)


@by_reference.check("inputs.fetched", "What came by reference is fetched whole, under the lease and by its digest")
async def inputs_fetched(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = trial.lease()
    trial.runner.artifacts.put(digest_of(LARGE), LARGE)
    checks = [exactly(len(LARGE))] if trial.role == VALIDATOR else []
    await talk.say(trial.assign(lease, {"copy": True}, given=LARGE, by_reference=True, checks=checks))
    if trial.role == VALIDATOR:
        verdict = await talk.expect("verdict", lease=lease)
        is_whole = verdict.outcome == execution_pb2.OUTCOME_PASS
    else:
        is_whole = (await collected(talk, lease))[0] == LARGE
    _require_request(trial, lease, LARGE)
    if not is_whole:
        raise NotMet(f"expected work on all {len(LARGE)} bytes of the input, but got something else")


def _require_request(trial: Trial, lease: str, body: bytes) -> None:
    request = trial.runner.artifacts.request_for(digest_of(body))
    if request is None:
        raise NotMet("expected GetArtifact with the input's digest, but nobody called it")
    task_id = TASK_ID if trial.role == VALIDATOR else MAKER_ID
    expected = {"execution_id": EXECUTION_ID, "task_id": task_id, "lease_id": lease}
    got = {"execution_id": request.ref.execution_id, "task_id": request.task_id, "lease_id": request.lease_id}
    if got != expected:
        raise NotMet(f"expected GetArtifact with {expected}, but got {got}")


@by_reference.check("inputs.digest", "Bytes that are not those of the digest are never worked on")
async def inputs_digest(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = trial.lease()
    trial.runner.artifacts.put(digest_of(SMALL), SMALL + b"?")
    await talk.say(trial.assign(lease, {}, given=SMALL, by_reference=True))
    await talk.accepted(lease)
    said = await talk.expect_any("failure", "abandon", "declined", "verdict", lease=lease)
    if said.verdict.outcome not in (execution_pb2.OUTCOME_UNSPECIFIED, execution_pb2.OUTCOME_ERROR):
        raise NotMet("expected no opinion on bytes that nobody made, but got one")


@by_reference.check("inputs.stale", "Told that the lease has ended, it drops the work and says nothing more")
async def inputs_stale(trial: Trial) -> None:
    talk = await trial.conversation()
    lease, body = trial.lease(), b"Uranus"
    trial.runner.artifacts.put(digest_of(body), StaleLease("the lease has ended"))
    await talk.say(trial.assign(lease, {}, given=body, by_reference=True))
    await talk.accepted(lease)
    await talk.nothing_about(lease, trial.beats(4))
