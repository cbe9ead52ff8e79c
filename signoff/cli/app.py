"""The commands that start services or compile plans, and how an error becomes one line and an exit code."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from signoff.cli.flags import (
    DB,
    MARKUP,
    AllowCommands,
    Apps,
    BudgetCost,
    BudgetTokens,
    CanaryRate,
    DataDir,
    GraphForm,
    Json,
    JudgeModel,
    Limits,
    MaxFailures,
    Model,
    Models,
    New,
    NoInfer,
    NoPrompts,
    OnFailure,
    OutagePatience,
    OutputFile,
    PlanFile,
    PlanId,
    Prices,
    Processes,
    RollbackScope,
    Thinking,
    Ui,
    UiAddress,
    Wait,
    WorkerKind,
    finish,
)
from signoff.cli.remote.commands import remote
from signoff.display.visible_text import visible
from signoff.rpc.ports import PLANNER_ADDRESS, RUNNER_ADDRESS, UI_ADDRESS

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130  # exit codes

_WrongCommandLine: Any = typer.BadParameter.__base__  # click's UsageError, or that of the click within typer


class VisibleErrors(TyperGroup):
    """The group of all commands. The words that a wrong command line is refused with are visible ones."""

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        with _visible_words():
            return super().make_context(*arguments, **named)

    def invoke(self, *arguments: Any, **named: Any) -> Any:
        with _visible_words():
            return super().invoke(*arguments, **named)


@contextlib.contextmanager
def _visible_words() -> Iterator[None]:
    try:
        yield
    except _WrongCommandLine as error:
        error.message = visible(error.message)
        raise


app = typer.Typer(
    name="signoff",
    cls=VisibleErrors,
    help="Runs a plan of tasks. A result counts when a validator has signed it off.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=MARKUP,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from signoff.cli.show.output import CommandOutput

        CommandOutput().line(f"signoff {version('signoff')}")
        raise typer.Exit


@app.callback()
def signoff(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Runs a plan of tasks. A result counts when a validator has signed it off."""


@app.command()
def run(
    plan: PlanFile,
    model: Model = "",
    judge_model: JudgeModel = "",
    executors: Annotated[int, typer.Option(min=1, help="Tasks executed at once.")] = 7,
    validators: Annotated[int, typer.Option(min=1, help="Candidates judged at once.")] = 5,
    processes: Processes = 1,
    models: Models = None,
    prices: Prices = None,
    limits: Limits = None,
    app: Apps = None,
    allow_commands: AllowCommands = False,
    data_dir: DataDir = DB,
    plan_id: PlanId = "",
    no_infer: NoInfer = False,
    new: New = False,
    max_failures: MaxFailures = None,
    rollback_scope: RollbackScope = None,
    budget_tokens: BudgetTokens = None,
    budget_cost: BudgetCost = None,
    canary_rate: CanaryRate = None,
    outage_patience: OutagePatience = None,
    on_failure: OnFailure = None,
    no_prompts: NoPrompts = False,
    wait: Wait = False,
    ui: Ui = False,
    ui_address: UiAddress = "",
    thinking: Thinking = None,
    json: Json = False,
) -> None:
    """Compile a plan and run it to its end, with services of its own.

    Exits with 0 when everything is signed off, 1 when the execution failed or no worker can go on, 2 for bad input or
    configuration, 3 when it was paused, 130 after Ctrl-C, which stops in order: the same command goes on from there.
    """
    from signoff.cli.run.execution_settings import execution_settings
    from signoff.cli.run.page import PageOptions
    from signoff.cli.run.run import RunOptions
    from signoff.cli.run.run import run as run_plan
    from signoff.cli.show.output import CommandOutput
    from signoff.local.services import LocalSettings

    services = LocalSettings(
        data_dir=data_dir,
        executors=executors,
        validators=validators,
        processes=processes,
        model=model,
        judge_model=judge_model,
        models=models,
        prices=prices,
        limits=limits,
        apps=tuple(app or ()),
        allow_commands=allow_commands,
        stand_by=False,
    )
    options = RunOptions(
        plan=plan,
        services=services,
        plan_id=plan_id,
        infer=not no_infer,
        new=new,
        settings=execution_settings(
            max_failures,
            rollback_scope,
            budget_tokens,
            budget_cost,
            canary_rate,
            outage_patience,
            on_failure,
            keep_prompts=False if no_prompts else None,
        ),
        wait=wait,
        page=PageOptions(wanted=ui, address=ui_address),
        thinking=thinking,
        again=shlex.join(["signoff", *(word for word in sys.argv[1:] if word != "--new")]),
    )
    finish(run_plan(options, CommandOutput(json=json)))


