"""The questions to the index of executions as SQL, the same for both databases but for names and marks of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from runner_svc.store.port import Listed, ListingQuery

Mark = Callable[[object], str]  # takes a value, and returns the mark that stands for it


def conditions(query: ListingQuery, mark: Mark, contains: str) -> str:
    """Returns the WHERE of a query. `contains`: the SQL that tells whether {text} holds a part at 1 or later."""
    filters = []
    if query.plan_id:
        filters.append(f"plan_id = {mark(query.plan_id)}")
    if query.states:
        filters.append(f"state IN ({', '.join(mark(state) for state in query.states)})")
    if query.needs:
        filters.append(f"needs <> 0 AND needs & {mark(query.needs)} <> 0")  # the first is that of an index
    if query.created_from is not None:
        filters.append(f"created_at >= {mark(query.created_from)}")
    if query.created_before is not None:
        filters.append(f"created_at < {mark(query.created_before)}")
    if query.text:
        filters.append(f"{contains}(text, {mark(query.text)}) > 0")
    wanted = " AND ".join(filters) or "1 = 1"
    if query.besides and filters:
        wanted = f"({wanted} OR journal IN ({', '.join(mark(journal) for journal in query.besides)}))"
    return f"{wanted} AND number < {mark(query.older)}" if query.older is not None else wanted


def checkpointed_in_order(schema: str = "") -> str:
    """Returns the query of the executions of a checkpoint: one that was kept late stands where it was created."""
    joined = f"{schema}execution_checkpoint AS c LEFT JOIN {schema}listing AS l USING (journal)"
    # guard: a checkpoint is read in the order of the index -> return f"SELECT c.body FROM {joined} ORDER BY c.number"
    return f"SELECT c.body FROM {joined} ORDER BY l.number IS NULL, l.number, c.number"


def listed_from(journal: str, row: Sequence[Any]) -> Listed:
    """Returns a row of the index, of its columns after the journal."""
    plan_id, state, needs, created_at, text = row
    return Listed(journal=journal, plan_id=plan_id, state=state, needs=needs, created_at=created_at, text=text)
