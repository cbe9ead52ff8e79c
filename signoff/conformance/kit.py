"""Carries out checks on a worker, one after another, and reports how each ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from signoff.conformance.check import Check, Result
from signoff.conformance.command import WorkerProcess
from signoff.conformance.limits import FRAME_LIMIT
from signoff.conformance.messages import Role
from signoff.conformance.outcome import CheckOutcome, CheckSkipped, NotMet
from signoff.conformance.runner import KitRunner
from signoff.conformance.stream import StreamNotes
from signoff.conformance.timings import KitTimings
from signoff.conformance.worker_under_test import WorkerGone, WorkerUnderTest
from signoff.display.wire_names import role_name
from signoff.errors import ConfigurationError

MOST_SECONDS = 120.0  # of one check; none takes half as long
NO_COMMAND = "the worker would have to be started again: say how with --command"


class Kit:
    """A scripted runner at `address`, and the worker that connects to it."""

    def __init__(self, worker: WorkerUnderTest, role: Role | None) -> None:
        self._worker = worker
        self._role = role
        self._is_gone = False  #: it does not come back, and the kit cannot start it

    @property
    def address(self) -> str:
        return self._worker.runner.address

    @property
    def role(self) -> Role:
        """The role of the worker under test; known once it has connected."""
        return self._worker.role

    async def meet(self) -> None:
        """Waits for the worker's first stream. Raises ConfigurationError when there is nothing to try."""
        try:
            await self._worker.make_ready(self._worker.timings.connect)
        except WorkerGone as gone:
            raise ConfigurationError(f"no worker to try: {gone}{self._last_words()}") from None
        if self._role not in (None, self.role):
            wanted = role_name(self._role)
            raise ConfigurationError(f"expected a worker of role {wanted}, but got one of role {role_name(self.role)}")

    async def run(self, checks: Sequence[Check]) -> AsyncIterator[Result]:
        """Yields the result of each check as it ends. Call `meet` before."""
        clock = asyncio.get_running_loop().time
        for check in checks:
            began = clock()
            skipped = self._why_not(check)
            outcome, reason = (CheckOutcome.SKIP, skipped) if skipped else await self._carry_out(check)
            yield Result(check=check, outcome=outcome, reason=reason, seconds=clock() - began)

    def _why_not(self, check: Check) -> str:
        """Returns why a check is skipped; empty when it is not."""
        if self._is_gone:
            return "the worker did not come back"
        if check.role not in (None, self.role):
            return f"it is for workers of role {role_name(check.role)}"
        # guard: parts that a worker does not announce are not tried -> if False:
        if check.feature and check.feature not in self._worker.features:
            return f"not tried: it announces no {check.feature}"
        return NO_COMMAND if check.needs_command and self._worker.process is None else ""

    async def _carry_out(self, check: Check) -> tuple[CheckOutcome, str]:
        """Runs one check, and returns how it ended and why. Raises ConfigurationError when the worker cannot start."""
        try:
            await self._worker.make_ready(self._worker.timings.most_pause + self._worker.timings.answer)
            skipped = await self._try(check)
            await self._worker.settle(passed=True)
        except WorkerGone as gone:
            self._is_gone = True
            return CheckOutcome.FAIL, f"{gone}{self._last_words()}"
        except (NotMet, TimeoutError) as failed:
            told = self._told(failed)
            await self._worker.settle(passed=False)
            return CheckOutcome.FAIL, told
        return (CheckOutcome.SKIP, skipped) if skipped else (CheckOutcome.PASS, "")

    async def _try(self, check: Check) -> str:
        """Returns why the check does not apply; empty when it has passed."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await check.run(self._worker)
        except CheckSkipped as skipped:
            return str(skipped)
        return ""

    def _told(self, failed: NotMet | TimeoutError) -> str:
        if isinstance(failed, TimeoutError):
            return f"expected the check to end within {MOST_SECONDS:g} s, but it did not"
        return f"{failed}{self._last_words()}"

    def _last_words(self) -> str:
        """Describes how the worker's process ended, for a message; empty while it runs."""
        process = self._worker.process
        return "" if process is None or process.is_running else f" ({process.last_words()})"


@asynccontextmanager
async def kit(
    address: str, *, role: Role | None = None, process: WorkerProcess | None = None, timings: KitTimings | None = None
) -> AsyncIterator[Kit]:
    """Opens a kit that listens until the end of the block. A worker that it has started does not outlive it.

    Raises OSError when the address cannot be bound.
    """
    timings, notes = timings or KitTimings(), StreamNotes(FRAME_LIMIT)
    async with KitRunner(notes, timings.answer) as runner:
        await runner.start(address)
        worker = WorkerUnderTest(runner, notes, timings, process)
        try:
            yield Kit(worker, role)
        finally:
            await worker.end()
