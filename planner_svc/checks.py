"""Structured checks of a plan: read, and tried out now, so that none of them is found broken when it is to decide."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from planner_svc.diagnostics import described, quoted
from planner_svc.model import Check, JsonCheck, JsonSchemaCheck, LengthCheck, RegexCheck, RequiredKeysCheck

MAX_PATTERN_CHARS = 10_000  # compiling a longer pattern takes seconds
MAX_SCHEMA_BYTES = 1 << 20
MAX_CHARS = 2**53  # the largest number every JSON reader agrees on


def check_from_json(raw: object) -> Check:
    """The check that an entry of `validation.checks` describes. Raises ValueError, saying what is wrong."""
    if not isinstance(raw, dict):
        raise ValueError(f"expected an object with a type, but got {described(raw)}")
    kind = raw.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise ValueError(f"expected a type out of {', '.join(_READERS)}, but got {described(kind)}")
    return read(raw)


def _json(_raw: dict[str, Any]) -> Check:
    return JsonCheck()


def _json_schema(raw: dict[str, Any]) -> Check:
    schema = raw.get("schema")
    if not isinstance(schema, dict | bool):
        raise ValueError(f"expected a JSON Schema under schema, but got {described(schema)}")
    text = json.dumps(schema, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if len(text.encode()) > MAX_SCHEMA_BYTES:
        raise ValueError(f"expected a schema of at most {MAX_SCHEMA_BYTES:,} bytes, but got {len(text.encode()):,}")
    if isinstance(schema, dict):
        from planner_svc.schemas import try_schema  # only here: the library takes a while to import

        try_schema(schema)
    return JsonSchemaCheck(schema_json=text)


def _required_keys(raw: dict[str, Any]) -> Check:
    keys = raw.get("keys")
    if not isinstance(keys, list) or not keys:
        raise ValueError(f"expected a list of keys that is not empty, but got {described(keys)}")
    for key in keys:
        if not isinstance(key, str) or not key:
            raise ValueError(f"expected each key to be a text that is not empty, but got {described(key)}")
    return RequiredKeysCheck(keys=tuple(keys))


def _regex(raw: dict[str, Any]) -> Check:
    pattern, absent = raw.get("pattern"), raw.get("absent")
    if not isinstance(pattern, str):
        raise ValueError(f"expected a regular expression under pattern, but got {described(pattern)}")
    if len(pattern) > MAX_PATTERN_CHARS:
        raise ValueError(f"expected a pattern of at most {MAX_PATTERN_CHARS:,} characters, but got {len(pattern):,}")
    if not isinstance(absent, bool | None):
        raise ValueError(f"expected absent to be true or false, but got {described(absent)}")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"expected a regular expression, but {quoted(pattern)}: {error}") from error
    return RegexCheck(pattern=pattern, absent=bool(absent))


def _length(raw: dict[str, Any]) -> Check:
    least, most = _chars(raw, "min_chars"), _chars(raw, "max_chars")
    if least is None and most is None:
        raise ValueError("expected min_chars or max_chars, but got neither")
    if most is not None and (least or 0) > most:
        raise ValueError(f"expected min_chars to be at most max_chars, but got {least:,} and {most:,}")
    return LengthCheck(min_chars=least or 0, max_chars=most)


def _chars(raw: dict[str, Any], key: str) -> int | None:
    value = raw.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_CHARS:
        got = value if isinstance(value, int) and abs(value) <= MAX_CHARS else described(value)
        raise ValueError(f"expected {key} to be a whole number of characters, 0 or more, but got {got}")
    return value


_READERS: Mapping[str, Callable[[dict[str, Any]], Check]] = MappingProxyType(
    {
        "json": _json,
        "json_schema": _json_schema,
        "required_keys": _required_keys,
        "regex": _regex,
        "length": _length,
    }
)
