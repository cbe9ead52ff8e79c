"""The files of an input lie on the disk while the work goes on, each as the manifest says, and are gone after it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import pytest

from signoff.errors import NotServing
from signoff.manifest.manifest import MANIFEST_TYPE
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2
from tests.support.servers.scripted_files import Response
from tests.support.servers.scripted_runner import ScriptedRunner, assign, cancel, digest_of
from tests.support.work.scripted_handler import working
from worker_svc.assignment import Artifact, LeaseEnded

FILES = {"a.md": b"# Mars", "charts/x.png": hashlib.shake_128(b"x").digest(2_500_000), "empty": b""}
JUDGE = execution_pb2.PHASE_VALIDATE


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


def result(runner: ScriptedRunner, files: dict[str, bytes] = FILES) -> worker_pb2.InputArtifact:
    """Returns a result with files as an input, with its manifest inline."""
    manifest = runner.files.put(files, next(iter(files)))
    return worker_pb2.InputArtifact(
        name="sales", task_id="1_0", media_type=MANIFEST_TYPE, digest=digest_of(manifest), inline=manifest
    )


def files_of(artifact: Artifact | None) -> dict[str, bytes]:
    assert artifact is not None
    assert artifact.manifest is not None
    assert artifact.folder is not None
    there = sorted(str(file.relative_to(artifact.folder)) for file in artifact.folder.rglob("*") if file.is_file())
    assert there == [file.path for file in artifact.manifest.files]
    return {path: artifact.file(path).read_bytes() for path in there}


@pytest.mark.guard(name="files of inputs are gone with the work")
async def test_files_are_there_for_the_work_and_not_after_it(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1", inputs=(result(runner),)))
        call = await worker.handler.call()
        (given,) = call.assignment.inputs
        assert files_of(given) == FILES
        assert (given.size, len(given.content)) == (sum(map(len, FILES.values())), len(runner.files.put(FILES, "a.md")))
        call.make()
        while (await stream.next()).WhichOneof("kind") != "candidate":
            pass
        assert given.folder is not None
        assert not given.folder.parent.exists()
    (asked,) = runner.asked
    assert (asked.lease_id, asked.task_id, asked.digest, asked.all_files) == ("L1", "1_0", given.digest, True)


async def test_candidates_and_rejected_ones_have_their_files_too(runner: ScriptedRunner) -> None:
    message = assign("L1", JUDGE)
    message.assign.candidate.CopyFrom(result(runner))
    message.assign.feedback.previous_candidate.CopyFrom(result(runner, {"b.md": b"Venus"}))
    async with working(runner.address) as worker:
        await runner.welcomed(message)
        assignment = (await worker.handler.call()).assignment
        assert files_of(assignment.candidate) == FILES
        assert assignment.feedback is not None
        assert files_of(assignment.feedback.previous_candidate) == {"b.md": b"Venus"}


async def test_files_are_gone_when_the_work_is_cancelled(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1", inputs=(result(runner),)))
        call = await worker.handler.call()
        folder = call.assignment.inputs[0].folder
        await stream.send(cancel("L1"))
        await call.until_cancelled()
        worker.stop.set()
        await worker.ended()
    assert folder is not None
    assert not folder.exists()


@pytest.mark.guard(name="contents wait for a runner that is away")
async def test_files_come_anew_when_the_runner_was_away_in_the_middle(runner: ScriptedRunner) -> None:
    tries = 0

    def breaking(answers: list[Response]) -> Iterable[Response]:
        nonlocal tries
        tries += 1
        yield from answers if tries > 2 else answers[: 2 + tries]
        if tries <= 2:
            raise NotServing("it is about to end")

    runner.files.garbled = breaking
    async with working(runner.address) as worker:
        await runner.welcomed(assign("L1", inputs=(result(runner),)))
        (came,) = (await worker.handler.call()).assignment.inputs
        assert files_of(came) == FILES
    assert tries == 3


def without_last(answers: list[Response]) -> list[Response]:
    return answers[:-2]


def with_another_byte(answers: list[Response]) -> list[Response]:
    answers[2] = Response(chunk=b"# Venu")
    return answers


def longer(answers: list[Response]) -> list[Response]:
    return [*answers[:3], Response(chunk=b"more"), *answers[3:]]


def with_another_name(answers: list[Response]) -> list[Response]:
    answers[1].file.path = "../a.md"
    return answers


def with_one_more(answers: list[Response]) -> list[Response]:
    return [*answers, Response(file=runner_pb2.FileEntry(path="z", digest="0" * 64))]


def without_name(answers: list[Response]) -> list[Response]:
    return [answers[0], *answers[2:]]


_HAS_ITS_DIGEST = pytest.mark.guard(name="each file of an input has its digest")
_OF_THE_MANIFEST = pytest.mark.guard(name="a worker takes only the files of the manifest")


@pytest.mark.parametrize(
    ("garbled", "said"),
    [
        (without_last, "expected 'charts/x.png' with 2,500,000 bytes"),
        pytest.param(with_another_byte, "expected 'a.md' with 6 bytes", marks=_HAS_ITS_DIGEST),
        (longer, "expected 'a.md' with 6 bytes and SHA-256"),
        pytest.param(with_another_name, "but the runner sent '../a.md'", marks=_OF_THE_MANIFEST),
        (with_one_more, "expected no more files, but the runner sent 'z'"),
        (without_name, "expected the name of a file first, but the runner sent 6 bytes"),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
async def test_other_files_than_the_manifest_names_are_a_transient_failure(
    garbled: Callable[[list[Response]], list[Response]], said: str, runner: ScriptedRunner, tmp_path: Path
) -> None:
    runner.files.garbled = garbled
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1", inputs=(result(runner),)))
        while (message := await stream.next()).WhichOneof("kind") != "failure":
            assert message.WhichOneof("kind") in {"accepted", "progress"}
        assert worker.handler.untaken == 0
    assert message.failure.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    assert message.failure.message.startswith("the files of an input could not be fetched: ")
    assert said in message.failure.message


async def test_a_broken_manifest_is_a_failure_that_names_it(runner: ScriptedRunner) -> None:
    given = worker_pb2.InputArtifact(name="sales", media_type=MANIFEST_TYPE, digest=digest_of(b"{}"), inline=b"{}")
    async with working(runner.address):
        stream = await runner.welcomed(assign("L1", inputs=(given,)))
        await stream.expect("accepted")
        failure = await stream.expect("failure")
    assert "the manifest of sales is broken: expected a manifest" in failure.message


async def test_work_that_learns_that_its_lease_has_ended_says_nothing(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1"))
        call = await worker.handler.call()
        call.result.set_exception(LeaseEnded())
        await asyncio.sleep(0)
        await stream.expect("accepted")
        await stream.nothing_more()
