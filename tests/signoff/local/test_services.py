"""The life of child processes: real ones, started, killed, started again, drained, and never left behind."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.client.client import Client
from signoff.errors import ConfigurationError
from signoff.local import child as child_module
from signoff.local import services as local
from signoff.local.child import ServiceDied, ServiceProgram, address_of, ended_in_order, spawn
from signoff.local.services import (
    RESTARTS,
    WINDOW,
    LocalServices,
    LocalSettings,
    planner_program,
    spread,
    worker_programs,
)
from signoff.rpc.server import connect
from tests.support.processes.commands import ROOT

WITHIN = 10.0  # seconds for what takes about one

PARENT = """
import asyncio, sys
from pathlib import Path
from signoff.local.child import address_of, spawn
from signoff.local.services import LocalSettings, planner_program, runner_program

async def main():
    folder = Path(sys.argv[1])
    settings = LocalSettings(data_dir=folder)
    program = planner_program(settings) if sys.argv[2] == "planner" else runner_program(settings, "127.0.0.1:1")
    child = await spawn(program, log=folder / "log", address_file=folder / "address")
    await address_of(child, folder / "address")
    print(child.process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Heard:
    """Keeps what was said, and lets a test wait for the next of it."""

    def __init__(self) -> None:
        self.texts: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, text: str) -> None:
        self.texts.put_nowait(text)

    async def next(self) -> str:
        return await asyncio.wait_for(self.texts.get(), WITHIN)


def two_planners(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second planner plays the runner: what is tested is the life of processes, whatever they do."""
    monkeypatch.setattr(local, "runner_program", _planner_as_runner)


def _planner_as_runner(settings: LocalSettings, _planner_address: str) -> ServiceProgram:
    return replace(planner_program(settings), name="runner")


def pid_of(services: LocalServices, name: str) -> int:
    return services._children[name].process.pid


def is_gone(pid: int) -> bool:
    """Waits for the end of any process, also of one that is not ours."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ended = bool(select.select([watched], [], [], WITHIN)[0])
        if not ended:
            os.kill(pid, signal.SIGKILL)  # what a failing test has left behind
        return ended
    finally:
        os.close(watched)


async def test_services_listen_log_and_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_planners(monkeypatch)
    heard = Heard()
    async with LocalServices(LocalSettings(data_dir=tmp_path), heard) as services:
        pids = [pid_of(services, name) for name in ("planner", "runner")]
        async with Client(planner=services.planner_address) as client:
            assert await client.check_plan(b"not json")
        assert services.planner_address != services.runner_address
    assert all(is_gone(pid) for pid in pids)
    assert "listening" in (tmp_path / ".signoff" / "logs" / "planner.log").read_text()
    assert heard.texts.empty()


async def test_a_killed_service_is_said_to_be_dead_and_comes_back_at_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_planners(monkeypatch)
    heard = Heard()
    async with LocalServices(LocalSettings(data_dir=tmp_path), heard) as services:
        os.kill(pid_of(services, "planner"), signal.SIGKILL)
        assert await heard.next() == "the planner was killed by signal 9: it was started again (1 of 3 in 10 min)"
        async with connect(services.planner_address) as channel:
            await asyncio.wait_for(channel.channel_ready(), WITHIN)


async def test_a_service_that_dies_once_too_often_ends_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_planners(monkeypatch)
    heard = Heard()
    async with LocalServices(LocalSettings(data_dir=tmp_path), heard) as services:
        lost = asyncio.create_task(services.lost())
        for _ in range(RESTARTS):
            os.kill(pid_of(services, "runner"), signal.SIGKILL)
            await heard.next()
        os.kill(pid_of(services, "runner"), signal.SIGKILL)
        story = await asyncio.wait_for(lost, WITHIN)
    assert isinstance(story, ServiceDied)
    assert str(story).startswith("the runner was killed by signal 9")


def dying(monkeypatch: pytest.MonkeyPatch, folder: Path, times: int) -> None:
    """Has a service that is killed so many times before it listens in the place of every other."""
    script = (
        sys.executable,
        str(ROOT / "tests" / "support" / "processes" / "dying.py"),
        str(folder / "tally"),
        str(times),
    )
    monkeypatch.setattr(child_module, "python", lambda _module, *flags: (*script, *flags))


@pytest.mark.guard(name="killed before it listens")
async def test_a_service_that_is_killed_before_it_listens_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying(monkeypatch, tmp_path, RESTARTS)
    heard = Heard()
    async with LocalServices(LocalSettings(data_dir=tmp_path), heard) as services:
        assert services.planner_address == "127.0.0.1:1"
    assert [await heard.next() for _ in range(RESTARTS)] == [
        f"the planner was killed by signal 9: it was started again ({number} of {RESTARTS} in 10 min)"
        for number in range(1, RESTARTS + 1)
    ]


async def test_a_service_that_is_killed_again_and_again_before_it_listens_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying(monkeypatch, tmp_path, RESTARTS + 1)
    with pytest.raises(ServiceDied, match="the planner was killed by signal 9"):
        async with LocalServices(LocalSettings(data_dir=tmp_path), Heard()):
            pass


@pytest.mark.guard(name="deaths of long ago do not count")
def test_deaths_of_long_ago_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now, deaths = 0.0, deque[float]()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(10 * RESTARTS):
        now += WINDOW / RESTARTS
        assert local.may_start_again(deaths)
    now += 1.0
    assert [local.may_start_again(deaths) for _ in range(RESTARTS)][-1] is False


async def test_a_service_that_refuses_its_settings_ends_the_start_with_its_own_words(tmp_path: Path) -> None:
    pids: list[int] = []
    settings = LocalSettings(data_dir=tmp_path, planner_address="not-an-address")
    with pytest.raises(ConfigurationError, match="cannot listen on not-an-address"):
        async with LocalServices(settings, Heard()) as services:
            pids.append(pid_of(services, "planner"))
    assert pids == []


async def test_a_data_directory_that_cannot_be_written_is_blamed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="expected a data directory that can be written, but got"):
        async with LocalServices(LocalSettings(data_dir=tmp_path / "file"), Heard()):
            pass


