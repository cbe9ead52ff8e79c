"""`signoff run`: takes a plan from its file to signed-off artifacts, with services of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from signoff.cli.flag_groups import PageFlags
from signoff.cli.run.inputs import NO_FLAGS, InputFlags, read_inputs
from signoff.cli.run.interrupts import Interrupts
from signoff.cli.run.page import NO_PAGE, page_beside, stay
from signoff.cli.run.plan_files import plan_id_in, read_plan, remember_file
from signoff.cli.run.start_execution import compile_on, refuse_unkept, start_or_resume, unless_ended
from signoff.cli.show.output import CommandOutput
from signoff.cli.watch.follow import follow, grid_rows_of, tell_ending
from signoff.cli.watch.reporters import Reporter, reporter_for
from signoff.cli.watch.screen import GridRows
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.display.wire_names import state_name
from signoff.local.services import LocalSettings, worker_programs
from signoff.local.sharing import SharedServices
from signoff.states import UNFINISHED
from signoff.v1 import execution_pb2 as pb

HINT = "Ctrl-C stops in order; the same command goes on from there"
JOIN_WITHIN, LOOK_AGAIN = 10.0, 0.05  # seconds: for workers to connect, and between two looks
PATIENCE = timedelta(seconds=30)  # with a runner that is being started again

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    plan: str  #: a file, or "-"
    services: LocalSettings
    page: PageFlags = NO_PAGE
    plan_id: str = ""  #: empty: made of the file's name
    infer: bool = True
    inputs: InputFlags = NO_FLAGS
    new: bool = False  #: start anew even when an execution of the same plan is unfinished
    settings: pb.ExecutionSettings | None = None  #: None: as the plan says
    only: tuple[str, ...] = ()  #: tasks and groups: all that they need must be kept
    wait: bool = False  #: also while it is paused, and for workers that are started elsewhere
    thinking: bool | None = None  #: None: on a terminal
    again: str = ""  #: the command that resumes, as a shell takes it; empty: one with the plan alone

    @property
    def data_dir(self) -> Path:
        return self.services.data_dir


class Interrupted(Exception):
    """Ctrl-C was pressed, or the process was asked to end."""


async def run(options: RunOptions, output: CommandOutput) -> int:
    """Runs a plan, and returns the exit code. Starts nothing before the plan and the models' settings are read."""
    plan_json = read_plan(options.plan)
    require_models(options.services)
    options = replace(options, plan_id=options.plan_id or plan_id_in(options.data_dir, options.plan))
    notices = NoticeWriter(output)
    services = SharedServices(options.services, notices.notice)
    with Interrupts(on_second=services.kill) as interrupts:
        try:
            async with (
                services,
                Client(planner=services.planner_address, runner=services.runner_address, patience=PATIENCE) as client,
                page_beside(options.page, services, output, notices.notice) as url,
            ):
                code = await PlanRun(options, output, notices, client, services, interrupts).to_its_end(plan_json)
                notices.reporter = None
                await stay(url, output, services, interrupts)
                return code
        except asyncio.CancelledError:
            if not interrupts.first.is_set():
                raise
            output.note("killed; what was signed off is kept, and the same command goes on from there")
            return interrupts.exit_code


def require_models(services: LocalSettings) -> None:
    """Raises ConfigurationError, with what to choose from, when no model is configured.

    Workers with an app or with commands need no model. A task that asks for one then waits for a worker that has it.
    """
    from worker_svc.llm.config.settings import models_from_settings, names_a_model

    has_more = services.apps or services.allow_commands
    judge = services.judge_model or services.model
    asked: dict[Literal["executor", "validator"], str] = {"executor": services.model, "validator": judge}
    for role, name in asked.items():
        if names_a_model(name, services.models, os.environ) or not has_more:
            models_from_settings(name or None, os.environ, role=role, file=services.models)


async def until_workers_are_there(client: Client, services: SharedServices, settings: LocalSettings) -> None:
    """Waits a moment for workers of our own, so that the runner can say at once which tasks none of them can do."""
    if not services.are_ours:
        return
    expected = len(worker_programs(settings, services.runner_address))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(JOIN_WITHIN):
            while len(await client.workers()) < expected:  # noqa: ASYNC110 - another process is waited for
                await asyncio.sleep(LOOK_AGAIN)


