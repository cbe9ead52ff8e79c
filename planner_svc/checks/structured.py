"""Structured checks of a plan, read and tried out at compile time, so that none turns out broken in an execution."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from math import ceil
from types import MappingProxyType
from typing import Any

from planner_svc.checks.check_fields import blaming, bounds, flag_of, one_of, optional, required
from planner_svc.checks.file_checks import READERS as FILE_READERS
from planner_svc.checks.file_checks import file_check_to_json, file_path
from planner_svc.checks.file_kinds import FileCheck
from planner_svc.checks.kinds import (
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
    SourceMark,
    WordsCheck,
)
from planner_svc.checks.languages import LANGUAGES
from planner_svc.checks.patterns import large_sets_rule, try_pattern, try_schema_pattern
from planner_svc.checks.text_checks import READERS as TEXT_READERS
from planner_svc.checks.text_checks import text_check_to_json
from planner_svc.diagnostics import described
from planner_svc.read.check_vocabulary import CHECKS
from planner_svc.read.fields import argv, dotted_path, name, seconds, seconds_to_json, whole
from planner_svc.read.spelling import closest
from signoff.plan.limits import (
    MAX_KEYS,
    MAX_LARGE_SETS,
    MAX_PATTERNS_CHARS,
    MAX_SCHEMA_BYTES,
    MAX_SCHEMA_VALUES,
)
from signoff.schemas.numbers import exact_json, json_text

MAX_CITATIONS = 1_000_000
_MARKS = tuple(mark.value for mark in SourceMark)
LONGEST_CHECK_TIMEOUT = timedelta(hours=1)


class Effort:
    """The cost of preparing the checks of one task: it adds up, and is refused when it is too much."""

    def __init__(self) -> None:
        self._pattern_chars = self._schema_values = 0
        self._large_sets = 0.0

    def pattern(self, pattern: str) -> None:
        """Tries a pattern out. Raises ValueError when it is broken, or too costly together with earlier ones."""
        self._add_pattern(pattern, try_pattern)

    def _add_pattern(self, pattern: str, tried: Callable[[str], float]) -> None:
        if self._pattern_chars + len(pattern) > MAX_PATTERNS_CHARS:
            rule = f"patterns of at most {MAX_PATTERNS_CHARS:,} characters in all checks of a task"
            raise ValueError(f"expected {rule}, but got {self._pattern_chars + len(pattern):,}")
        sets = self._large_sets + tried(pattern)
        if sets > MAX_LARGE_SETS:
            raise ValueError(f"{large_sets_rule(ceil(sets))} in all checks of a task")
        self._pattern_chars, self._large_sets = self._pattern_chars + len(pattern), sets

    def schema(self, schema: dict[str, Any]) -> None:
        """Tries a schema out. Raises ValueError when it is broken, or too costly together with earlier ones."""
        from planner_svc.checks.schemas import (  # only here: the library takes a while to import
            count_values,
            try_schema,
        )

        values = self._schema_values + count_values(schema)
        if values > MAX_SCHEMA_VALUES:
            raise ValueError(
                f"expected at most {MAX_SCHEMA_VALUES:,} values in all schemas of a task, but got {values:,}"
            )
        for pattern in try_schema(schema):
            where = f"schema at {pattern.pointer[:200]}"
            blaming(where, partial(self._add_pattern, tried=try_schema_pattern), pattern.text)
        self._schema_values = values


def check_from_json(raw: object, effort: Effort | None = None) -> Check:
    """Reads an entry of `validation.checks`. Raises ValueError, which says what is wrong.

    `effort` is shared by the checks of one task; without it, the check counts alone.
    """
    if not isinstance(raw, dict):
        raise ValueError(f"expected an object with a type, but got {described(raw)}")
    kind = raw.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise ValueError(f"expected a type out of {', '.join(_READERS)}, but got {described(kind)}{_hint(kind)}")
    check = read(raw, effort or Effort())
    if "file" not in CHECKS[str(kind)].fields:
        return check
    return replace(check, file=optional(raw, "file", file_path, ""))


def _hint(kind: object) -> str:
    near = closest(kind, _READERS) if isinstance(kind, str) else ()
    return f": did you mean {' or '.join(near)}?" if near else ""


def _json(_raw: dict[str, Any], _effort: Effort) -> Check:
    return JsonCheck()


def _json_schema(raw: dict[str, Any], effort: Effort) -> Check:
    schema = raw.get("schema")
    if not isinstance(schema, dict | bool):
        raise ValueError(f"expected a JSON Schema under schema, but got {described(schema)}")
    text = json_text(schema)
    if len(text.encode()) > MAX_SCHEMA_BYTES:
        raise ValueError(f"expected a schema of at most {MAX_SCHEMA_BYTES:,} bytes, but got {len(text.encode()):,}")
    if isinstance(schema, dict):
        effort.schema(exact_json(text))
    return JsonSchemaCheck(schema_json=text, lines=flag_of(raw, "lines"))


def _required_keys(raw: dict[str, Any], _effort: Effort) -> Check:
    keys = raw.get("keys")
    if not isinstance(keys, list) or not keys:
        raise ValueError(f"expected a list of keys that is not empty, but got {described(keys)}")
    if len(keys) > MAX_KEYS:
        raise ValueError(f"expected at most {MAX_KEYS:,} keys, but got {len(keys):,}")
    for n, key in enumerate(keys):
        if not isinstance(key, str) or not key:
            raise ValueError(f"expected each key to be a text that is not empty, but got {described(key)}")
        blaming(f"keys[{n}]", dotted_path, key)
    return RequiredKeysCheck(keys=tuple(keys))


def _regex(raw: dict[str, Any], effort: Effort) -> Check:
    pattern, absent = raw.get("pattern"), raw.get("absent")
    if not isinstance(pattern, str):
        raise ValueError(f"expected a regular expression under pattern, but got {described(pattern)}")
    if not isinstance(absent, bool | None):
        raise ValueError(f"expected absent to be true or false, but got {described(absent)}")
    effort.pattern(pattern)
    return RegexCheck(pattern=pattern, absent=bool(absent))


def _length(raw: dict[str, Any], _effort: Effort) -> Check:
    least, most = bounds(raw, "chars")
    return LengthCheck(min_chars=least, max_chars=most, visible=flag_of(raw, "visible"))


def _count(raw: dict[str, Any], _effort: Effort) -> Check:
    least, most = bounds(raw, "items")
    return CountCheck(path=optional(raw, "path", dotted_path, ""), min_items=least, max_items=most)


def _words(raw: dict[str, Any], _effort: Effort) -> Check:
    least, most = bounds(raw, "words")
    return WordsCheck(min_words=least, max_words=most)


def _language(raw: dict[str, Any], _effort: Effort) -> Check:
    code = raw.get("code")
    if not isinstance(code, str) or code not in LANGUAGES:
        rule = "the ISO 639-1 code of a language that can be told from its text, such as en or zh"
        raise ValueError(f"expected under code {rule}, but got {described(code)}")
    return LanguageCheck(code=code)


def _citations(raw: dict[str, Any], _effort: Effort) -> Check:
    least = required(raw, "min_citations", whole(1, MAX_CITATIONS))
    return CitationsCheck(min_citations=least, marks=optional(raw, "marks", _marks, ()))


def _marks(value: object) -> tuple[SourceMark, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"expected a list of {', '.join(_MARKS)}, but got {described(value)}")
    return tuple(dict.fromkeys(SourceMark(one_of(_MARKS)(mark)) for mark in value))


def _command(raw: dict[str, Any], _effort: Effort) -> Check:
    timeout = optional(raw, "timeout", seconds(LONGEST_CHECK_TIMEOUT), None)
    return CommandCheck(argv=required(raw, "argv", argv), timeout=timeout)


def _function(raw: dict[str, Any], _effort: Effort) -> Check:
    return FunctionCheck(name=required(raw, "name", name))


def _without_effort(read: Callable[[dict[str, Any]], Check]) -> Callable[[dict[str, Any], Effort], Check]:
    return lambda raw, _effort: read(raw)


_READERS: Mapping[str, Callable[[dict[str, Any], Effort], Check]] = MappingProxyType(
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
        **{kind: _without_effort(read) for kind, read in (*TEXT_READERS.items(), *FILE_READERS.items())},
    }
)


def check_to_json(check: Check) -> dict[str, Any]:
    """Returns the entry of `validation.checks` for a check; one made from a criterion has the criterion's number."""
    entry = _entry(check) | ({"file": check.file} if check.file else {})
    return {**entry, "criterion": check.criterion} if check.criterion else entry


