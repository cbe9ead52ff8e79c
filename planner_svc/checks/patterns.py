"""Regular expressions of a plan: each must compile quickly, here and in the validators that use it.

Patterns of `regex` checks are Python's. Those of schemas are ECMA-262's, and are translated (signoff/schemas/ecma.py).

A pattern is parsed and measured before it is compiled. Parsing takes milliseconds for any pattern. Compiling a set such
as [一-龥] takes up to 10 ms, and a pattern has room for a thousand of them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined,unused-ignore]  # there is no public parser
from typing import Any

from planner_svc.diagnostics import quoted
from signoff.plan.limits import MAX_LARGE_SETS, MAX_PATTERN_CHARS, MAX_PATTERN_DEPTH
from signoff.schemas.ecma import compiled, translated

_LAST_SMALL = 0xFF  # a set up to here is a table of 256 bits; beyond, tables of 65,536 are made first
_MISTAKES = (re.error, ValueError, OverflowError)  # ValueError: a repetition of thousands of digits


def try_pattern(pattern: str) -> int:
    """Counts the large sets of characters of a pattern. Raises ValueError, which says what is wrong with it."""
    _check_length(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sets whose meaning may change: for the pattern's author
            sets = _large_sets(_parser.parse(pattern))
            re.compile(pattern)
    except RecursionError as error:
        raise ValueError(_too_deep(pattern)) from error
    except _MISTAKES as error:
        if str(error).startswith("expected "):
            raise
        raise ValueError(f"expected a regular expression, but {quoted(pattern)}: {error}") from error
    return sets


def try_schema_pattern(pattern: str) -> float:
    """Returns the cost of the sets of an ECMA-262 pattern, in large sets. Raises ValueError, as `try_pattern` does."""
    _check_length(pattern)
    sets = translated(pattern).sets
    compiled(pattern)
    return sets


def _check_length(pattern: str) -> None:
    if len(pattern) > MAX_PATTERN_CHARS:
        raise ValueError(f"expected a pattern of at most {MAX_PATTERN_CHARS:,} characters, but got {len(pattern):,}")


def _large_sets(parsed: Any) -> int:
    """Counts the large sets of a parsed pattern. Raises ValueError when it is too deep, or has too many of them."""
    found, pending = 0, [(parsed, 0)]
    while pending:
        sequence, depth = pending.pop()
        if depth > MAX_PATTERN_DEPTH:
            raise ValueError(_too_deep(parsed.state.str))
        for operation, argument in sequence:
            found += operation is _constants.IN and _is_large(argument)
            pending.extend((part, depth + 1) for part in _parts(argument))
    if found > MAX_LARGE_SETS:
        raise ValueError(large_sets_rule(found))
    return found


def _parts(argument: Any) -> Iterator[Any]:
    """Yields the patterns inside an operation: of a group, a repetition, an alternation, an assertion."""
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for part in argument:
            if isinstance(part, _parser.SubPattern | list):
                yield from _parts(part)


def _is_large(members: Any) -> bool:
    return any(_last_of(operation, argument) > _LAST_SMALL for operation, argument in members)


def _last_of(operation: Any, argument: Any) -> int:
    """Returns the last character of a member of a set; 0 when it is a category such as \\w, which costs nothing."""
    if operation is _constants.RANGE:
        return int(argument[1])
    return int(argument) if operation is _constants.LITERAL else 0


def _too_deep(pattern: str) -> str:
    rule = f"groups and repetitions nested at most {MAX_PATTERN_DEPTH} deep"
    return f"expected a regular expression with {rule}, but got {quoted(pattern)}"


def large_sets_rule(found: int) -> str:
    """Returns the message about too many large sets."""
    return f"expected at most {MAX_LARGE_SETS} sets of characters beyond U+00FF, such as [一-龥], but got {found:,}"