class NoticeWriter:
    """Writes notices to the reporter while there is one, else straight to the output."""

    def __init__(self, output: CommandOutput) -> None:
        self._output = output
        self.reporter: Reporter | None = None

    def notice(self, text: str) -> None:
        if self.reporter is not None:
            self.reporter.notice(text)
        elif self._output.json:
            self._output.record({"event": "notice", "message": text})
        else:
            self._output.note(text)


class PlanRun:
    """One run, from the plan's bytes to the exit code."""

    def __init__(
        self,
        options: RunOptions,
        output: CommandOutput,
        notices: NoticeWriter,
        client: Client,
        services: SharedServices,
        interrupts: Interrupts,
    ) -> None:
        self._options, self._output, self._notices = options, output, notices
        self._client, self._services, self._interrupts = client, services, interrupts
        self._execution_id = ""  # once it is started
        self._cannot = ""  # why nothing can go on

    async def to_its_end(self, plan_json: bytes) -> int:
        try:
            await self._unless_ended(self._compile_and_follow(plan_json))
        except Interrupted:
            return await self._stop_in_order()
        return await tell_ending(
            self._client, self._execution_id, self._output, self._options.data_dir, cannot=self._cannot
        )

    async def _unless_ended(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Awaits the work. Raises Interrupted on Ctrl-C, or the story of a service that was lost for good."""
        working = asyncio.create_task(work)
        interrupted = asyncio.create_task(self._interrupts.first.wait())
        lost = asyncio.create_task(self._services.lost())
        everything = (working, interrupted, lost)
        try:
            await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in everything:
                task.cancel()
            # The work puts the terminal back in order; nothing else may be written before.
            await asyncio.wait(everything)
        if lost.done() and not lost.cancelled():
            raise lost.result()
        if working.cancelled():
            raise Interrupted
        return working.result()

    async def _compile_and_follow(self, plan_json: bytes) -> None:
        asked = self._options
        plan = await compile_on(
            self._client,
            plan_json,
            asked.plan,
            self._output,
            plan_id=asked.plan_id,
            infer=asked.infer,
            names=bool(asked.only),
        )
        header = plan.header
        inputs = await read_inputs(header, asked.plan, asked.inputs)
        remember_file(asked.data_dir, header.plan_id, asked.plan)
        await until_workers_are_there(self._client, self._services, asked.services)
        await refuse_unkept(self._client, plan, asked.settings, asked.only, inputs)
        await self._client.set_layout(header.plan_id)
        begun = await start_or_resume(
            self._client, header, self._options.settings, self._notices.notice, new=self._options.new, inputs=inputs
        )
        self._execution_id = begun.execution.execution_id
        screen = self._output.is_screen
        grid_rows = await grid_rows_of(self._client, header.plan_id) if screen else GridRows()
        thinking = screen if self._options.thinking is None else self._options.thinking
        async with reporter_for(self._output, grid_rows, HINT) as self._notices.reporter:
            self._cannot = await follow(
                self._client,
                self._execution_id,
                self._notices.reporter,
                thinking=thinking,
                wait=self._options.wait,
                alone=True,
                since=begun.before,
            )

    async def _stop_in_order(self) -> int:
        """Stops the execution, so that nothing is left half-done; the services drain when their context ends."""
        self._notices.reporter = None
        self._notices.notice("stopping in order; once more ends everything at once")
        if self._execution_id:
            ref = by_execution(self._execution_id)
            stopping = self._client.stop(ref, reason="stopped at the terminal")
            execution = await unless_ended(self._client, ref, stopping)
            if execution.state not in UNFINISHED:
                self._notices.notice(f"it had {state_name(execution.state)} by then: there was nothing to stop")
                return self._interrupts.exit_code
            again = self._options.again or f"signoff run {shlex.quote(self._options.plan)}"
            self._notices.notice(f"stopped with {execution.counts.done} signed off: `{again}` goes on from there")
        return self._interrupts.exit_code
