"""The commands that steer an execution."""

from __future__ import annotations

from typing import Annotated

import typer

from signoff.cli.flag_groups import RunnerFlags
from signoff.cli.flags import Json, PlanName, Reason, TaskName, finish


def pause(plan: PlanName, reason: Reason = "", *, at: RunnerFlags, json: Json = False) -> None:
    """Assign nothing new; what runs goes on."""
    from signoff.cli.remote import control
    from signoff.cli.show.output import CommandOutput

    finish(control.pause(plan, reason, at.location, CommandOutput(json=json)))


def resume(plan: PlanName, *, at: RunnerFlags, json: Json = False) -> None:
    """Go on after a pause or a stop."""
    from signoff.cli.remote import control
    from signoff.cli.show.output import CommandOutput

    finish(control.resume(plan, at.location, CommandOutput(json=json)))


def stop(plan: PlanName, reason: Reason = "", *, at: RunnerFlags, json: Json = False) -> None:
    """Cancel what runs; a resume goes on from there."""
    from signoff.cli.remote import control
    from signoff.cli.show.output import CommandOutput

    finish(control.stop(plan, reason, at.location, CommandOutput(json=json)))


def budget(
    plan: PlanName,
    task: Annotated[str, typer.Argument(metavar="TASK_ID", help="A task or a group; none: the whole execution.")] = "",
    tokens: Annotated[int | None, typer.Option(min=0, help="Input and output tokens together.")] = None,
    cost: Annotated[float | None, typer.Option(min=0, help="In the currency of the runner's price table.")] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Lift the bounds.")] = False,
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Show the budgets, or set one: --tokens, --cost or both. The one that is left out is unlimited."""
    from signoff.cli.remote import ask, control
    from signoff.cli.show.output import CommandOutput

    # guard: a look at a budget changes nothing -> if False:
    if tokens is None and cost is None and not unlimited:
        finish(ask.budgets(plan, task, at.location, CommandOutput(json=json)))
    if unlimited and not (tokens is None and cost is None):
        raise typer.BadParameter("expected --unlimited, or --tokens and --cost, but got both")
    finish(control.set_budget(plan, task, tokens, cost, at.location, CommandOutput(json=json)))


def retry(plan: PlanName, task: TaskName, *, at: RunnerFlags, json: Json = False) -> None:
    """Run a task again, with everything downstream of it."""
    from signoff.cli.remote import control
    from signoff.cli.show.output import CommandOutput

    finish(control.retry(plan, task, at.location, CommandOutput(json=json)))
