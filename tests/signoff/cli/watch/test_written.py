"""A command that follows an execution ends when the results lie on the disk, or says that they do not."""

from __future__ import annotations

import pytest

from signoff.cli.watch import written as written_module
from signoff.cli.watch.follow import tell_ending
from signoff.cli.watch.written import SHOWN, until_written
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.v1 import execution_pb2 as pb
from signoff.v1.runner_pb2 import OutputFiles
from tests.support.processes.screens import lines_of, notes_of, piped, records_of
from tests.support.servers.fake_runner import EXECUTION_ID, FakeRunner, execution, listening, signed_off


async def waited(*told: OutputFiles) -> tuple[list[str], FakeRunner]:
    runner, said = FakeRunner(output_files=[*told]), list[str]()
    async with listening(runner) as address, Client(runner=address) as client:
        await until_written(client, by_execution(EXECUTION_ID), said.append)
    return said, runner


@pytest.mark.guard(name="a command ends when the results are written")
async def test_it_waits_until_no_file_is_pending() -> None:
    said, runner = await waited(OutputFiles(pending=3), OutputFiles(pending=1), OutputFiles())
    assert (said, len(runner.asked)) == ([], 3)


async def test_where_the_files_are_anothers_or_the_runner_does_not_tell_nothing_is_waited_for() -> None:
    said, runner = await waited()
    assert (said, len(runner.asked)) == ([], 1)


async def test_results_that_could_not_be_written_are_told() -> None:
    said, _ = await waited(OutputFiles(pending=1), OutputFiles(failed=2))
    assert said == [f"the runner could not write 2 results as output.json, its log says why: {SHOWN}"]


async def test_who_waits_for_long_is_told_once_what_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_module, "SILENT_FOR", 0.0)
    said, _ = await waited(*(OutputFiles(pending=left) for left in (1_200, 900, 600)), OutputFiles())
    assert said == ["the runner is still to write 1,200 results as output.json"]


async def test_a_runner_that_writes_nothing_is_not_waited_for_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_module, "STANDS_STILL", 0.05)
    said, runner = await waited(OutputFiles(pending=2, failed=1), OutputFiles(pending=1, failed=1))
    assert said == [f"the runner has not written 1 result as output.json: {SHOWN}"]
    assert len(runner.asked) > 3


@pytest.mark.parametrize("as_json", [False, True], ids=["a person", "a program"])
async def test_the_end_of_a_command_tells_what_is_not_on_the_disk(as_json: bool) -> None:
    output = piped(as_json=as_json)
    succeeded = execution(pb.EXECUTION_STATE_SUCCEEDED, done=1)
    runner = FakeRunner(execution=succeeded, tasks=[signed_off("a")], output_files=[OutputFiles(failed=1)])
    async with listening(runner) as address, Client(runner=address) as client:
        assert await tell_ending(client, EXECUTION_ID, output, None) == 0
    told = f"the runner could not write 1 result as output.json, its log says why: {SHOWN}"
    if as_json:
        assert records_of(output)[0] == {"event": "notice", "message": told}
    else:
        assert told in "\n".join(notes_of(output))
        assert lines_of(output)[-1] == "trends succeeded: 1 of 1 signed off"
