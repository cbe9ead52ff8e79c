"""`signoff approve` and `signoff reject`: a person sees what they judge, and is asked, before the verdict is given."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable
from dataclasses import dataclass

from signoff.cli.remote.candidate import CandidateComparison, describe_state, look, preview
from signoff.cli.remote.control import send_command
from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.show.output import CommandOutput
from signoff.client.client import Client
from signoff.client.values import Ref, by_execution
from signoff.errors import ConfigurationError, WrongState
from signoff.v1 import execution_pb2 as pb

GIVEN, NOT_GIVEN = 0, 1  # exit codes


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedVerdict:
    """A person's verdict, as they typed it."""

    passes: bool
    reason: str = ""
    by: str = ""  #: empty: the name of the account
    yes: bool = False  #: without a question


def judge(name: str, task_id: str, verdict: TypedVerdict, where: RunnerLocation, output: CommandOutput) -> int:
    """Shows the candidate that waits, asks, and gives the verdict on just this candidate.

    No runner is held while the person thinks. No event loop runs then either: it would keep Ctrl-C to itself. Raises
    ConfigurationError without a terminal, WrongState when no candidate waits for a person, and CandidateChanged when
    another one waits by then.
    """
    if not verdict.yes and not can_ask(output):
        raise ConfigurationError(
            "expected a terminal to show the candidate on and to ask, but got none: `signoff candidate` shows it, and "
            "--yes gives the verdict without a question"
        )
    execution, found = asyncio.run(_what_waits(name, task_id, where))
    info = found.candidate.info
    if info.state != pb.CANDIDATE_STATE_WAITS_FOR_PERSON:
        of = f"the candidate of attempt {info.artifact.attempt} of {task_id}"
        raise WrongState(
            f"expected a candidate that waits for a person's verdict, but {of} is not: {describe_state(info)}"
        )
    # guard: people judge by the command line -> (removed)
    _show(execution.plan_id, found, where, output)
    by = verdict.by or _account()
    # guard: a person is asked -> if False:
    if not verdict.yes and not _ask(verdict, info, by, output):
        output.note("no verdict was given: the candidate waits on")
        return NOT_GIVEN

    def command(client: Client, ref: Ref) -> Awaitable[pb.Execution]:
        return client.judge(ref, task_id, passes=verdict.passes, reason=verdict.reason, person=by, seen=info)

    return asyncio.run(send_command(execution.execution_id, where, output, command))


async def _what_waits(name: str, task_id: str, where: RunnerLocation) -> tuple[pb.Execution, CandidateComparison]:
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        return execution, await look(reached.client, by_execution(execution.execution_id), task_id, 0, compare=True)


def can_ask(output: CommandOutput) -> bool:
    """Tells whether a person reads the output and can answer."""
    return sys.stdin.isatty() and output.has_reader


def _show(plan_id: str, found: CandidateComparison, where: RunnerLocation, output: CommandOutput) -> None:
    for line in preview(plan_id, found, where):
        output.aside(line)


def _ask(verdict: TypedVerdict, info: pb.CandidateInfo, by: str, output: CommandOutput) -> bool:
    """Asks, and tells whether the answer is yes. Any other answer is a no, and so is the end of the input."""
    what = f"the candidate of attempt {info.artifact.attempt} of {info.artifact.task_id}"
    who = f" as {by}" if by else ""
    order = f"sign {what} off{who}" if verdict.passes else f"reject {what}{who}, because: {verdict.reason}"
    output.question(order)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _account() -> str:
    """Returns the name of the account; empty when it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
