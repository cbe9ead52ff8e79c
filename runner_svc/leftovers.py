"""Removes what workers have brought and no candidate has named: files of attempts that failed or died.

They are kept for a while although their lease has ended, because the candidate itself may come late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set

import structlog

from runner_svc.core.decide.turn import State
from runner_svc.engine import Engine
from signoff.errors import SignoffError

log = structlog.get_logger(__name__)

KEPT_FOR = 600.0  # seconds
LOOKS_AT_LEAST = 60.0  # seconds between two looks, at most


class Leftovers:
    """Looks for leftovers of one engine, again and again."""

    def __init__(self, engine: Engine, kept_for: float = KEPT_FOR) -> None:
        """`kept_for`: age in seconds at which files go that no candidate names, once their lease has ended."""
        self._engine = engine
        self._kept_for = kept_for

    async def run(self) -> None:
        """Removes leftovers until it is cancelled."""
        while True:
            try:
                await self.remove()
            # guard: leftovers are looked for after a bug in a turn -> except StopAsyncIteration as failure:
            except SignoffError as failure:  # of the store, or of a turn that a bug has ended
                log.warning("leftovers_not_removed", error=str(failure))
            await asyncio.sleep(min(LOOKS_AT_LEAST, max(self._kept_for / 2, 0.1)))

    async def remove(self) -> int:
        """Removes what is old enough. Returns how many contents went."""
        count = 0
        while True:
            leases = await self._engine.ask(_living)
            gone = await self._engine.contents.drop_staged(leases, self._kept_for)
            if not gone:
                break
            count += len(gone)
        if count:
            log.info("leftovers_removed", contents=count)
        return count


def _living(state: State) -> Set[str]:
    return {*state.roster.leases}
