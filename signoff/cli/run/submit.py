"""`signoff submit`: runs a plan on services that are up already, and follows it to its end."""

from __future__ import annotations

from dataclasses import dataclass

from signoff.cli.run.inputs import NO_FLAGS, InputFlags, read_inputs
from signoff.cli.run.plan_files import read_plan
from signoff.cli.run.start_execution import compile_on, refuse_unkept, start_or_resume
from signoff.cli.show.output import CommandOutput
from signoff.cli.watch.follow import HINT, follow, grid_rows_of, tell_ending
from signoff.cli.watch.reporters import reporter_for
from signoff.client.client import Client
from signoff.v1 import execution_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOptions:
    plan: str  #: a file, or "-"
    planner: str  #: addresses
    runner: str
    plan_id: str = ""  #: empty: made of the file's name
    infer: bool = True
    inputs: InputFlags = NO_FLAGS
    new: bool = False  #: start anew even when an execution of the same plan is unfinished
    detach: bool = False  #: do not follow it
    settings: pb.ExecutionSettings | None = None  #: None: as the plan says
    only: tuple[str, ...] = ()  #: tasks and groups: all that they need must be kept
    wait: bool = False  #: also while it is paused
    thinking: bool | None = None  #: None: on a terminal


async def submit(options: SubmitOptions, output: CommandOutput) -> int:
    """Runs a plan and follows it, and returns the exit code; with `detach`, 0 as soon as the execution runs."""
    plan_json = read_plan(options.plan)
    async with Client(planner=options.planner, runner=options.runner) as client:
        plan = await compile_on(
            client,
            plan_json,
            options.plan,
            output,
            plan_id=options.plan_id,
            infer=options.infer,
            names=bool(options.only),
        )
        header = plan.header
        inputs = await read_inputs(header, options.plan, options.inputs)
        await refuse_unkept(client, plan, options.settings, options.only, inputs)
        await client.set_layout(header.plan_id)
        begun = await start_or_resume(client, header, options.settings, output.note, new=options.new, inputs=inputs)
        execution = begun.execution
        if options.detach:
            return _detached(execution, output)
        async with reporter_for(output, await grid_rows_of(client, header.plan_id), HINT) as reporter:
            thinking = output.is_screen if options.thinking is None else options.thinking
            await follow(
                client,
                execution.execution_id,
                reporter,
                thinking=thinking,
                wait=options.wait,
                since=begun.before,
            )
        return await tell_ending(client, execution.execution_id, output, None)


def _detached(execution: pb.Execution, output: CommandOutput) -> int:
    if output.json:
        output.record({"event": "started", "plan_id": execution.plan_id, "execution_id": execution.execution_id})
    else:
        output.line(
            f"{execution.plan_id} runs as {execution.execution_id}: `signoff watch {execution.plan_id}` follows"
        )
    return 0
