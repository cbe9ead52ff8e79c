"""The limits of a program hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from signoff.v1 import execution_pb2
from tests.support.work.givens import Heard
from tests.support.work.programs import commanded, python
from worker_svc.assignment import CandidateResult, FailureResult, Result
from worker_svc.commands import CommandExecutor, process


@pytest.fixture
def executor(tmp_path: Path) -> CommandExecutor:
    return CommandExecutor(tmp_path)


def text_of(result: Result) -> str:
    assert isinstance(result, CandidateResult), result
    return result.content.decode()


async def test_a_program_that_wants_more_memory_than_it_may_have_fails_and_the_failure_says_so(
    executor: CommandExecutor,
) -> None:
    program = "kept = bytearray(300 * 1024**2); print(len(kept))"
    assert text_of(await executor(python(program), Heard())) == "314572800\n"
    result = await executor(python(program, memory_mib=200), Heard())
    assert isinstance(result, FailureResult)
    assert result.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    assert "exited with code 1 (it may have 200 MiB of memory)" in result.message
    assert result.message.endswith("\nMemoryError")


async def test_the_limit_is_not_mentioned_when_it_has_nothing_to_do_with_it(executor: CommandExecutor) -> None:
    result = await executor(python("raise ValueError('three')", memory_mib=200), Heard())
    assert isinstance(result, FailureResult)
    assert "MiB" not in result.message


async def test_what_a_program_starts_has_the_same_limit(executor: CommandExecutor) -> None:
    program = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'bytearray(300 * 1024**2)']))"
    result = await executor(python(program, memory_mib=200), Heard())
    assert isinstance(result, FailureResult)
    assert "it may have 200 MiB of memory" in result.message


async def test_a_file_may_have_one_gib(executor: CommandExecutor) -> None:
    program = "open('most', 'wb').truncate(1024**3); open('more', 'wb').truncate(1024**3 + 1)"
    result = await executor(python(program), Heard())
    assert isinstance(result, FailureResult)
    assert result.message.endswith("OSError: [Errno 27] File too large")


async def test_a_program_that_does_not_look_dies_of_a_file_that_is_too_large(executor: CommandExecutor) -> None:
    result = await executor(commanded("truncate", "-s", "1025M", "more"), Heard())
    assert isinstance(result, FailureResult)
    assert "was ended by SIGXFSZ" in result.message


LIMITS = """
import resource as r
for kind in (r.RLIMIT_AS, r.RLIMIT_CORE, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE): print(*r.getrlimit(kind))
"""


async def test_these_are_the_limits(executor: CommandExecutor) -> None:
    lines = text_of(await executor(python(LIMITS), Heard())).splitlines()
    assert lines == [f"{2 * 1024**3} {2 * 1024**3}", "0 0", f"{1024**3} {1024**3}", "1024 1024"]


async def test_a_worker_that_may_have_less_gives_what_it_has(
    executor: CommandExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = ("sh", "-c", 'ulimit -n 512 && ulimit -v 1000000 && exec "$@"', "sh", *process.LAUNCHER)
    monkeypatch.setattr(process, "LAUNCHER", limited)
    lines = text_of(await executor(python(LIMITS), Heard())).splitlines()
    assert (lines[0], lines[3]) == ("1024000000 1024000000", "512 512")
