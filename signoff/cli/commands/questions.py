"""The commands that ask how executions stand, what they cost, and who works on them."""

from __future__ import annotations

from typing import Annotated

import typer

from signoff.cli.flag_groups import RunnerFlags
from signoff.cli.flags import Json, PlanName, TaskName, finish


def status(
    name: Annotated[
        str, typer.Argument(metavar="PLAN_ID", help="A plan or an execution; none: a list of executions.")
    ] = "",
    plan: Annotated[str, typer.Option("--plan", metavar="PLAN_ID", help="List the executions of this plan.")] = "",
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="List those that are running, failed, …; may be repeated."),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="List those created since: 2h, 3d, 2026-11-28T09:30.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="WHEN", help="List those created before that.")] = "",
    awaiting: Annotated[
        list[str] | None,
        typer.Option(
            "--awaiting",
            metavar="WHAT",
            help="List those that wait for a person, a budget or a retry; may be repeated.",
        ),
    ] = None,
    text: Annotated[str, typer.Option("--text", help="List those with this text in the idea or an id.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many executions to list, the newest first.")] = 100,
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """List the executions, or show the tasks of one."""
    from signoff.cli.remote import ask
    from signoff.cli.remote.listing import Filters
    from signoff.cli.show.output import CommandOutput

    filters = Filters(
        plan=plan,
        states=tuple(state or ()),
        since=since,
        until=until,
        limit=limit,
        awaiting=tuple(awaiting or ()),
        text=text,
    )
    if name and filters != Filters(limit=limit):
        raise typer.BadParameter(
            "expected PLAN_ID, or filters such as --plan, --state and --since for a list, but got both"
        )
    finish(ask.status(name, at.location, CommandOutput(json=json), filters))


def why(
    plan: PlanName,
    task: Annotated[str, typer.Argument(metavar="TASK_ID", help="None: every task that is not signed off.")] = "",
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Say why a task is not finished."""
    from signoff.cli.remote import ask
    from signoff.cli.show.output import CommandOutput

    finish(ask.why(plan, task, at.location, CommandOutput(json=json)))


def story(plan: PlanName, task: TaskName, *, at: RunnerFlags, json: Json = False) -> None:
    """Tell what happened to a task, from the beginning."""
    from signoff.cli.remote import ask
    from signoff.cli.show.output import CommandOutput

    finish(ask.story(plan, task, at.location, CommandOutput(json=json)))


def cost(
    plan: PlanName,
    by_task: Annotated[bool, typer.Option("--by-task", help="List each task as well.")] = False,
    top: Annotated[int, typer.Option(min=0, help="How many of the most expensive tasks to show.")] = 5,
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Show what an execution has cost, what a sign-off took, what was spent in vain, and what is left."""
    from signoff.cli.remote import cost as costs
    from signoff.cli.show.output import CommandOutput

    finish(costs.cost(plan, at.location, CommandOutput(json=json), by_task=by_task, top=top))


def workers(*, at: RunnerFlags, json: Json = False) -> None:
    """Show the connected workers."""
    from signoff.cli.remote import ask
    from signoff.cli.show.output import CommandOutput

    finish(ask.workers(at.location, CommandOutput(json=json)))
