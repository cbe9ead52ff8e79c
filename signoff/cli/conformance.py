"""`signoff conformance`: runs the checks of the protocol on a worker, and prints how each ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from signoff.cli.show.output import CommandOutput
from signoff.conformance.check import Check, Result, selected
from signoff.conformance.checks import CHECKS
from signoff.conformance.command import WorkerCommand
from signoff.conformance.kit import Kit, kit
from signoff.conformance.messages import EXECUTOR, VALIDATOR
from signoff.conformance.outcome import CheckOutcome
from signoff.conformance.timings import KitTimings
from signoff.errors import ConfigurationError

ROLES = {"executor": EXECUTOR, "validator": VALIDATOR}
PAGE = "docs/reference/protocol.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceOptions:
    address: str  #: where the kit listens
    role: str  #: "executor", "validator", or empty: as the worker says
    only: Sequence[str]  #: ids or groups of checks; empty: all of them
    command: str  #: how to start the worker; empty: a person does
    wait: float  #: seconds for the worker to connect


async def conformance(options: ConformanceOptions, output: CommandOutput) -> int:
    """Returns 0 when no check has failed, 1 when one has. Raises ConfigurationError when there is nothing to try."""
    checks = selected(CHECKS, options.only)
    process = WorkerCommand(options.command) if options.command else None
    role, timings = ROLES.get(options.role), KitTimings(connect=options.wait)
    try:
        async with kit(options.address, role=role, process=process, timings=timings) as trying:
            if process is None:
                output.note(f"waiting for a worker at {trying.address}")
            await trying.meet()
            return _sum_up(await _run_all(trying, checks, output), output)
    except OSError as error:
        raise ConfigurationError(str(error)) from None


async def _run_all(trying: Kit, checks: Sequence[Check], output: CommandOutput) -> Counter[CheckOutcome]:
    """Prints each result as it comes, and returns how many checks ended how."""
    counts = Counter[CheckOutcome]()
    async for result in trying.run(checks):
        counts[result.outcome] += 1
        _print(result, output)
    return counts


def _print(result: Result, output: CommandOutput) -> None:
    check = result.check
    if output.json:
        fields = {"id": check.id, "outcome": str(result.outcome), "sentence": check.sentence, "reason": result.reason}
        output.record({"event": "check", **fields, "seconds": round(result.seconds, 3)})
        return
    where = f" ({PAGE}#{check.section})" if result.outcome is CheckOutcome.FAIL else ""
    reason = f": {result.reason}{where}" if result.reason else ""
    output.line(f"{result.outcome}  {check.id:<21}  {check.sentence}{reason}")


def _sum_up(counts: Counter[CheckOutcome], output: CommandOutput) -> int:
    if output.json:
        output.record({"event": "summary", **{str(outcome): counts[outcome] for outcome in CheckOutcome}})
    else:
        passed, failed, skipped = (
            counts[outcome] for outcome in (CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.SKIP)
        )
        output.line(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if counts[CheckOutcome.FAIL] else 0
