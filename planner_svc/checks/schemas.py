"""JSON Schemas of a plan: each must be valid in its draft, small, and refer only to itself.

The size is checked first, because the library takes half a millisecond for each value of a schema, and compares the
entries of a list pair by pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from planner_svc.checks.references import References
from signoff.plan.limits import MAX_SCHEMA_DEPTH, MAX_SCHEMA_ENTRIES
from signoff.schemas.drafts import Draft, draft_of
from signoff.schemas.validator import problems_of_schema

_DATA = ("const", "enum", "default", "examples")  # below these a list of texts costs nothing
_SHOWN_CHARS = 200  # of the library's message, which may quote the whole schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A regular expression of a schema, and where it stands."""

    text: str
    pointer: str


def count_values(schema: dict[str, Any]) -> int:
    """Counts the lists, objects and single values of a schema, without the texts that an enum lists.

    Raises ValueError when it is nested too deeply, or a list of it is too long.
    """
    values = 0
    pending: list[tuple[Any, int, bool]] = [(schema, 1, False)]
    while pending:
        part, depth, is_data = pending.pop()
        values += 1
        if depth > MAX_SCHEMA_DEPTH:
            raise ValueError(f"expected a schema nested at most {MAX_SCHEMA_DEPTH} levels deep, but got more")
        if isinstance(part, list):
            pending.extend((entry, depth + 1, is_data) for entry in _costly(part, is_data))
        elif isinstance(part, dict):
            pending.extend((value, depth + 1, is_data or key in _DATA) for key, value in part.items())
    return values


def _costly(entries: list[Any], is_data: bool) -> list[Any]:
    """Returns the entries that cost time: texts are sorted, any other entry is compared with all the others."""
    others = [entry for entry in entries if not isinstance(entry, str)]
    if others and len(entries) > MAX_SCHEMA_ENTRIES:
        rule = f"lists of at most {MAX_SCHEMA_ENTRIES:,} entries in a schema, unless all of them are texts"
        raise ValueError(f"expected {rule}, but got {len(entries):,}")
    return others if is_data else entries


def try_schema(schema: dict[str, Any]) -> list[Pattern]:
    """Checks a schema. Returns its patterns, still to be tried. Raises ValueError, which says what is wrong."""
    draft = draft_of(schema)
    try:
        _check(schema, draft)
    except (RecursionError, OverflowError) as error:
        raise ValueError("expected a JSON Schema that is nested less deeply") from error
    references = References(schema, draft)
    references.check()
    return [pattern for part in references.parts() for pattern in _patterns(part.schema, part.pointer)]


def _check(schema: dict[str, Any], draft: Draft) -> None:
    for problem in problems_of_schema(schema, draft):
        where = "".join(f"[{part!r}]" for part in problem.absolute_path)
        message = problem.message[:_SHOWN_CHARS]
        raise ValueError(f"expected a valid JSON Schema of draft {draft}, but schema{where}: {message}")


def _patterns(schema: dict[str, Any], pointer: str) -> list[Pattern]:
    single, named = schema.get("pattern"), schema.get("patternProperties")
    found = [Pattern(text=single, pointer=f"{pointer}/pattern")] if isinstance(single, str) else []
    listed = named if isinstance(named, dict) else ()
    return found + [Pattern(text=text, pointer=f"{pointer}/patternProperties") for text in listed]
