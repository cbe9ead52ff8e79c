"""The listings: what the store's index of executions is told, in the transaction of the events that change it.

The index has a row for each execution, with what lists are filtered by. A row is written when the execution is created
and when its state, or what it needs of people, has changed; all other events cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runner_svc.core.decide.turn import State
from runner_svc.core.model import events
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.listing import ListingFacts, facts_of
from runner_svc.core.state.overview import Overview
from runner_svc.store.port import Listed

MOST_TEXT = 2_000  # characters of an idea that are searched


class Listings:
    """Remembers what the index was told of the executions that live."""

    def __init__(self) -> None:
        self._told: dict[ExecutionId, ListingFacts] = {}

    def changes(self, state: State, entries: Sequence[events.Entry]) -> Iterator[Listed]:
        """Yields the rows of the executions that a decision has changed, as they are after it."""
        for name in {entry.execution: None for entry in entries}:
            execution = state.executions.get(name)
            if execution is None or self._told.get(name) == (facts := facts_of(execution)):
                continue
            self._told[name] = facts
            if execution.state.is_final:
                del self._told[name]
            yield listed_of(execution)

    def forget(self) -> None:
        """Forgets everything, because some of it may never have become durable."""
        self._told.clear()


def listed_of(known: Execution | Overview) -> Listed:
    """Returns the row of an execution."""
    facts = facts_of(known)
    idea = known.map.idea if isinstance(known, Execution) else known.idea
    return Listed(
        journal=known.id,
        plan_id=facts.plan_id,
        state=int(facts.state),
        needs=int(facts.needs),
        created_at=facts.created_at,
        text=searched("\n".join((known.id, facts.plan_id, idea[:MOST_TEXT]))),
    )


def searched(text: str) -> str:
    """Returns a text in the form that is searched: PostgreSQL takes no NUL."""
    return text.casefold().replace("\0", " ")


def listed_of_all(state: State) -> Iterable[Listed]:
    return map(listed_of, state.in_order())
