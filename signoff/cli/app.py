"""The program `signoff`: its commands, and how an error becomes one line and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from signoff.cli.commands import control, follow, keeping, plans, questions, results, services, verdicts
from signoff.cli.flag_groups import takes_groups
from signoff.cli.flags import MARKUP
from signoff.display.visible_text import visible

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


#: By name, in the order of `signoff --help`.
COMMANDS: Mapping[str, Callable[..., None]] = {
    "run": plans.run,
    "submit": plans.submit,
    "diff": plans.diff,
    "compile": plans.compile_plan,
    "graph": plans.graph,
    "serve": services.serve,
    "ui": services.ui,
    "worker": services.worker,
    "conformance": services.conformance,
    "watch": follow.watch,
    "top": follow.top,
    "status": questions.status,
    "why": questions.why,
    "story": questions.story,
    "artifact": results.artifact,
    "candidate": results.candidate,
    "export": results.export,
    "prompt": results.prompt,
    "thinking": results.thinking,
    "cost": questions.cost,
    "workers": questions.workers,
    "pause": control.pause,
    "resume": control.resume,
    "stop": control.stop,
    "budget": control.budget,
    "approve": verdicts.approve,
    "reject": verdicts.reject,
    "retry": control.retry,
    "prune": keeping.prune,
    "backup": keeping.backup,
    "restore": keeping.restore,
}

for name, command in COMMANDS.items():
    passes_on = command is services.worker  # its arguments are read by the worker itself
    unread = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    app.command(name, context_settings=unread if passes_on else None, add_help_option=not passes_on)(
        takes_groups(command)
    )


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
