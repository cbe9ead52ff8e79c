"""Structured checks of a plan: read, and tried out now, so that none of them is found broken when it is to decide."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from planner_svc.diagnostics import described, quoted
from planner_svc.fields import argv, name, seconds, seconds_to_json, text, whole
from planner_svc.languages import LANGUAGES
from planner_svc.model import (
    Check,
    CitationsCheck,
    CommandCheck,
    CountCheck,
    FunctionCheck,
    JsonCheck,
    JsonSchemaCheck,
    LanguageCheck,
    LengthCheck,
    RegexCheck,
    RequiredKeysCheck,
    WordsCheck,
)

MAX_PATTERN_CHARS = 10_000  # compiling a longer pattern takes seconds
MAX_SCHEMA_BYTES = 1 << 20
MAX_CITATIONS = 1_000_000
LONGEST_TIMEOUT = timedelta(hours=1)

T = TypeVar("T")

_count_of = whole(0)


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
    least, most = _bounds(raw, "chars")
    return LengthCheck(min_chars=least, max_chars=most)


def _count(raw: dict[str, Any]) -> Check:
    least, most = _bounds(raw, "items")
    return CountCheck(path=_read(raw, "path", text, ""), min_items=least, max_items=most)


def _words(raw: dict[str, Any]) -> Check:
    least, most = _bounds(raw, "words")
    return WordsCheck(min_words=least, max_words=most)


def _bounds(raw: dict[str, Any], what: str) -> tuple[int, int | None]:
    """min_… and max_…, of which one may be missing."""
    least, most = (_read(raw, f"{side}_{what}", _count_of, None) for side in ("min", "max"))
    if least is None and most is None:
        raise ValueError(f"expected min_{what} or max_{what}, but got neither")
    if most is not None and (least or 0) > most:
        raise ValueError(f"expected min_{what} to be at most max_{what}, but got {least:,} and {most:,}")
    return least or 0, most


def _language(raw: dict[str, Any]) -> Check:
    code = raw.get("code")
    if not isinstance(code, str) or code not in LANGUAGES:
        rule = "the ISO 639-1 code of a language that can be told from its text, such as en or zh"
        raise ValueError(f"expected under code {rule}, but got {described(code)}")
    return LanguageCheck(code=code)


def _citations(raw: dict[str, Any]) -> Check:
    return CitationsCheck(min_citations=_required(raw, "min_citations", whole(1, MAX_CITATIONS)))


def _command(raw: dict[str, Any]) -> Check:
    timeout = _read(raw, "timeout", seconds(LONGEST_TIMEOUT), None)
    return CommandCheck(argv=_required(raw, "argv", argv), timeout=timeout)


def _function(raw: dict[str, Any]) -> Check:
    return FunctionCheck(name=_required(raw, "name", name))


def _read(raw: dict[str, Any], field: str, read: Callable[[object], T], default: T) -> T:
    return default if raw.get(field) is None else _required(raw, field, read)


def _required(raw: dict[str, Any], field: str, read: Callable[[object], T]) -> T:
    try:
        return read(raw.get(field))
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error


_READERS: Mapping[str, Callable[[dict[str, Any]], Check]] = MappingProxyType(
    {
        "json": _json,
        "json_schema": _json_schema,
        "required_keys": _required_keys,
        "regex": _regex,
        "length": _length,
        "count": _count,
        "words": _words,
        "language": _language,
        "citations": _citations,
        "command": _command,
        "function": _function,
    }
)


def check_to_json(check: Check) -> dict[str, Any]:
    """The entry of `validation.checks` that describes a check; one that was made from a criterion has its number."""
    entry = _entry(check)
    return {**entry, "criterion": check.criterion} if check.criterion else entry


def _entry(check: Check) -> dict[str, Any]:
    match check:
        case JsonCheck():
            return {"type": "json"}
        case JsonSchemaCheck():
            return {"type": "json_schema", "schema": json.loads(check.schema_json)}
        case RequiredKeysCheck():
            return {"type": "required_keys", "keys": list(check.keys)}
        case RegexCheck():
            return {"type": "regex", "pattern": check.pattern, "absent": check.absent}
        case LengthCheck():
            return {"type": "length", "min_chars": check.min_chars, "max_chars": check.max_chars}
        case CountCheck():
            return {"type": "count", "path": check.path, "min_items": check.min_items, "max_items": check.max_items}
        case WordsCheck():
            return {"type": "words", "min_words": check.min_words, "max_words": check.max_words}
        case LanguageCheck():
            return {"type": "language", "code": check.code}
        case CitationsCheck():
            return {"type": "citations", "min_citations": check.min_citations}
        case CommandCheck():
            return {"type": "command", "argv": list(check.argv), "timeout": seconds_to_json(check.timeout)}
        case FunctionCheck():
            return {"type": "function", "name": check.name}
