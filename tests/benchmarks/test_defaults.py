"""Measurements use the defaults that users get: nothing is turned off or less durable."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from benchmarks.ours.executions import compiled, layout_set, started
from benchmarks.ours.services import ROOT, USUAL, Services, prepare_environment
from benchmarks.ours.worker import WorkerSettings
from benchmarks.shapes import fan_out, plan_json
from planner_svc.__main__ import PlannerSettings
from runner_svc.settings import SQLITE, RunnerSettings
from signoff.local.services import LocalSettings, planner_program, runner_program
from signoff.v1 import runner_pb2
from worker_svc.__main__ import DEFAULT_SLOTS

WHERE = {"data_dir", "planner"}  # settings that say where things are, and not how they work
LOCAL = LocalSettings(data_dir=Path("d"))


def changed(kind: type[BaseModel], flags: tuple[str, ...]) -> set[str]:
    """Returns the settings that these flags change."""
    usual, given = kind(_cli_parse_args=[]), kind(_cli_parse_args=list(flags))
    return {name for name in kind.model_fields if getattr(usual, name) != getattr(given, name)}


def test_planner_and_runner_are_told_where_things_are_and_nothing_else() -> None:
    assert changed(PlannerSettings, planner_program(LOCAL).flags) <= WHERE
    assert changed(RunnerSettings, runner_program(LOCAL, "127.0.0.1:1").flags) <= WHERE


def test_one_executor_and_one_validator_with_their_default_slots_do_the_work() -> None:
    for crew, role in zip(USUAL, ("executor", "validator"), strict=True):
        (program,) = crew.programs("127.0.0.1:1")
        settings = WorkerSettings(_cli_parse_args=list(program.flags))  # type: ignore[call-arg]
        assert (settings.role, settings.slots) == (role, DEFAULT_SLOTS[role])
        assert (settings.streams, settings.size, settings.together, settings.only) == (1, 0, 0, None)


def test_nothing_in_the_environment_configures_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("SIGNOFF_RUNNER_STORE", "postgresql://elsewhere")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    prepare_environment()
    assert not [name for name in os.environ if name.startswith(("SIGNOFF_", "OPENAI_"))]
    assert os.environ["PYTHONPATH"] == str(ROOT)


async def test_the_services_that_run_are_those_of_signoff_serve_on_their_defaults() -> None:
    async with Services() as services:
        runner, planner = services.children["runner"], services.children["planner"]
        assert replace(planner.program, paths=()) == planner_program(services.settings)
        as_served = runner_program(services.settings, services.addresses["planner"])
        assert replace(runner.program, paths=()) == as_served
        assert _flags_of(runner.process.pid) == {
            *("--data-dir", "--planner"),
            *("--address", "--address-file", "--stop-on-stdin-eof"),  # as of every child of `signoff serve`
        }
        workers = {worker.role: worker.slots for worker in await services.client.workers()}
        assert workers == {runner_pb2.WORKER_ROLE_EXECUTOR: 7, runner_pb2.WORKER_ROLE_VALIDATOR: 5}
        await _has_default_settings(services)
        assert _journal_mode(services) == "wal"


def _flags_of(pid: int) -> set[str]:
    return {flag for flag in Path(f"/proc/{pid}/cmdline").read_text().split("\0") if flag.startswith("--")}


async def _has_default_settings(services: Services) -> None:
    """Tells whether an execution of the benchmark has the settings of one that was started without any."""
    await compiled(services, plan_json(fan_out(1)), "defaults")
    await layout_set(services, "defaults")
    ours = await services.client.get(await started(services, "defaults"))
    assert ours.settings == (await services.client.start("defaults")).settings


def _journal_mode(services: Services) -> str:
    with sqlite3.connect(services.folder / "db" / ".signoff" / "journal.db") as db:
        mode: str = db.execute("PRAGMA journal_mode").fetchone()[0]
    db.close()
    return mode


def test_the_default_store_is_sqlite_beside_the_data() -> None:
    assert RunnerSettings(_cli_parse_args=[]).store.get_secret_value() == SQLITE  # type: ignore[call-arg]