@app.command()
def submit(
    plan: PlanFile,
    planner: Annotated[str, typer.Option("--planner", envvar="SIGNOFF_PLANNER", metavar="ADDRESS")] = PLANNER_ADDRESS,
    runner: Annotated[
        str, typer.Option("--runner", envvar="SIGNOFF_RUNNER", metavar="ADDRESS", help="Or several with commas.")
    ] = RUNNER_ADDRESS,
    plan_id: PlanId = "",
    no_infer: NoInfer = False,
    new: New = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not follow it.")] = False,
    max_failures: MaxFailures = None,
    rollback_scope: RollbackScope = None,
    budget_tokens: BudgetTokens = None,
    budget_cost: BudgetCost = None,
    canary_rate: CanaryRate = None,
    outage_patience: OutagePatience = None,
    on_failure: OnFailure = None,
    no_prompts: NoPrompts = False,
    wait: Wait = False,
    thinking: Thinking = None,
    json: Json = False,
) -> None:
    """Compile a plan and run it on services that are up already, such as those of `signoff serve`.

    Exits as `run` does. Ctrl-C ends the following, not the execution.
    """
    from signoff.cli.run import submit as submitting
    from signoff.cli.run.execution_settings import execution_settings
    from signoff.cli.show.output import CommandOutput

    options = submitting.SubmitOptions(
        plan=plan,
        planner=planner,
        runner=runner,
        plan_id=plan_id,
        infer=not no_infer,
        new=new,
        detach=detach,
        settings=execution_settings(
            max_failures,
            rollback_scope,
            budget_tokens,
            budget_cost,
            canary_rate,
            outage_patience,
            on_failure,
            keep_prompts=False if no_prompts else None,
        ),
        wait=wait,
        thinking=thinking,
    )
    finish(submitting.submit(options, CommandOutput(json=json)))


@app.command("compile")
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


@app.command()
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


@app.command()
def serve(
    data_dir: DataDir = DB,
    planner_address: Annotated[str, typer.Option(metavar="ADDRESS")] = PLANNER_ADDRESS,
    runner_address: Annotated[str, typer.Option(metavar="ADDRESS")] = RUNNER_ADDRESS,
    executors: Annotated[int, typer.Option(min=0, help="Tasks executed at once; 0: workers come from elsewhere.")] = 0,
    validators: Annotated[int, typer.Option(min=0, help="Candidates judged at once; 0: the same.")] = 0,
    processes: Processes = 1,
    model: Model = "",
    judge_model: JudgeModel = "",
    models: Models = None,
    prices: Prices = None,
    limits: Limits = None,
    app: Apps = None,
    allow_commands: AllowCommands = False,
    ui: Ui = False,
    ui_address: UiAddress = "",
    json: Json = False,
) -> None:
    """Run planner and runner, and workers when asked, until Ctrl-C."""
    from signoff.cli.run import serve as serving
    from signoff.cli.run.page import PageOptions
    from signoff.cli.show.output import CommandOutput
    from signoff.local.services import LocalSettings

    settings = LocalSettings(
        data_dir=data_dir,
        planner_address=planner_address,
        runner_address=runner_address,
        executors=executors,
        validators=validators,
        processes=processes,
        model=model,
        judge_model=judge_model,
        models=models,
        prices=prices,
        limits=limits,
        apps=tuple(app or ()),
        allow_commands=allow_commands,
    )
    page = PageOptions(wanted=ui, address=ui_address)
    finish(serving.serve(settings, CommandOutput(json=json), page))


