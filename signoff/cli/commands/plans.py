"""The commands that compile a plan, run it, or show it."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

import typer

from signoff.cli.flag_groups import PageFlags, PlanFlags, SelectionFlags, SettingFlags, WorkerFlags
from signoff.cli.flags import (
    DB,
    AllowCommands,
    Apps,
    DataDir,
    GraphForm,
    Json,
    JudgeModel,
    Model,
    Models,
    New,
    NoInfer,
    OutputFile,
    PlanFile,
    PlanId,
    PlannerAt,
    Processes,
    RunnersAt,
    Thinking,
    Wait,
    finish,
)
from signoff.rpc.ports import PLANNER_ADDRESS, RUNNER_ADDRESS


def run(
    plan: PlanFile,
    model: Model = "",
    judge_model: JudgeModel = "",
    executors: Annotated[int, typer.Option(min=1, help="Tasks executed at once.")] = 7,
    validators: Annotated[int, typer.Option(min=1, help="Candidates judged at once.")] = 5,
    processes: Processes = 1,
    *,
    workers: WorkerFlags,
    data_dir: DataDir = DB,
    reading: PlanFlags,
    new: New = False,
    settings: SettingFlags,
    selection: SelectionFlags,
    wait: Wait = False,
    page: PageFlags,
    thinking: Thinking = None,
    json: Json = False,
) -> None:
    """Compile a plan and run it to its end, with services of its own.

    Exits with 0 when everything is signed off, 1 when the execution failed or no worker can go on, 2 for bad input or
    configuration, 3 when it was paused, 130 after Ctrl-C, which stops in order: the same command goes on from there.
    """
    from signoff.cli.run import run as running
    from signoff.cli.run.execution_settings import execution_settings
    from signoff.cli.run.inputs import given_inputs
    from signoff.cli.show.output import CommandOutput
    from signoff.local.services import LocalSettings

    services = LocalSettings(
        data_dir=data_dir,
        executors=executors,
        validators=validators,
        processes=processes,
        model=model,
        judge_model=judge_model,
        models=workers.models,
        prices=workers.prices,
        limits=workers.limits,
        apps=tuple(workers.app or ()),
        allow_commands=workers.allow_commands,
        stand_by=False,
    )
    options = running.RunOptions(
        plan=plan,
        services=services,
        plan_id=reading.plan_id,
        infer=not reading.no_infer,
        inputs=given_inputs(reading),
        new=new,
        settings=execution_settings(settings, selection),
        only=tuple(selection.only or ()),
        wait=wait,
        page=page,
        thinking=thinking,
        again=shlex.join(["signoff", *(word for word in sys.argv[1:] if word != "--new")]),
    )
    finish(running.run(options, CommandOutput(json=json)))


def submit(
    plan: PlanFile,
    planner: PlannerAt = PLANNER_ADDRESS,
    runner: RunnersAt = RUNNER_ADDRESS,
    *,
    reading: PlanFlags,
    new: New = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not follow it.")] = False,
    settings: SettingFlags,
    selection: SelectionFlags,
    wait: Wait = False,
    thinking: Thinking = None,
    json: Json = False,
) -> None:
    """Compile a plan and run it on services that are up already, such as those of `signoff serve`.

    Exits as `run` does. Ctrl-C ends the following, not the execution.
    """
    from signoff.cli.run import submit as submitting
    from signoff.cli.run.execution_settings import execution_settings
    from signoff.cli.run.inputs import given_inputs
    from signoff.cli.show.output import CommandOutput

    options = submitting.SubmitOptions(
        plan=plan,
        planner=planner,
        runner=runner,
        plan_id=reading.plan_id,
        infer=not reading.no_infer,
        inputs=given_inputs(reading),
        new=new,
        detach=detach,
        settings=execution_settings(settings, selection),
        only=tuple(selection.only or ()),
        wait=wait,
        thinking=thinking,
    )
    finish(submitting.submit(options, CommandOutput(json=json)))


def diff(
    plan: PlanFile,
    model: Model = "",
    judge_model: JudgeModel = "",
    models: Models = None,
    app: Apps = None,
    allow_commands: AllowCommands = False,
    data_dir: DataDir = DB,
    *,
    reading: PlanFlags,
    selection: SelectionFlags,
    json: Json = False,
) -> None:
    """Show what `run` would keep of earlier executions of a plan, what it would do, and why. Runs nothing.

    Give it the flags that `run` gets: another model is a change as well.
    """
    from signoff.cli.run.diff import DiffOptions
    from signoff.cli.run.diff import diff as show_diff
    from signoff.cli.run.execution_settings import execution_settings
    from signoff.cli.run.inputs import given_inputs
    from signoff.cli.show.output import CommandOutput
    from signoff.local.services import LocalSettings

    services = LocalSettings(
        data_dir=data_dir,
        executors=1,
        validators=1,
        model=model,
        judge_model=judge_model,
        models=models,
        apps=tuple(app or ()),
        allow_commands=allow_commands,
        stand_by=False,
    )
    options = DiffOptions(
        plan=plan,
        services=services,
        plan_id=reading.plan_id,
        infer=not reading.no_infer,
        inputs=given_inputs(reading),
        settings=execution_settings(SettingFlags(), selection),
    )
    finish(show_diff(options, CommandOutput(json=json)))


def compile_plan(
    plan: PlanFile,
    output: OutputFile = None,
    plan_id: PlanId = "",
    no_infer: NoInfer = False,
    json: Annotated[bool, typer.Option("--json", help="Diagnostics as one JSON object a line.")] = False,
) -> None:
    """Print a plan's execution.json; needs no service.

    Diagnostics go to standard error. Exits with 2 when a diagnostic is an error.
    """
    from signoff.cli.run import compile_plan as compiling
    from signoff.cli.show.output import CommandOutput

    raise typer.Exit(
        compiling.compile_plan(plan, output, CommandOutput(json=json), plan_id=plan_id, infer=not no_infer)
    )


def graph(
    plan: PlanFile,
    form: Annotated[
        GraphForm, typer.Option("--format", help="Lines for a terminal, or a flowchart of Mermaid.")
    ] = GraphForm.TEXT,
    classes: Annotated[
        bool, typer.Option("--classes/--no-classes", help="Show equal tasks as one, with their count.")
    ] = True,
    output: OutputFile = None,
    no_infer: NoInfer = False,
    json: Annotated[
        bool, typer.Option("--json", help="The layout as one JSON object, and so each diagnostic.")
    ] = False,
) -> None:
    """Show a plan's stages, groups, and what each task waits for; needs no service.

    Diagnostics go to standard error. Exits with 2 when a diagnostic is an error.
    """
    from signoff.cli.graph.graph_plan import graph_plan
    from signoff.cli.show.output import CommandOutput

    raise typer.Exit(graph_plan(plan, output, CommandOutput(json=json), form=form, classes=classes, infer=not no_infer))
