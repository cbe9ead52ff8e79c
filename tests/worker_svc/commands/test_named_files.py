"""A program is the same again when its arguments and the files that they name are."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.work.givens import Heard
from tests.support.work.programs import commanded
from worker_svc.assignment import Assignment, CandidateResult, Result, UnchangedResult
from worker_svc.commands import CommandExecutor
from worker_svc.commands.named_files import ABSENT, digests_of


@pytest.fixture
def executor(tmp_path: Path) -> CommandExecutor:
    return CommandExecutor(tmp_path / "base")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "clean.py"
    file.write_text("print('first')")
    return file


def write(file: Path, text: str) -> None:
    file.write_text(text)


async def maker_of(executor: CommandExecutor, assignment: Assignment) -> str:
    result = await executor(assignment, Heard())
    assert isinstance(result, CandidateResult), result
    return result.maker


async def asked(executor: CommandExecutor, assignment: Assignment, maker: str) -> Result:
    return await executor(replace(assignment, unless_maker=maker), Heard())


@pytest.mark.guard(name="what is unchanged is not done again")
async def test_a_program_whose_files_are_as_they_were_is_not_run(executor: CommandExecutor, script: Path) -> None:
    work = commanded("python", str(script))
    before = await maker_of(executor, work)
    assert await asked(executor, work, before) == UnchangedResult(maker=before)


async def test_a_program_of_which_a_file_has_changed_is_run(executor: CommandExecutor, script: Path) -> None:
    work = commanded("python", str(script))
    before = await maker_of(executor, work)
    write(script, "print('second')")
    again = await asked(executor, work, before)
    assert isinstance(again, CandidateResult)
    assert (again.content, again.maker != before) == (b"second\n", True)


async def test_a_file_that_appears_is_a_change(executor: CommandExecutor, script: Path, tmp_path: Path) -> None:
    work = commanded("python", str(script), str(tmp_path / "settings"))
    before = await maker_of(executor, work)
    assert isinstance(await asked(executor, work, before), UnchangedResult)
    write(tmp_path / "settings", "more")
    assert isinstance(await asked(executor, work, before), CandidateResult)


async def test_a_program_that_names_no_file_is_made_by_what_the_worker_says_of_itself(
    executor: CommandExecutor,
) -> None:
    assert (await maker_of(executor, commanded("echo", "a/b")),) == executor.offer.makers


async def test_of_a_program_that_may_read_anything_nothing_is_ever_the_same(
    executor: CommandExecutor, tmp_path: Path
) -> None:
    work = commanded("python", "-c", f"print(len(list(__import__('os').scandir('{tmp_path}'))))")
    assert not await maker_of(executor, work)
    assert isinstance(await asked(executor, work, ""), CandidateResult)


def test_what_is_no_file_cannot_be_compared(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path, pipe, tmp_path / "loop", Path("/dev/null")):
        assert digests_of(["cat", str(path)]) is None
    assert digests_of(["cat", str(tmp_path / "gone")]) == {str(tmp_path / "gone"): ABSENT}
    assert digests_of(["cat", "/\0"]) is None
