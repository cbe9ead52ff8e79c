"""The commands that ask or control a runner that is there already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signoff.cli.flags import (
    DB,
    MARKUP,
    By,
    DataDir,
    Json,
    PlanName,
    Reason,
    ResultFile,
    ResultOutput,
    Runner,
    TaskName,
    Thinking,
    WorkPhase,
    Yes,
    finish,
)

if TYPE_CHECKING:
    from signoff.cli.remote.find_runner import RunnerLocation

remote = typer.Typer(rich_markup_mode=MARKUP)


def _where(runner: str, data_dir: Path) -> RunnerLocation:
    from signoff.cli.remote.find_runner import RunnerLocation

    return RunnerLocation(runner=runner, data_dir=data_dir)


# ---------------------------------------------------------------- questions


@remote.command()
def watch(
    plan: PlanName,
    thinking: Thinking = None,
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Follow an execution to its end. Exits as `run` does."""
    from signoff.cli.show.output import CommandOutput
    from signoff.cli.watch import follow as following

    finish(following.watch(plan, _where(runner, data_dir), CommandOutput(json=json), thinking=thinking))


@remote.command()
def top(
    name: Annotated[
        str, typer.Argument(metavar="PLAN_ID", help="A plan or an execution. [default: the newest execution]")
    ] = "",
    plan: Annotated[str, typer.Option("--plan", metavar="PLAN_ID", help="The newest execution of this plan.")] = "",
    execution: Annotated[str, typer.Option("--execution", metavar="ID", help="This execution.")] = "",
    runner: Runner = "",
    data_dir: DataDir = DB,
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
    finish(command.top("".join(named), _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
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
    runner: Runner = "",
    data_dir: DataDir = DB,
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
    finish(ask.status(name, _where(runner, data_dir), CommandOutput(json=json), filters))


@remote.command()
def why(
    plan: PlanName,
    task: Annotated[str, typer.Argument(metavar="TASK_ID", help="None: every task that is not signed off.")] = "",
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Say why a task is not finished."""
    from signoff.cli.remote import ask
    from signoff.cli.show.output import CommandOutput

    finish(ask.why(plan, task, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def story(plan: PlanName, task: TaskName, runner: Runner = "", data_dir: DataDir = DB, json: Json = False) -> None:
    """Tell what happened to a task, from the beginning."""
    from signoff.cli.remote import ask
    from signoff.cli.show.output import CommandOutput

    finish(ask.story(plan, task, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def artifact(
    plan: PlanName,
    task: TaskName,
    output: ResultOutput = None,
    file: ResultFile = "",
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Print what a signed-off task made: its very bytes, or on a terminal a text with unseen characters written out.

    Of a result with files it prints a table of them.
    """
    from signoff.cli.remote import artifact as artifacts
    from signoff.cli.remote.result_files import Wanted
    from signoff.cli.show.output import CommandOutput

    wanted = Wanted(output=output, path=file)
    finish(artifacts.artifact(plan, task, wanted, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def candidate(
    plan: PlanName,
    task: TaskName,
    attempt: Annotated[
        int | None,
        typer.Option(
            min=1, max=4294967295, help="The attempt that made it. [default: the one that waits, else the last]"
        ),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="How it differs from that of the attempt before.")] = False,
    output: ResultOutput = None,
    file: ResultFile = "",
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Print what an attempt made, also when it waits for a verdict or was rejected; on a terminal as `artifact` does.

    Facts about it go to standard error: its state, the verdict on each criterion, and inputs its model was not shown.
    """
    from signoff.cli.remote import candidate as candidates
    from signoff.cli.remote.result_files import Wanted
    from signoff.cli.show.output import CommandOutput

    wanted = Wanted(output=output, path=file)
    finish(candidates.candidate(plan, task, attempt, diff, wanted, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def export(
    plan: PlanName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="The folder to write.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="TASK_ID", help="Only this task or group; may be repeated.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also write over files that are no part of an earlier export.")
    ] = False,
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Write all signed-off results into a folder, with names for people, and index.json with their digests.

    Into the folder of an earlier export it writes what has changed, and removes what is no result any more. Files that
    a person has changed, or put there, stay: the command ends before it writes anything.
    """
    from signoff.cli.remote.export import export as exports
    from signoff.cli.show.output import CommandOutput

    options = exports.ExportOptions(folder=output, only=tuple(only or ()), force=force)
    finish(exports.export(plan, options, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def prompt(
    plan: PlanName,
    task: TaskName,
    attempt: Annotated[
        int | None,
        typer.Option(min=1, max=4294967295, help="The attempt that asked. [default: the last that has prompts]"),
    ] = None,
    phase: Annotated[
        WorkPhase | None, typer.Option(help="Of the executor, or of the validator. [default: both]")
    ] = None,
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Print what models were asked in an attempt. A judge's prompt is there once its verdict is.

    Prompts are kept without secrets of the workers, unless the run was started with --no-prompts.
    """
    from signoff.cli.remote import prompt as prompts
    from signoff.cli.show.output import CommandOutput

    finish(prompts.prompt(plan, task, attempt, phase, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def thinking(plan: PlanName, task: TaskName, runner: Runner = "", data_dir: DataDir = DB, json: Json = False) -> None:
    """Print the last that the worker at work on a task has thought aloud: 64 KiB at most.

    `signoff watch --thinking` goes on from there.
    """
    from signoff.cli.remote import prompt as prompts
    from signoff.cli.show.output import CommandOutput

    finish(prompts.thinking(plan, task, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def cost(
    plan: PlanName,
    by_task: Annotated[bool, typer.Option("--by-task", help="List each task as well.")] = False,
    top: Annotated[int, typer.Option(min=0, help="How many of the most expensive tasks to show.")] = 5,
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Show what an execution has cost, what a sign-off took, what was spent in vain, and what is left."""
    from signoff.cli.remote import cost as costs
    from signoff.cli.show.output import CommandOutput

    finish(costs.cost(plan, _where(runner, data_dir), CommandOutput(json=json), by_task=by_task, top=top))


@remote.command()
def workers(runner: Runner = "", data_dir: DataDir = DB, json: Json = False) -> None:
    """Show the connected workers."""
    from signoff.cli.remote import ask
    from signoff.cli.show.output import CommandOutput

    finish(ask.workers(_where(runner, data_dir), CommandOutput(json=json)))


# ---------------------------------------------------------------- control


@remote.command()
def pause(plan: PlanName, reason: Reason = "", runner: Runner = "", data_dir: DataDir = DB, json: Json = False) -> None:
    """Assign nothing new; what runs goes on."""
    from signoff.cli.remote import control
    from signoff.cli.show.output import CommandOutput

    finish(control.pause(plan, reason, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def resume(plan: PlanName, runner: Runner = "", data_dir: DataDir = DB, json: Json = False) -> None:
    """Go on after a pause or a stop."""
    from signoff.cli.remote import control
    from signoff.cli.show.output import CommandOutput

    finish(control.resume(plan, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def stop(plan: PlanName, reason: Reason = "", runner: Runner = "", data_dir: DataDir = DB, json: Json = False) -> None:
    """Cancel what runs; a resume goes on from there."""
    from signoff.cli.remote import control
    from signoff.cli.show.output import CommandOutput

    finish(control.stop(plan, reason, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def budget(
    plan: PlanName,
    task: Annotated[str, typer.Argument(metavar="TASK_ID", help="A task or a group; none: the whole execution.")] = "",
    tokens: Annotated[int | None, typer.Option(min=0, help="Input and output tokens together.")] = None,
    cost: Annotated[float | None, typer.Option(min=0, help="In the currency of the runner's price table.")] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Lift the bounds.")] = False,
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Show the budgets, or set one: --tokens, --cost or both. The one that is left out is unlimited."""
    from signoff.cli.remote import ask, control
    from signoff.cli.show.output import CommandOutput

    # guard: a look at a budget changes nothing -> if False:
    if tokens is None and cost is None and not unlimited:
        finish(ask.budgets(plan, task, _where(runner, data_dir), CommandOutput(json=json)))
    if unlimited and not (tokens is None and cost is None):
        raise typer.BadParameter("expected --unlimited, or --tokens and --cost, but got both")
    finish(control.set_budget(plan, task, tokens, cost, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def approve(
    plan: PlanName,
    task: TaskName,
    reason: Reason = "",
    by: By = "",
    yes: Yes = False,
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Sign off a candidate that waits for a person's verdict: shows it, and asks.

    Exits with 1 when the answer is not yes. Exits with 2 when no candidate waits, when another one waits by then, or
    when there is neither a terminal nor --yes.
    """
    _judge(plan, task, True, reason, by, yes, runner, data_dir, json)


@remote.command()
def reject(
    plan: PlanName,
    task: TaskName,
    reason: Annotated[str, typer.Option(help="What to mend: the next attempt reads it.")],
    by: By = "",
    yes: Yes = False,
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Reject a candidate that waits for a person's verdict: shows it, and asks. Exits as `approve` does."""
    _judge(plan, task, False, reason, by, yes, runner, data_dir, json)


def _judge(
    plan: str, task: str, passes: bool, reason: str, by: str, yes: bool, runner: str, data_dir: Path, json: bool
) -> None:
    from signoff.cli.remote import judge as judging
    from signoff.cli.show.output import CommandOutput

    verdict = judging.TypedVerdict(passes=passes, reason=reason, by=by, yes=yes)
    raise typer.Exit(judging.judge(plan, task, verdict, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def retry(plan: PlanName, task: TaskName, runner: Runner = "", data_dir: DataDir = DB, json: Json = False) -> None:
    """Run a task again, with everything downstream of it."""
    from signoff.cli.remote import control
    from signoff.cli.show.output import CommandOutput

    finish(control.retry(plan, task, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def prune(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="How long ago they must have come to rest: 12h, 30d, 8w.")
    ],
    keep_last: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The newest so many of each plan stay.")] = 0,
    keep_artifacts: Annotated[
        bool, typer.Option("--keep-artifacts", help="Keep them with their artifacts; only their history goes.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Prune without a question.")] = False,
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Remove executions that succeeded, failed or were stopped long ago, and contents that nothing refers to.

    Tells what would go, and asks. The runner goes on with its work. Exits with 1 when the answer is not yes.
    """
    from signoff.cli.remote import prune as pruning
    from signoff.cli.show.output import CommandOutput

    options = pruning.PruneOptions(
        older_than=older_than, keep_last=keep_last, keep_artifacts=keep_artifacts, dry_run=dry_run, yes=yes
    )
    raise typer.Exit(pruning.prune(options, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write, such as signoff.tar.")],
    runner: Runner = "",
    data_dir: DataDir = DB,
    json: Json = False,
) -> None:
    """Write an archive of all that the runner keeps, and of the plans on --data-dir. The work goes on meanwhile.

    `signoff restore` opens it elsewhere. The file has its name only once it is whole.
    """
    from signoff.cli.archive import backup as backing
    from signoff.cli.show.output import CommandOutput

    finish(backing.backup(file, _where(runner, data_dir), CommandOutput(json=json)))


@remote.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive of `signoff backup`.")],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="A new data directory, or an empty folder.")],
    json: Json = False,
) -> None:
    """Fill a new data directory from an archive; with SIGNOFF_RUNNER_STORE, a new database as well.

    The whole archive is checked first.
    """
    from signoff.cli.archive import restore as restoring
    from signoff.cli.show.output import CommandOutput

    raise typer.Exit(restoring.restore(file, into, CommandOutput(json=json)))
