"""Patience with a runner that is away: whether a call under a lease is made again, and after which pause.

The runner decides when a lease ends, so a worker has no limit of its own: what it works on ends with `Stop` or
`Cancel`, on the stream.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc
import structlog

from signoff.errors import Rejected, SignoffError, StorageFailed
from signoff.rpc.addresses import Route, RunnerStub
from signoff.rpc.statuses import error_from_rpc

log = structlog.get_logger(__name__)

T = TypeVar("T")

MOST_UNCLEAR = 5  # failures that do not tell whether they may pass; the last one is final

_PASSING = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """The pauses between two tries, in seconds."""

    first: float = 0.5
    most: float = 10.0
    growth: float = 1.5
    jitter: Callable[[float, float], float] = random.uniform
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Patience:
    """The patience of one piece of work, over all calls that it makes."""

    def __init__(self, pauses: Pauses | None = None, unclear: type[SignoffError] | None = None) -> None:
        """`unclear`: an error that may pass, and may be final, as one without a reason."""
        self._pauses = pauses or Pauses()
        self._unclear = unclear
        self._failures = self._doubts = 0  # in a row; doubts are failures that do not tell whether they may pass

    def succeeded(self) -> None:
        """Takes note of a call that went through: the next failure is the first again."""
        self._failures = self._doubts = 0

    async def after(self, error: SignoffError) -> None:
        """Pauses before a call is made again. Raises the error when no further try can mend it.

        An error without a reason may be a refusal that a write has hidden, so it is final after some of them.
        """
        is_unclear = type(error) is SignoffError or (self._unclear is not None and isinstance(error, self._unclear))
        self._failures, self._doubts = self._failures + 1, self._doubts + is_unclear
        # guard: what does not pass is tried a few times -> if not is_unclear and error.status not in _PASSING:
        if self._doubts == MOST_UNCLEAR or (not is_unclear and error.status not in _PASSING):
            raise error
        # guard: contents wait for a runner that is away -> raise error
        pauses = self._pauses
        ceiling = min(pauses.most, pauses.first * pauses.growth ** min(self._failures, 100))
        await pauses.sleep(pauses.jitter(ceiling / 2, ceiling))


async def patiently(route: Route, call: Callable[[RunnerStub], Awaitable[T]], pauses: Pauses | None = None) -> T:
    """Makes a call to the runner of a route, again and again while that is away. Raises any other SignoffError.

    StorageFailed is raised after some tries: a content that the runner's store has lost stays lost.
    """
    patience = Patience(pauses, StorageFailed)
    while True:
        try:
            return await _called(route, call)
        except _NotReached as failure:
            log.warning("call_interrupted", problem=str(failure.error))
            if not isinstance(failure.error, Rejected | StorageFailed):  # else the runner is there, and says so
                await route.lost(failure.stub)
            await patience.after(failure.error)


class _NotReached(Exception):
    """A call failed, and not because of what was done with its answers."""

    def __init__(self, error: SignoffError, stub: RunnerStub | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.stub = stub


async def _called(route: Route, call: Callable[[RunnerStub], Awaitable[T]]) -> T:
    try:
        stub = await route.stub()
    except SignoffError as error:
        raise _NotReached(error) from None
    try:
        return await call(stub)
    except grpc.RpcError as error:
        raise _NotReached(error_from_rpc(error, "runner", route.address), stub) from None