def _entry(check: Check) -> dict[str, Any]:
    match check:
        case JsonCheck():
            return {"type": "json"}
        case JsonSchemaCheck():
            entry = {"type": "json_schema", "schema": json.loads(check.schema_json)}
            flags = {"lines": check.lines, "from_format": check.from_format}
            return entry | {name: True for name, is_set in flags.items() if is_set}
        case RequiredKeysCheck():
            return {"type": "required_keys", "keys": list(check.keys)}
        case RegexCheck():
            return {"type": "regex", "pattern": check.pattern, "absent": check.absent}
        case LengthCheck():
            visible = {"visible": True} if check.visible else {}
            return {"type": "length", "min_chars": check.min_chars, "max_chars": check.max_chars, **visible}
        case CountCheck():
            return {"type": "count", "path": check.path, "min_items": check.min_items, "max_items": check.max_items}
        case WordsCheck():
            return {"type": "words", "min_words": check.min_words, "max_words": check.max_words}
        case LanguageCheck():
            return {"type": "language", "code": check.code}
        case CitationsCheck():
            marks = {"marks": [mark.value for mark in check.marks]} if check.marks else {}
            return {"type": "citations", "min_citations": check.min_citations, **marks}
        case CommandCheck():
            return {"type": "command", "argv": list(check.argv), "timeout": seconds_to_json(check.timeout)}
        case FunctionCheck():
            return {"type": "function", "name": check.name}
        case _ if isinstance(check, FileCheck):
            return file_check_to_json(check)
        case _:
            return text_check_to_json(check)
