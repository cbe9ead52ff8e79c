"""The commands that show and write what tasks have made, and what models were asked and thought."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signoff.cli.flag_groups import RunnerFlags
from signoff.cli.flags import Json, PlanName, ResultFile, ResultOutput, TaskName, WorkPhase, finish


def artifact(
    plan: PlanName,
    task: TaskName,
    output: ResultOutput = None,
    file: ResultFile = "",
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Print what a signed-off task made: its very bytes, or on a terminal a text with unseen characters written out.

    Of a result with files it prints a table of them.
    """
    from signoff.cli.remote import artifact as artifacts
    from signoff.cli.remote.result_files import Wanted
    from signoff.cli.show.output import CommandOutput

    wanted = Wanted(output=output, path=file)
    finish(artifacts.artifact(plan, task, wanted, at.location, CommandOutput(json=json)))


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
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Print what an attempt made, also when it waits for a verdict or was rejected; on a terminal as `artifact` does.

    Facts about it go to standard error: its state, the verdict on each criterion, and inputs its model was not shown.
    """
    from signoff.cli.remote import candidate as candidates
    from signoff.cli.remote.result_files import Wanted
    from signoff.cli.show.output import CommandOutput

    wanted = Wanted(output=output, path=file)
    finish(candidates.candidate(plan, task, attempt, diff, wanted, at.location, CommandOutput(json=json)))


def export(
    plan: PlanName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="The folder to write.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="TASK_ID", help="Only this task or group; may be repeated.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also write over files that are no part of an earlier export.")
    ] = False,
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Write all signed-off results into a folder, with names for people, and index.json with their digests.

    Into the folder of an earlier export it writes what has changed, and removes what is no result any more. Files that
    a person has changed, or put there, stay: the command ends before it writes anything.
    """
    from signoff.cli.remote.export import export as exports
    from signoff.cli.show.output import CommandOutput

    options = exports.ExportOptions(folder=output, only=tuple(only or ()), force=force)
    finish(exports.export(plan, options, at.location, CommandOutput(json=json)))


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
    *,
    at: RunnerFlags,
    json: Json = False,
) -> None:
    """Print what models were asked in an attempt. A judge's prompt is there once its verdict is.

    Prompts are kept without secrets of the workers, unless the run was started with --no-prompts.
    """
    from signoff.cli.remote import prompt as prompts
    from signoff.cli.show.output import CommandOutput

    finish(prompts.prompt(plan, task, attempt, phase, at.location, CommandOutput(json=json)))


def thinking(plan: PlanName, task: TaskName, *, at: RunnerFlags, json: Json = False) -> None:
    """Print the last that the worker at work on a task has thought aloud: 64 KiB at most.

    `signoff watch --thinking` goes on from there.
    """
    from signoff.cli.remote import prompt as prompts
    from signoff.cli.show.output import CommandOutput

    finish(prompts.thinking(plan, task, at.location, CommandOutput(json=json)))
