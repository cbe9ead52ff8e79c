"""Carries out checks on a worker, one after another, and says how each ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from signoff.conformance.check import Check, CheckOutcome, CheckSkipped, NotMet, Result, Role
from signoff.conformance.command import Subject
from signoff.conformance.conversation import StreamNotes
from signoff.conformance.runner import KitRunner
from signoff.conformance.tempo import Tempo
from signoff.conformance.trial import FRAME_LIMIT, Trial, WorkerGone
from signoff.display.wire_names import role_word
from signoff.errors import ConfigurationError

MOST_SECONDS = 120.0  # of one check; none takes half as long
NO_COMMAND = "the worker would have to be started again: say how with --command"


class Kit:
    """A runner of its own at `address`, and a worker on trial."""

    def __init__(self, trial: Trial, role: Role | None) -> None:
        self._trial = trial
        self._role = role
        self._is_gone = False  #: it does not come back, and the kit cannot start it

    @property
    def address(self) -> str:
        return self._trial.runner.address

    @property
    def role(self) -> Role:
        """Of the worker on trial; known once it has connected."""
        return self._trial.role

    async def meet(self) -> None:
        """Waits for the worker's first stream. Raises ConfigurationError when there is nothing to try."""
        try:
            await self._trial.make_ready(self._trial.tempo.connect)
        except WorkerGone as gone:
            raise ConfigurationError(f"no worker to try: {gone}{self._last_words()}") from None
        if self._role not in (None, self.role):
            wanted = role_word(self._role)
            raise ConfigurationError(f"expected a worker of role {wanted}, but got one of role {role_word(self.role)}")

    async def run(self, checks: Sequence[Check]) -> AsyncIterator[Result]:
        """The result of each check, as it ends. Call `meet` before."""
        clock = asyncio.get_running_loop().time
        for check in checks:
            began = clock()
            skipped = self._why_not(check)
            outcome, reason = (CheckOutcome.SKIP, skipped) if skipped else await self._carry_out(check)
            yield Result(check=check, outcome=outcome, reason=reason, seconds=clock() - began)

    def _why_not(self, check: Check) -> str:
        """Why a check is skipped; empty when it is not."""
        if self._is_gone:
            return "the worker did not come back"
        if check.role not in (None, self.role):
            return f"it is for workers of role {role_word(check.role)}"
        return NO_COMMAND if check.needs_command and self._trial.subject is None else ""

    async def _carry_out(self, check: Check) -> tuple[CheckOutcome, str]:
        """Raises ConfigurationError when the worker cannot be started again."""
        try:
            await self._trial.make_ready(self._trial.tempo.most_pause + self._trial.tempo.answer)
            skipped = await self._try(check)
            await self._trial.settle(passed=True)
        except WorkerGone as gone:
            self._is_gone = True
            return CheckOutcome.FAIL, f"{gone}{self._last_words()}"
        except (NotMet, TimeoutError) as failed:
            told = self._told(failed)
            await self._trial.settle(passed=False)
            return CheckOutcome.FAIL, told
        return (CheckOutcome.SKIP, skipped) if skipped else (CheckOutcome.PASS, "")

    async def _try(self, check: Check) -> str:
        """Returns why the check does not apply; empty when it has passed."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await check.run(self._trial)
        except CheckSkipped as skipped:
            return str(skipped)
        return ""

    def _told(self, failed: NotMet | TimeoutError) -> str:
        if isinstance(failed, TimeoutError):
            return f"expected the check to end within {MOST_SECONDS:g} s, but it did not"
        return f"{failed}{self._last_words()}"

    def _last_words(self) -> str:
        """What became of a process that is not there any more."""
        subject = self._trial.subject
        return "" if subject is None or subject.is_running else f" ({subject.last_words()})"


@asynccontextmanager
async def kit(
    address: str, *, role: Role | None = None, subject: Subject | None = None, tempo: Tempo | None = None
) -> AsyncIterator[Kit]:
    """A kit that listens until the end of the block. A worker that it has started does not outlive it.

    Raises OSError when the address cannot be bound.
    """
    tempo, notes = tempo or Tempo(), StreamNotes(FRAME_LIMIT)
    async with KitRunner(notes, tempo.answer) as runner:
        await runner.start(address)
        trial = Trial(runner, notes, tempo, subject)
        try:
            yield Kit(trial, role)
        finally:
            await trial.end()
