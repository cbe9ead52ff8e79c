"""Finds the keys that stand twice in one object of plan.json, of which JSON readers silently take the last one.

The parser notices the first one at no cost. Only then the plan is read once more, slowly, to name them all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from planner_svc.diagnostics import Diagnostics, quoted
from planner_svc.read.places import entry_of, field_of, position_of


class _Object(dict[str, Any]):
    """An object that remembers which of its keys stood there more than once."""

    repeated: tuple[str, ...] = ()


def report_repeated_keys(data: bytes, first: str, diagnostics: Diagnostics) -> None:
    """repeated-key: reports each with its path. `first` is the parser's message about the first one."""
    for path, key in _repeated(_read(data)):
        if not diagnostics.left_out("repeated-key"):
            says = f"expected each key of an object once, but got {quoted(key)} more than once"
            diagnostics.add("repeated-key", f"{path or 'plan.json'}: {says}", path=path, position=position_of(path))
    if not diagnostics.has("repeated-key"):  # it stands in a value that a second key has replaced
        diagnostics.add("repeated-key", f"plan.json: expected each key of an object once, but: {first}")


def _read(data: bytes) -> Any:
    """Reads the plan, with numbers as texts, for some are too long for Python."""
    return json.loads(data, object_pairs_hook=_object, parse_int=str, parse_float=str)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = _Object(pairs)
    if len(value) < len(pairs):
        value.repeated = tuple(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    return value


def _repeated(value: Any) -> Iterator[tuple[str, str]]:
    """Yields the path of each repeated key, and the key, in the order of the plan."""
    pending: list[tuple[str, bool, Any]] = [("", True, value)]  # a path that was cut stays as it is
    while pending:
        place, whole, here = pending.pop()
        below: list[tuple[str, Any]] = []
        if isinstance(here, _Object):
            yield from ((field_of(place, key) if whole else place, key) for key in here.repeated)
            below = [(field_of(place, key), value) for key, value in here.items()]
        elif isinstance(here, list):
            below = [(entry_of(place, n), value) for n, value in enumerate(here)]
        pending += [(path if whole else place, whole and path != place, value) for path, value in reversed(below)]