@app.command()
def ui(
    planner: Annotated[str, typer.Option("--planner", envvar="SIGNOFF_PLANNER", metavar="ADDRESS")] = PLANNER_ADDRESS,
    runner: Annotated[
        str, typer.Option("--runner", envvar="SIGNOFF_RUNNER", metavar="ADDRESS", help="Or several with commas.")
    ] = RUNNER_ADDRESS,
    address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; anything but loopback needs a token.")
    ] = UI_ADDRESS,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with the token; else SIGNOFF_UI_TOKEN.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name besides loopback that leads here; may be repeated.")
    ] = None,
    prefix: Annotated[str, typer.Option(metavar="PATH", help="The path under which a proxy offers it.")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse whatever changes something.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Json = False,
) -> None:
    """Offer the page and the HTTP API of services that are up already, until Ctrl-C.

    docs/how-to/page.md tells more.
    """
    from signoff.cli.run import page
    from signoff.cli.show.output import CommandOutput

    settings = {
        "planner": planner,
        "runner": runner,
        "address": address,
        **({"token_file": token_file} if token_file else {}),
        **({"allow_host": ",".join(allow_host)} if allow_host else {}),
        **({"prefix": prefix} if prefix else {}),
        **({"read_only": True} if read_only else {}),
    }
    finish(page.ui(settings, CommandOutput(json=json), opens=open_))


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
def worker(context: typer.Context) -> None:
    """Run one worker until Ctrl-C, an executor unless told; `signoff worker --help` has its flags."""
    from signoff.cli.run import serve as serving

    serving.become_worker(context.args)


@app.command()
def conformance(
    address: Annotated[str, typer.Option(metavar="ADDRESS", help="Where the kit listens.")] = "127.0.0.1:0",
    role: Annotated[WorkerKind | None, typer.Option(help="What the worker must be. [default: as it says]")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A check, or a group of them; may be repeated.")
    ] = None,
    command: Annotated[
        str, typer.Option(metavar="LINE", help="How to start the worker; {address} is where the kit listens.")
    ] = "",
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long the worker may take to connect.")
    ] = 60,
    json: Json = False,
) -> None:
    """Check a worker, in whatever language, against the protocol.

    The kit is a runner that the worker connects to. Without --command, start the worker yourself. Exits with 0 when no
    check fails, 1 when one does, 2 when there is nothing to check. docs/reference/protocol.md explains every check.
    """
    from signoff.cli import conformance as conforming
    from signoff.cli.show.output import CommandOutput

    options = conforming.ConformanceOptions(
        address=address, role=role or "", only=only or (), command=command, wait=wait
    )
    finish(conforming.conformance(options, CommandOutput(json=json)))


app.add_typer(remote)


# ---------------------------------------------------------------- the end


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the program `signoff` and exits. An error that a user can mend is one line on standard error."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its own lines on standard error would tear the screen
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a plan in any script, on a terminal of any other
    sys.excepthook = _print_bug
    try:
        app(args=arguments, prog_name="signoff")
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - the border of the process: _exit_code sorts them all
        raise SystemExit(_exit_code(error)) from None
    raise SystemExit(0)


def _print_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Prints the story of a bug, whose message may quote a plan or a model."""
    sys.stderr.write(visible("".join(traceback.format_exception(kind, error, trace))))


def _exit_code(error: Exception) -> int:
    """Prints an error that is the user's or the machine's, and returns its exit code. Raises a bug again."""
    from signoff.errors import SignoffError
    from signoff.local.child import ServiceDied

    if not isinstance(error, SignoffError | OSError):
        raise error
    from signoff.cli.show.output import CommandOutput

    with contextlib.suppress(OSError):  # a full disk has no room for this either
        CommandOutput().note(str(error))
    return BAD_INPUT if isinstance(error, SignoffError) and not isinstance(error, ServiceDied) else FAILED