async def test_a_service_that_never_listens_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "START_WITHIN", 0.0)
    program = planner_program(LocalSettings(data_dir=tmp_path))
    child = await spawn(program, log=tmp_path / "log", address_file=tmp_path / "address")
    with pytest.raises(ServiceDied, match="the planner did not listen within 0 s"):
        await address_of(child, tmp_path / "address")
    await ended_in_order(child.process, WITHIN)


async def test_what_a_service_prints_is_in_its_log_too(tmp_path: Path) -> None:
    program = ServiceProgram(name="zen", module="this", flags=())
    child = await spawn(program, log=tmp_path / "log", address_file=tmp_path / "address")
    await asyncio.wait_for(child.process.wait(), WITHIN)
    await ended_in_order(child.process, WITHIN)
    assert "Namespaces are one honking great idea" in child.last_words()


async def test_a_service_that_does_not_heed_sigterm_is_killed() -> None:
    deaf = "import signal,sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); sys.stdin.read()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", deaf), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    assert not await ended_in_order(process, 0.05)
    assert process.returncode == -signal.SIGKILL


async def test_a_second_ctrl_c_kills_every_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_planners(monkeypatch)
    heard = Heard()
    async with LocalServices(LocalSettings(data_dir=tmp_path), heard) as services:
        pids = [pid_of(services, name) for name in ("planner", "runner")]
        services.kill()
        assert all(is_gone(pid) for pid in pids)
    assert heard.texts.empty()


async def test_a_drain_that_is_cut_short_still_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_planners(monkeypatch)
    services = await LocalServices(LocalSettings(data_dir=tmp_path), Heard()).__aenter__()
    pids = [pid_of(services, name) for name in ("planner", "runner")]
    stopping = asyncio.create_task(services.stop())
    await asyncio.sleep(0)  # it has begun
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert all(is_gone(pid) for pid in pids)


@pytest.mark.parametrize("service", ["planner", "runner"])
def test_no_child_outlives_a_parent_that_is_killed(tmp_path: Path, service: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), service]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert is_gone(child)


@settings(derandomize=True, deadline=None)
@given(slots=st.integers(1, 200), processes=st.integers(1, 50))
def test_slots_are_spread_evenly_and_none_is_lost(slots: int, processes: int) -> None:
    shares = spread(slots, processes)
    assert sum(shares) == slots
    assert len(shares) == min(slots, processes)
    assert max(shares) - min(shares) <= 1


def test_no_slots_mean_no_processes() -> None:
    assert spread(0, 3) == []


@pytest.fixture
def flag_of() -> Callable[[ServiceProgram, str], str]:
    def read(program: ServiceProgram, flag: str) -> str:
        return program.flags[program.flags.index(flag) + 1]

    return read


def test_workers_have_names_roles_and_models_of_their_own(flag_of: Callable[[ServiceProgram, str], str]) -> None:
    settings = LocalSettings(
        data_dir=Path("db"), executors=3, validators=1, processes=2, model="writer", judge_model="judge"
    )
    workers = worker_programs(settings, "127.0.0.1:9")
    assert [worker.name for worker in workers] == ["executor-1", "executor-2", "validator-1"]
    assert [flag_of(worker, "--slots") for worker in workers] == ["2", "1", "1"]
    assert [flag_of(worker, "--model") for worker in workers] == ["writer", "writer", "judge"]
    assert {flag_of(worker, "--runner") for worker in workers} == {"127.0.0.1:9"}


def test_workers_of_both_roles_get_the_apps_and_may_run_commands_when_they_are_to() -> None:
    services = LocalSettings(data_dir=Path("db"), executors=1, validators=1, apps=("a:app", "b:app"))
    for worker in worker_programs(services, "127.0.0.1:9"):
        assert worker.flags[-2:] == ("--app", "a:app,b:app")
    for worker in worker_programs(replace(services, apps=(), allow_commands=True), "127.0.0.1:9"):
        assert "--app" not in worker.flags
        assert worker.flags[-1] == "--allow-commands"


def test_without_a_model_workers_follow_the_environment() -> None:
    (worker,) = worker_programs(LocalSettings(data_dir=Path("db"), executors=1), "127.0.0.1:9")
    assert "--model" not in worker.flags
