"""Checks that are programs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from signoff.v1 import execution_pb2
from tests.support.processes.commands import processes_with
from tests.support.work.givens import Heard, artifact
from tests.support.work.programs import checked, judged, left_in
from worker_svc.commands import CommandChecks

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR


@pytest.fixture
def checks(tmp_path: Path) -> CommandChecks:
    return CommandChecks(tmp_path)


async def test_a_check_that_exits_with_0_passes(checks: CommandChecks, tmp_path: Path) -> None:
    result = await checks(checked("grep", "-q", "Mars"), judged("Venus\nMars"), Heard())
    assert result == execution_pb2.CriterionResult(
        criterion="passes the command `grep -q Mars`", outcome=PASS, reason="", deterministic=True
    )
    assert left_in(tmp_path) == []


async def test_one_that_does_not_fails_with_the_end_of_what_it_said(checks: CommandChecks) -> None:
    said = "for n in $(seq 20); do echo line $n; done; echo too few >&2; exit 3"
    result = await checks(checked("sh", "-c", said), judged("[]"), Heard())
    lines = [f"line {number}" for number in range(12, 21)]
    assert result.outcome == FAIL
    assert result.reason.splitlines() == [*lines, "too few", "(the command exited with code 3)"]
    assert result.deterministic


async def test_one_that_says_nothing_fails_all_the_same(checks: CommandChecks) -> None:
    result = await checks(checked("false"), judged("[]"), Heard())
    assert (result.outcome, result.reason) == (FAIL, "the command exited with code 1, and said nothing")


async def test_the_candidate_is_a_file_and_standard_input(checks: CommandChecks) -> None:
    program = (
        "import json, pathlib, sys\n"
        "assert sys.argv[1] == 'candidate.json'\n"
        "assert sys.stdin.buffer.read() == pathlib.Path(sys.argv[1]).read_bytes() == b'[1]'\n"
        "assert pathlib.Path(sys.argv[2]).read_text() == 'red'\n"
        "assert json.load(open('task.json'))['candidate']['path'] == 'candidate.json'\n"
    )
    assignment = judged("[1]", "application/json", inputs=(artifact("red", name="colour"),))
    result = await checks(checked("python", "-c", program, "{candidate}", "{input:colour}"), assignment, Heard())
    assert (result.outcome, result.reason) == (PASS, "")


@pytest.mark.parametrize(
    ("argv", "outcome"),
    [
        *((["sh", "-c", f"exit {code}"], FAIL) for code in (1, 2, 63, 65, 74, 76, 77, 79, 125, 255)),
        *((["sh", "-c", f"exit {code}"], ERROR) for code in (64, 75, 78, 126, 127, 129, 137, 159)),
        (["sh", "-c", "kill -9 $$"], ERROR),
        (["no-such-program"], ERROR),
        (["/etc/passwd"], ERROR),
        (["cat", "{input:missing}"], ERROR),
        ([], ERROR),
    ],
)
async def test_a_check_that_could_not_be_carried_out_counts_neither_for_nor_against(
    checks: CommandChecks, tmp_path: Path, argv: Sequence[str], outcome: int
) -> None:
    result = await checks(checked(*argv), judged("x"), Heard())
    assert result.outcome == outcome
    assert result.reason
    assert left_in(tmp_path) == []


async def test_one_that_takes_too_long_is_given_up_with_all_it_has_started(
    checks: CommandChecks, tmp_path: Path
) -> None:
    seconds = f"600.{time.monotonic_ns()}"  # no other process sleeps for so long
    started = checked("sh", "-c", f"sleep {seconds} & setsid sleep {seconds} & wait", timeout=0.3)
    result = await checks(started, judged("x"), Heard())
    assert (result.outcome, result.reason) == (ERROR, "not decided within 0.3 s: it was given up")
    assert list(processes_with(f"sleep {seconds}")) == []
    assert left_in(tmp_path) == []


async def test_one_that_writes_without_end_is_given_up_in_time_and_keeps_no_memory(checks: CommandChecks) -> None:
    result = await checks(checked("yes", timeout=0.3), judged("x"), Heard())
    assert result.outcome == ERROR


async def test_its_memory_is_bounded_too(checks: CommandChecks) -> None:
    result = await checks(checked("python", "-c", "bytearray(3 * 1024**3)"), judged("x"), Heard())
    assert result.outcome == FAIL
    assert result.reason.endswith("MemoryError\n(the command exited with code 1 (it may have 2048 MiB of memory))")


async def test_a_machine_that_cannot_run_it_is_no_fault_of_the_candidate(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = await CommandChecks(tmp_path / "file")(checked("true"), judged("x"), Heard())
    assert result.outcome == ERROR
    assert "could not be run on this machine" in result.reason


async def test_there_is_nothing_to_check_without_a_candidate(checks: CommandChecks) -> None:
    with pytest.raises(ValueError, match="expected a candidate"):
        await checks(checked("true"), replace(judged("x"), candidate=None), Heard())


async def test_what_it_writes_is_progress(checks: CommandChecks) -> None:
    heard = Heard()
    await checks(checked("echo", "here"), judged("x"), heard)
    assert (heard.token_counts, heard.pieces) == ([0], [])
