"""`signoff prune`: tells what would go, asks, and has the runner remove executions that came to rest long ago."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

from signoff.cli.remote.find_runner import RunnerLocation, reach
from signoff.cli.remote.judge import can_ask
from signoff.cli.remote.listing import age_of
from signoff.cli.show.amounts import counted
from signoff.cli.show.output import CommandOutput
from signoff.display.sizes import format_size
from signoff.errors import ConfigurationError
from signoff.v1 import runner_pb2

PRUNED, NOT_PRUNED = 0, 1  # exit codes
LONGEST = timedelta(days=36_500)

Sums = runner_pb2.PruneExecutionsResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneOptions:
    """The flags of a prune, as a person typed them."""

    older_than: str
    keep_last: int = 0
    keep_artifacts: bool = False
    dry_run: bool = False
    yes: bool = False  #: without a question


def prune(options: PruneOptions, where: RunnerLocation, output: CommandOutput) -> int:
    """Tells what would go, asks, and prunes. Raises ConfigurationError without a terminal to ask on.

    No runner is held while the person thinks.
    """
    age = _age(options.older_than)
    asks = not options.yes and not options.dry_run
    if asks and not can_ask(output):
        raise ConfigurationError(
            "expected a terminal to ask on, but got none: --dry-run tells what would go, and --yes prunes without a "
            "question"
        )
    if asks or options.dry_run:
        told = asyncio.run(_sums(options, age, where, dry_run=True))
        if options.dry_run:
            _show(told, options, output, "would go")
            return PRUNED
        output.note(_in_words(told, options, "would go"))
        if not told.executions and not told.contents and not told.maps:
            return PRUNED
        output.question("prune them")
        # guard: a person is asked before a prune -> if False:
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            output.note("nothing was pruned")
            return NOT_PRUNED
    _show(asyncio.run(_sums(options, age, where, dry_run=False)), options, output, "are gone")
    return PRUNED


async def _sums(options: PruneOptions, age: timedelta, where: RunnerLocation, *, dry_run: bool) -> Sums:
    """Prunes to the end, and returns the last sums."""
    last = Sums()
    async with reach(where) as reached:
        steps = reached.client.prune(
            age, keep_last=options.keep_last, keep_artifacts=options.keep_artifacts, dry_run=dry_run
        )
        async with aclosing(steps):
            async for sums in steps:
                last = sums
    return last


def _age(text: str) -> timedelta:
    try:
        age = age_of(text)
    except OverflowError:
        age = None
    if age is None or age > LONGEST:
        raise ConfigurationError(
            f"expected --older-than to be an age of at most {LONGEST.days:,} days, such as 12h or 30d, but got {text!r}"
        )
    return age


def _show(sums: Sums, options: PruneOptions, output: CommandOutput, verb: str) -> None:
    if output.json:
        names = ("executions", "events", "contents", "content_bytes", "maps")
        output.record({"dry_run": options.dry_run, **{name: getattr(sums, name) for name in names}})
    else:
        output.line(_in_words(sums, options, verb))


def _in_words(sums: Sums, options: PruneOptions, verb: str) -> str:
    whole = "all but the artifacts of " if options.keep_artifacts else ""
    executions, events = counted(sums.executions, "execution"), counted(sums.events, "event")
    contents, maps = counted(sums.contents, "content"), counted(sums.maps, "map")
    return f"{whole}{executions} with {events}, {contents} of {format_size(sums.content_bytes)}, and {maps} {verb}"
