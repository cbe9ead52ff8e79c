"""`signoff diff`: what a start would keep of earlier executions, what it would do, and why."""

from __future__ import annotations

from dataclasses import dataclass

from signoff.cli.run.inputs import NO_FLAGS, InputFlags, read_inputs
from signoff.cli.run.plan_files import plan_id_in, read_plan
from signoff.cli.run.run import PATIENCE, NoticeWriter, require_models, until_workers_are_there
from signoff.cli.run.start_execution import compile_on
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.previews import show_preview
from signoff.client.client import Client
from signoff.local.services import LocalSettings
from signoff.local.sharing import SharedServices
from signoff.v1 import execution_pb2 as pb

MOST_TASKS = 5000  # that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOptions:
    plan: str  #: a file, or "-"
    services: LocalSettings
    plan_id: str = ""  #: empty: made of the file's name
    infer: bool = True
    inputs: InputFlags = NO_FLAGS
    settings: pb.ExecutionSettings | None = None  #: None: as the plan says


async def diff(options: DiffOptions, output: CommandOutput) -> int:
    """Prints what a start would do, and returns the exit code."""
    plan_json = read_plan(options.plan)
    require_models(options.services)
    plan_id = options.plan_id or plan_id_in(options.services.data_dir, options.plan)
    services = SharedServices(options.services, NoticeWriter(output).notice)
    async with (
        services,
        Client(planner=services.planner_address, runner=services.runner_address, patience=PATIENCE) as client,
    ):
        plan = await compile_on(client, plan_json, options.plan, output, plan_id=plan_id, infer=options.infer)
        inputs = await read_inputs(plan.header, options.plan, options.inputs)
        await until_workers_are_there(client, services, options.services)
        found = await client.preview(plan.header.plan_id, options.settings, at_most=MOST_TASKS, inputs=inputs.given)
    show_preview(found, output)
    return 0
