"""The commands that follow an execution to its end."""

from __future__ import annotations

from typing import Annotated

import typer

from signoff.cli.flag_groups import RunnerFlags
from signoff.cli.flags import Json, PlanName, Thinking, finish


def watch(
    plan: PlanName,
    thinking: Thinking = None,
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Follow an execution to its end. Exits as `run` does."""
    from signoff.cli.show.output import CommandOutput
    from signoff.cli.watch import follow as following

    finish(following.watch(plan, at.location, CommandOutput(json=json), thinking=thinking))


def top(
    name: Annotated[
        str, typer.Argument(metavar="PLAN_ID", help="A plan or an execution. [default: the newest execution]")
    ] = "",
    plan: Annotated[str, typer.Option("--plan", metavar="PLAN_ID", help="The newest execution of this plan.")] = "",
    execution: Annotated[str, typer.Option("--execution", metavar="ID", help="This execution.")] = "",
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Watch and steer a run on the whole terminal: tasks, thinking, workers; `?` shows the keys.

    Without a terminal, and with --json, it follows the execution as `watch` does. Quitting leaves the execution alone.
    """
    from signoff.cli.show.output import CommandOutput
    from signoff.cli.top import command

    named = [word for word in (name, plan, execution) if word]
    if len(named) > 1:
        raise typer.BadParameter("expected one of PLAN_ID, --plan and --execution, but got several")
    finish(command.top("".join(named), at.location, CommandOutput(json=json)))
