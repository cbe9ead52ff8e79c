"""Outages: models that cannot be asked for now. They are no task's fault, and no task fails because of one.

There is one clock for each model and endpoint, for all workers together. While a model is away, one lease at a time
asks whether it is back, at growing intervals. Its first word ends the outage, and all work that waits for it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from runner_svc.core.model.values import Away, ExecutionId, FailureKind, LeaseId, ModelAt

#: Kinds of failures that are about the model and its endpoint, not about the work.
OUTAGES = frozenset({FailureKind.OUTAGE, FailureKind.RATE_LIMITED, FailureKind.BUDGET})

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds before a model is asked again, unless its provider asks for more
MOST_MODELS = 1_000  # away at once; beyond them, one that is not asked any more is forgotten
#: Outages in a row that one task may meet first. One more is its own failure: the model answers other tasks meanwhile.
MOST_OUTAGES = 5


@dataclass(slots=True)
class _Live:
    """An outage, with what a restart may forget."""

    away: Away
    probe: LeaseId | None = None  #: the lease that asks whether the model is back
    skipped: float = 0.0  #: seconds of it that the clock has jumped over
    #: by execution: when it is looked at, because it may have waited long enough
    reminders: dict[ExecutionId, float] = field(default_factory=dict)


class Outages:
    """The models that are away."""

    def __init__(self, remind: Callable[[float], None]) -> None:
        """`remind`: makes a turn begin at that time."""
        self._remind = remind
        self._live: dict[ModelAt, _Live] = {}
        self.changes = 0  #: grows with every change of what is away, and of the workers that ask

    def __bool__(self) -> bool:
        return bool(self._live)

    def __len__(self) -> int:
        return len(self._live)

    def all(self) -> list[Away]:
        return [live.away for live in self._live.values()]

    def get(self, model: ModelAt) -> Away | None:
        live = self._live.get(model)
        return None if live is None else live.away

    def met(
        self, model: ModelAt, message: str, *, is_probe: bool, retry_after: float | None, fraction: float, at: float
    ) -> Away:
        """Takes in that a model could not be asked. `is_probe`: by the probe; `fraction`: 0 to 1, for the jitter."""
        self.changes += 1
        live = self._live.get(model)
        if live is None:
            away = Away(model=model, since=at, tries=1, next_try=_next(1, retry_after, fraction, at), message=message)
            live = self._live[model] = _Live(away)
        else:
            before = live.away
            tries = before.tries + is_probe
            # guard: a provider's time is obeyed -> wanted = at
            wanted = _next(tries, retry_after, fraction, at) if is_probe else at + (retry_after or 0.0)
            away = Away(
                model=model,
                since=before.since,
                tries=tries,
                next_try=round(max(before.next_try, wanted), 6),
                message=message,
            )
            live.away = away
        self._remind(away.next_try)
        return away

    def restore(self, away: Away) -> None:
        """Takes in an outage that is in a journal. Of several, the one that began last counts, as it was told last."""
        self.changes += 1
        live = self._live.get(away.model)
        if live is None:
            live = self._live[away.model] = _Live(away)
        elif (away.since, away.next_try) > (live.away.since, live.away.next_try):
            live.away = away
        self._remind(live.away.next_try)

    def may_ask(self, model: ModelAt, at: float) -> bool:
        """Tells whether a lease that asks the model may be given out."""
        live = self._live.get(model)
        # guard: one probe at a time -> return live is None or (live.away.next_try <= at)
        return live is None or (live.probe is None and live.away.next_try <= at)

    def probes(self, model: ModelAt, lease: LeaseId) -> bool:
        """Tells whether the model is away; then the lease becomes the probe that asks whether it is back."""
        live = self._live.get(model)
        if live is not None:
            live.probe = lease
        return live is not None

    def probes_out(self) -> list[tuple[ModelAt, LeaseId]]:
        """Returns the leases that ask whether a model is back."""
        return [(model, live.probe) for model, live in self._live.items() if live.probe is not None]

    def forget_probe(self, model: ModelAt, lease: LeaseId) -> None:
        """Takes in that a lease has ended. If it was the probe, the next lease may ask."""
        live = self._live.get(model)
        if live is not None and live.probe == lease:
            live.probe = None

    def end(self, model: ModelAt) -> None:
        """The model has answered."""
        self.changes += 1
        self._live.pop(model, None)

    def longest_unasked(self) -> ModelAt:
        """Returns the model that could have been asked for the longest and was not: no work waits for it."""
        found = min(self._live.values(), key=lambda live: (live.probe is not None, live.away.next_try))
        return found.away.model

    def ask_now(self, at: float) -> None:
        """Lets every model be asked at once, because a person wants the work to go on."""
        self.changes += 1
        for live in self._live.values():
            if live.away.next_try > at:
                live.away = replace(live.away, next_try=at)

    def postpone(self, by: float) -> None:
        """Takes in that the clock has jumped ahead by so many seconds: they were no time of waiting."""
        for live in self._live.values():
            # guard: patience stands still while the clock jumps -> pass
            live.skipped += by

    def waited_since(self, away: Away) -> float:
        """Returns when the waiting for a model began, as if all that the clock has jumped over came before it."""
        live = self._live.get(away.model)
        return away.since + (live.skipped if live is not None else 0.0)

    def remind_of(self, model: ModelAt, execution: ExecutionId, at: float) -> None:
        """Makes a turn begin at that time, in which the execution is looked at."""
        live = self._live[model]
        if live.reminders.get(execution) != at:
            live.reminders[execution] = at
            self._remind(at)


def _next(tries: int, retry_after: float | None, fraction: float, at: float) -> float:
    """Returns when to ask again: exponential backoff, half of it random, and no sooner than the provider asked for."""
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 63))
    return round(at + max(ceiling * (0.5 + fraction / 2), retry_after or 0.0), 6)
