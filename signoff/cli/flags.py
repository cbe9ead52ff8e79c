"""The arguments and flags that several commands share, and how a command ends with its exit code."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

# Boxes are for terminals; a pipe gets the plain text of the help.
MARKUP: Literal["rich"] | None = "rich" if sys.stdout.isatty() else None


IS_PATH = "a path"  # marks a flag whose text is or has a path, which may be any bytes


class WhenItFails(StrEnum):
    CONTINUE = "continue"
    STOP = "stop"


class Scope(StrEnum):
    DOWNSTREAM = "downstream"
    PRODUCERS = "producers"


class WorkPhase(StrEnum):
    EXECUTE = "execute"
    VALIDATE = "validate"


class WorkerKind(StrEnum):
    EXECUTOR = "executor"
    VALIDATOR = "validator"


class GraphForm(StrEnum):
    TEXT = "text"
    MERMAID = "mermaid"


PlanFile = Annotated[str, typer.Argument(metavar="PLAN", help="A plan file; - is standard input."), IS_PATH]
PlanName = Annotated[
    str, typer.Argument(metavar="PLAN_ID", help="A plan's id (its newest execution) or an execution's.")
]
TaskName = Annotated[str, typer.Argument(metavar="TASK_ID")]
OutputFile = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="A file, pipe or device, instead of standard output."),
    IS_PATH,
]
ResultOutput = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        help="A file, pipe or device, instead of standard output; of a result with files, a folder for all of them.",
    ),
    IS_PATH,
]
ResultFile = Annotated[
    str, typer.Option("--file", metavar="PATH", help="One file of a result with files, instead of a list of them.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="SIGNOFF_DATA_DIR", help="Where everything is kept.", show_default=True)
]
Runner = Annotated[
    str,
    typer.Option(
        "--runner",
        envvar="SIGNOFF_RUNNER",
        metavar="ADDRESS",
        help="host:port, or several with commas; else the one on --data-dir is found.",
    ),
]
PlannerAt = Annotated[str, typer.Option("--planner", envvar="SIGNOFF_PLANNER", metavar="ADDRESS")]
RunnersAt = Annotated[
    str, typer.Option("--runner", envvar="SIGNOFF_RUNNER", metavar="ADDRESS", help="Or several with commas.")
]
Model = Annotated[
    str,
    typer.Option("--model", metavar="NAME", help="mock (built in, offline), or one of an OpenAI-compatible endpoint."),
]
JudgeModel = Annotated[str, typer.Option("--judge-model", metavar="NAME", help="The validators' model; as --model.")]
Models = Annotated[
    Path | None, typer.Option("--models", metavar="FILE", help="Models and their settings; docs/how-to/models.md.")
]
Prices = Annotated[
    Path | None, typer.Option("--prices", metavar="FILE", help="What models cost; docs/reference/costs.md.")
]
Limits = Annotated[
    Path | None, typer.Option("--limits", metavar="FILE", help="What models take a minute; docs/reference/costs.md.")
]
BudgetTokens = Annotated[
    int | None, typer.Option("--budget-tokens", min=0, help="Tokens that the execution may spend.")
]
BudgetCost = Annotated[
    float | None,
    typer.Option("--budget-cost", min=0, help="What the execution may cost, in the price table's currency."),
]
OutagePatience = Annotated[
    float | None,
    typer.Option(
        "--outage-patience", min=0, help="Seconds that work waits for a model that is away, before it is paused: 900."
    ),
]
OnFailure = Annotated[
    WhenItFails | None,
    typer.Option(
        "--on-failure",
        help="When a task fails for good: go on with the rest, or stop at once. [default: as the plan says]",
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Do every task anew, whatever earlier executions of the plan have signed off.")
]
FreshTasks = Annotated[
    list[str] | None,
    typer.Option("--fresh-task", metavar="TASK_ID", help="Do this task or group anew; may be repeated."),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input", metavar="NAME=PATH", help="A file, a pattern or a folder for an input of the plan; may be repeated."
    ),
    IS_PATH,
]
SetInputs = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A text or JSON for an input of the plan; may be repeated."),
]
FromTasks = Annotated[
    list[str] | None,
    typer.Option(
        "--from", metavar="TASK_ID", help="Do this task or group anew, and all that depends on it; may be repeated."
    ),
]
UntilTasks = Annotated[
    list[str] | None,
    typer.Option("--until", metavar="TASK_ID", help="Do only this task or group, and what it needs; may be repeated."),
]
OnlyTasks = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="TASK_ID", help="The same, and end at once unless all that it needs is kept; may be repeated."
    ),
]
FreshPrompts = Annotated[
    bool, typer.Option("--fresh-prompts", help="Keep nothing that was made or judged with other versions of prompts.")
]
CanaryRate = Annotated[
    float | None, typer.Option("--canary-rate", min=0, max=1, help="Canaries for each candidate judged: 0.1.")
]
Apps = Annotated[
    list[str] | None,
    typer.Option("--app", metavar="MODULE:ATTR", help="Functions of your own, for the workers; may be repeated."),
]
AllowCommands = Annotated[
    bool, typer.Option("--allow-commands", help="Let workers run the programs that the plan names, as you.")
]
New = Annotated[bool, typer.Option("--new", help="Start anew even when an execution is unfinished.")]
MaxFailures = Annotated[
    int | None, typer.Option("--max-failures", min=1, help="Before a task is rolled back or given up: 3.")
]
RollbackScope = Annotated[
    Scope | None, typer.Option("--rollback-scope", help="What a rollback takes back besides the task.")
]
PlanId = Annotated[
    str, typer.Option("--plan-id", metavar="ID", help="The plan's id. [default: made of the file's name]")
]
NoInfer = Annotated[bool, typer.Option("--no-infer", help="Do not wait for producers of artifacts that are read.")]
Reason = Annotated[str, typer.Option("--reason", help="Shown by `signoff status` and `signoff why`.")]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="The name of the person. [default: the name of the account]")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Give the verdict without a question.")]
Processes = Annotated[int, typer.Option("--processes", min=1, help="Of each role; they share its slots.")]
Ui = Annotated[bool, typer.Option("--ui", help="Also offer the page, and print its URL.")]
UiAddress = Annotated[
    str, typer.Option("--ui-address", metavar="ADDRESS", help="Where the page is; as --ui. [default: 127.0.0.1:8300]")
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait also while it is paused, and for workers that are started elsewhere.")
]
Thinking = Annotated[
    bool | None, typer.Option("--thinking/--no-thinking", help="Show what workers think. [default: on a terminal]")
]

NoPrompts = Annotated[
    bool, typer.Option("--no-prompts", help="Keep no prompts: `signoff prompt` has nothing to show then.")
]

DB = Path("db")


def finish(command: Coroutine[Any, Any, int]) -> NoReturn:
    """Runs a command to its exit code."""
    import asyncio

    raise typer.Exit(asyncio.run(command))
