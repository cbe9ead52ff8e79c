"""The commands with which a person gives a verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from signoff.cli.flag_groups import RunnerFlags
from signoff.cli.flags import By, Json, PlanName, Reason, TaskName, Yes


def approve(
    plan: PlanName,
    task: TaskName,
    reason: Reason = "",
    by: By = "",
    yes: Yes = False,
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Sign off a candidate that waits for a person's verdict: shows it, and asks.

    Exits with 1 when the answer is not yes. Exits with 2 when no candidate waits, when another one waits by then, or
    when there is neither a terminal nor --yes.
    """
    _judge(plan, task, True, reason, by, yes, at, json)


def reject(
    plan: PlanName,
    task: TaskName,
    reason: Annotated[str, typer.Option(help="What to mend: the next attempt reads it.")],
    by: By = "",
    yes: Yes = False,
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Reject a candidate that waits for a person's verdict: shows it, and asks. Exits as `approve` does."""
    _judge(plan, task, False, reason, by, yes, at, json)


def _judge(plan: str, task: str, passes: bool, reason: str, by: str, yes: bool, at: RunnerFlags, json: bool) -> None:
    from signoff.cli.remote import judge as judging
    from signoff.cli.show.output import CommandOutput

    verdict = judging.TypedVerdict(passes=passes, reason=reason, by=by, yes=yes)
    raise typer.Exit(judging.judge(plan, task, verdict, at.location, CommandOutput(json=json)))
