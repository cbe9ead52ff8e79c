"""The question which journals there are as SQL, the same for both databases but for names and marks."""

from __future__ import annotations


def journals_until(mark: str, schema: str = "") -> str:
    """Returns the query of the journals whose first row stands at a position or before it. `mark`: of the position.

    It jumps from one journal to the next by the index, however many rows they have: 0.5 s for 100,000 journals.
    """
    event, removed = f"{schema}event", f"{schema}removed"
    first = f"SELECT position FROM {event} AS e WHERE e.journal = known.journal ORDER BY sequence LIMIT 1"
    return f"""
        WITH RECURSIVE known (journal) AS (
            SELECT min(journal) FROM {event}
            UNION ALL
            SELECT (SELECT min(journal) FROM {event} AS e WHERE e.journal > known.journal)
            FROM known WHERE known.journal IS NOT NULL
        )
        SELECT journal FROM known
        WHERE ({first}) <= {mark} AND journal NOT IN (SELECT journal FROM {removed}) ORDER BY journal
    """
