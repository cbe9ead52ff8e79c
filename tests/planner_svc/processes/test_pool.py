"""The processes that compile: a plan that ends one of them fails its own call, and no other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import PIPE
from typing import BinaryIO, cast

import pytest

from planner_svc.processes.job import CompileAnswer, CompileJob
from planner_svc.processes.pool import CompileLimits, Compilers
from planner_svc.staging import read_records
from signoff.errors import CompilerLost, PlanTooLarge, ShuttingDown
from signoff.plan.limits import MAX_LARGE_SETS
from signoff.v1 import planner_pb2
from tests.support.servers.service import until
from tests.support.values.trees import RawTask, atomic, generated_plan, plan_json

PLAN = plan_json(atomic("1", makes="x"), atomic("2", reads=("x",)))
LARGE = generated_plan(6)


def slow_check(n: int) -> RawTask:
    """Returns a check that takes a second of CPU and keeps all bounds."""
    pattern = "(?i)" + "[\\0-\uffff]" * MAX_LARGE_SETS + str(n)
    return atomic(f"t{n}", validation={"checks": [{"type": "regex", "pattern": pattern}]})


SLOW = plan_json(*map(slow_check, range(60)))


@pytest.fixture
async def compilers() -> AsyncIterator[Compilers]:
    compilers = Compilers(CompileLimits(), at_once=1)
    yield compilers
    await compilers.close()


def spooled(data: bytes = b"") -> BinaryIO:
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    file.write(data)
    file.flush()
    return file


async def checked(compilers: Compilers, data: bytes = PLAN, seconds: int = 60) -> tuple[CompileAnswer, set[str]]:
    """Returns the answer, and the codes of the diagnostics."""
    with spooled(data) as plan, spooled() as found:
        answer = await compilers.run(CompileJob(infer=True, cpu_seconds=seconds), (plan, found))
        found.seek(0)
        messages = map(planner_pb2.CheckPlanResponse.FromString, read_records(found))
        return answer, {diagnostic.code for message in messages for diagnostic in message.diagnostics}


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def has_ended(pid: int) -> bool:
    """Tells whether all threads of a process have ended, for only the last one closes its files."""
    if not is_there(pid):
        return True
    process = Path("/proc") / str(pid)
    return (process / "stat").read_text().split()[2] == "Z" and len([*(process / "task").iterdir()]) == 1


async def test_a_process_stays_warm_for_the_next_plan(compilers: Compilers) -> None:
    assert (await checked(compilers))[1] == {"no-criteria", "producer-not-waited-for"}
    first = compilers.pids

    assert (await checked(compilers, b"not json"))[1] == {"not-json"}
    assert compilers.pids == first
    assert len(first) == 1


async def test_a_process_that_dies_between_plans_is_replaced_without_a_word(compilers: Compilers) -> None:
    await checked(compilers)
    (pid,) = compilers.pids
    os.kill(pid, signal.SIGKILL)
    await until(lambda: has_ended(pid), "it is gone")

    assert (await checked(compilers))[0].diagnostics == 2
    assert pid not in compilers.pids


async def test_a_process_that_is_killed_is_an_error_for_its_caller_and_the_next_plan_compiles(
    compilers: Compilers,
) -> None:
    await compilers.warm_up()
    (pid,) = compilers.pids
    os.kill(pid, signal.SIGSTOP)
    lost = asyncio.create_task(checked(compilers))
    waiting = asyncio.create_task(checked(compilers))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)

    with pytest.raises(CompilerLost, match="killed by signal 9"):
        await lost
    assert (await waiting)[0].diagnostics == 2


STUCK = """
import re
from planner_svc.processes import child
child._end_when_the_service_does()
print("begun", flush=True)
re.fullmatch("(a+)+b", "a" * 60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel that sends the signal is Linux")
def test_a_process_that_is_stuck_ends_with_the_service_all_the_same() -> None:
    with subprocess.Popen([sys.executable, "-c", STUCK], stdin=PIPE, stdout=PIPE) as stuck:
        assert stuck.stdin is not None
        assert stuck.stdout is not None
        stuck.stdout.readline()
        stuck.stdin.close()
        assert stuck.wait(30) == -signal.SIGIO


@pytest.mark.guard(name="a compile takes no more CPU than it was given")
async def test_a_plan_that_takes_too_long_is_refused_with_the_time_that_it_had(compilers: Compilers) -> None:
    with pytest.raises(PlanTooLarge, match="within 1 s of CPU"):
        await checked(compilers, SLOW, seconds=1)

    assert (await checked(compilers))[0].diagnostics == 2


async def test_a_plan_that_takes_too_much_memory_is_refused_and_the_next_one_compiles() -> None:
    compilers = Compilers(CompileLimits(memory_bytes=100 << 20), at_once=1)
    try:
        with contextlib.suppress(PlanTooLarge):  # at its limit a process may spin until its CPU has run out
            answer, codes = await checked(compilers, LARGE, seconds=15)
            assert answer.too_large or "too-large" in codes
        assert (await checked(compilers))[0].diagnostics == 2
    finally:
        await compilers.close()


@pytest.mark.guard(name="a compile ends when its caller goes away")
async def test_a_caller_that_goes_away_takes_its_compile_along(compilers: Compilers) -> None:
    await compilers.warm_up()
    (pid,) = compilers.pids
    compiling = asyncio.create_task(checked(compilers, SLOW))
    await until(lambda: _cpu_seconds(pid) > 1, "it is busy")
    compiling.cancel()

    with pytest.raises(asyncio.CancelledError):
        await compiling

    assert not is_there(pid)
    assert (await checked(compilers))[0].diagnostics == 2


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_closing_ends_what_is_being_compiled(compilers: Compilers) -> None:
    await compilers.warm_up()
    (pid,) = compilers.pids
    compiling = asyncio.create_task(checked(compilers, SLOW))
    waiting = asyncio.create_task(checked(compilers))
    await until(lambda: _cpu_seconds(pid) > 1, "it is busy")

    await compilers.close()

    assert not is_there(pid)
    with pytest.raises(CompilerLost):
        await compiling
    with pytest.raises(ShuttingDown):
        await waiting


async def test_a_machine_without_room_for_a_process_is_an_error_that_passes(
    compilers: Compilers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(CompilerLost, match="none can be started: No such file"):
            await checked(compilers)

    assert (await checked(compilers))[0].diagnostics == 2


async def test_a_fault_of_the_compiler_is_told_as_one(compilers: Compilers) -> None:
    with spooled(PLAN) as plan, spooled() as found:
        answer = await compilers.run(CompileJob(infer=None, cpu_seconds=9, plan_id="a\0", folder="\0"), (plan, found))  # type: ignore[arg-type]

    assert "Traceback" in answer.bug
    assert (await checked(compilers))[0].diagnostics == 2


async def test_a_process_that_has_grown_is_not_kept(compilers: Compilers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner_svc.processes.pool.KEPT_BYTES", 1)
    await checked(compilers)

    assert compilers.pids == []


def test_a_larger_plan_has_more_time() -> None:
    limits = CompileLimits(seconds=120)

    assert (limits.cpu_seconds(0), limits.cpu_seconds(1 << 30)) == (120, 9 * 120)
    assert CompileLimits(seconds=0.01).cpu_seconds(10) == 1
