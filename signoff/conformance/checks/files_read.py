"""Checks of inputs and candidates that have several files: the worker fetches them, and works on what they are."""

from __future__ import annotations

from signoff.conformance.check import Section
from signoff.conformance.checks.inputs import require_asked
from signoff.conformance.checks.results import collected
from signoff.conformance.contents.file_sets import READ, manifest_of_bodies
from signoff.conformance.messages import EXECUTION_ID, MAKER_ID, TASK_ID, VALIDATOR, digest_of, exactly
from signoff.conformance.outcome import NotMet
from signoff.conformance.stream import WorkerStream
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.display.wire_names import enum_name
from signoff.errors import StaleLease
from signoff.manifest.manifest import FILES, MANIFEST_TYPE, manifest_to_json
from signoff.v1 import execution_pb2, plan_pb2

MAIN, TABLE = "report.md", "tables/moons.csv"
MANIFEST = manifest_of_bodies(READ, MAIN)
BODY = manifest_to_json(MANIFEST)
DIGEST = digest_of(BODY)
ASKED = "the manifest's digest and all_files"

read = Section("files")
SECTIONS = (read,)


@read.check("files.fetched", "The files of what it is given are fetched under the lease, and worked on", feature=FILES)
async def files_fetched(worker: WorkerUnderTest) -> None:
    worker.runner.artifacts.put_files(DIGEST, MANIFEST, READ)
    stream, lease = await worker.ready_stream(), worker.new_lease()
    await _assign(worker, stream, lease)
    if worker.role == VALIDATOR:
        await _require_pass(stream, lease)
    else:
        chunks, said = await collected(stream, lease)
        if (chunks or said.inline) != READ[MAIN]:
            raise NotMet(f"expected the content of {MAIN!r}, the main file of the input, but got something else")
    _require_requests(worker, lease)


async def _assign(worker: WorkerUnderTest, stream: WorkerStream, lease: str) -> None:
    """Assigns work on a manifest: an executor copies its main file, a validator measures two of its files."""
    checks = [exactly(len(READ[MAIN])), _of_table(exactly(len(READ[TABLE])))] if worker.role == VALIDATOR else []
    message = worker.assign(lease, {"copy": True}, given=BODY, checks=checks)
    given = message.assign.candidate if worker.role == VALIDATOR else message.assign.inputs[0]
    given.media_type = MANIFEST_TYPE
    await stream.say(message)
    await stream.accepted(lease)


def _of_table(check: plan_pb2.Check) -> plan_pb2.Check:
    check.file = TABLE
    return check


async def _require_pass(stream: WorkerStream, lease: str) -> None:
    verdict = await stream.expect("verdict", lease=lease)
    if verdict.outcome != execution_pb2.OUTCOME_PASS:
        outcome = enum_name(execution_pb2.Outcome.DESCRIPTOR, verdict.outcome)
        raise NotMet(f"expected pass, for the files are as the checks ask, but got {outcome} ({verdict.feedback})")


def _require_requests(worker: WorkerUnderTest, lease: str) -> None:
    requests = worker.runner.artifacts.file_requests(DIGEST)
    if not requests:
        raise NotMet(f"expected GetArtifact with {ASKED}, but the worker did not call it")
    task_id = TASK_ID if worker.role == VALIDATOR else MAKER_ID
    expected = {"execution_id": EXECUTION_ID, "task_id": task_id, "lease_id": lease}
    last = requests[-1]
    got = {"execution_id": last.ref.execution_id, "task_id": last.task_id, "lease_id": last.lease_id}
    if got != expected:
        raise NotMet(f"expected GetArtifact with {expected}, but got {got}")


@read.check("files.digest", "Files that are not those of the manifest are never worked on", feature=FILES)
async def files_digest(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    for wrong in (READ[MAIN].upper(), READ[MAIN][:-1]):
        worker.runner.artifacts.put_files(DIGEST, MANIFEST, {**READ, MAIN: wrong})
        lease = worker.new_lease()
        await _assign(worker, stream, lease)
        said = await stream.expect_any("failure", "abandon", "declined", "verdict", lease=lease)
        if said.verdict.outcome not in (execution_pb2.OUTCOME_UNSPECIFIED, execution_pb2.OUTCOME_ERROR):
            raise NotMet("expected no opinion on files that no task made, but got one")


@read.check("files.ended", "Told meanwhile that the lease has ended, it drops the work and says nothing", feature=FILES)
async def files_ended(worker: WorkerUnderTest) -> None:
    worker.runner.artifacts.refuse_files(DIGEST, StaleLease("the lease has ended"))
    stream, lease = await worker.ready_stream(), worker.new_lease()
    before = len(worker.runner.artifacts.asked)
    await _assign(worker, stream, lease)
    await require_asked(worker, DIGEST, before, ASKED)
    await stream.nothing_about(lease, worker.beats(4))
