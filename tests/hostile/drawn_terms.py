"""Terms of drawn tasks: their criteria, checks, judges and executors, and JSON of any kind."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Chance = random.Random
Raw = dict[str, Any]

TEXTS = (
    "", "a", "ordinary words",
    "调研报告", "Überblick", "U\u0308berblick", "👩\u200d👩\u200d👧", "a\x00b", "\x7f\x1b[31m", "\u202eabc\u202c",
    "ﬁ ſ ß İ ı", "١٢٣", "𝔘𝔫𝔦", "\ufeff", "\u2028line\u2029", "\uffff", "\U0010ffff", "“quoted” 'x' `y`", "a" * 3_000,
    "-5 − 5 0.05 12%", "[x](y) | z |", "{\"a\": 1}", "\\u0041 \\n", "\r\n\t", "e\u0301" * 50, "<|im_end|></think>",
)  # fmt: skip
CRITERIA = (
    "good", "is valid JSON", "at least three sources", "contains 'Mars'", "must not mention 'TODO'", "in German",
    "between 100 and 200 words", "不超过500字", "包含“金星”", "有效的JSON，包含a和b数组",
    "valid JSON with the keys a, b and c",
    "is at most 80 characters long", "ſix words", "has 3 items", "exactly 99999999999 words", "contains ''", "x" * 300,
)  # fmt: skip
PATTERNS = (
    "^# ", r"\d+", "[一-龥]", "(?i)straße", r"(?P<n>a)(?P=n)", "(?:a|b)*c", r"\bword\b", "a{1,1000}", "(?s).*",
    "(?<=a)b",
    "[[a]", "(?:(?:(?:a)+)+)+", r"\N{BULLET}", "", "x" * 1_000,
)  # fmt: skip
SCHEMAS: tuple[Any, ...] = (
    {}, True, False, {"type": "object", "required": ["a"]}, {"enum": ["a", 1, None, [], {}]}, {"const": {"$ref": "x"}},
    {"properties": {"children": {"items": {"$ref": "#"}}}}, {"$defs": {"a": {"minimum": 1e300}}, "$ref": "#/$defs/a"},
    {"$schema": "http://json-schema.org/draft-04/schema#", "enum": [{"a": 1}, {"a": 2}]}, {"pattern": "^[a-z]+$"},
    {"$schema": "http://json-schema.org/draft-07/schema", "dependencies": {"a": ["b"]}}, {"multipleOf": 0.01},
    {"anyOf": [{"type": "string"}, {"not": {}}]}, {"format": "date"}, {"x-unknown": {"deep": [[[[[1]]]]]}},
)  # fmt: skip
COLUMNS = (
    ["a", "é" * 99], ["a", {"name": "b", "type": "date", "may_be_empty": True}], None, ["x" * 1_000],
    [{"name": "a", "min": -0.5, "sum": 2**53 - 1, "unique": True}], [{"name": "n", "type": "integer", "max": 0}],
)  # fmt: skip
NAMES = ("model", "fetch", "gpt-5-mini", "a/b:c.d", "x" * 128)
NUMBERS = (0, 1, -1, 2**53, 2**63, 2**64, 10**300, 0.1, 1e-300, 1.7976931348623157e308, -0.0, 12345678901234567.89)


def value(chance: Chance, depth: int) -> Any:
    """Draws any JSON value."""
    kind = chance.randrange(8 if depth else 5)
    if kind < 2:
        return chance.choice(TEXTS)
    if kind < 4:
        return chance.choice(NUMBERS)
    if kind == 4:
        return chance.choice((None, True, False, [], {}))
    if kind < 6:
        return [value(chance, depth - 1) for _ in range(chance.randint(0, 4))]
    return {chance.choice(TEXTS): value(chance, depth - 1) for _ in range(chance.randint(0, 4))}


def nested(depth: int, chance: Chance) -> Any:
    found: Any = value(chance, 1)
    for _ in range(depth):
        found = [found] if chance.random() < 0.5 else {"a": found}
    return found


# ---------------------------------------------------------------- validations


def validation(chance: Chance, files: list[str]) -> Raw:
    """Draws a validation. `files`: the patterns of those that the task makes."""
    validation: Raw = {}
    if chance.random() < 0.7:
        validation["criteria"] = chance.choices(CRITERIA + TEXTS, k=chance.choice((1, 2, 5)))
    if chance.random() < 0.7:
        validation["checks"] = [_check(chance, files) for _ in range(chance.choice((1, 2, 4)))]
    if chance.random() < 0.2:
        validation["judge"] = chance.choice(
            (
                {"votes": 3},
                {"votes": 9, "needed": 9},
                {"model": "m"},
                {},
                {"images": True},
                {"images": False, "votes": 3},
            )
        )
    if chance.random() < 0.1:
        validation["human"] = chance.choice((True, False, None))
    if chance.random() < 0.1:
        validation["worded_checks"] = chance.choice((True, False))
    if chance.random() < 0.1:
        validation["canaries"] = [{"candidate": value(chance, 2), "good": False} for _ in range(2)]
        validation["canaries"] = [canary for canary in validation["canaries"] if canary["candidate"] is not None]
    return validation


def _bounds(chance: Chance, what: str) -> Raw:
    least, most = sorted(chance.choices((0, 1, 5, 10**6, 2**53), k=2))
    return chance.choice(({f"min_{what}": least}, {f"max_{what}": most}, {f"min_{what}": least, f"max_{what}": most}))


_CHECKS: dict[str, Callable[[Chance], Raw]] = {
    "json": lambda _: {},
    "json_schema": lambda chance: {"schema": chance.choice(SCHEMAS)},
    "required_keys": lambda chance: {"keys": chance.choices(("a", "a.b", "..", " ", "é", "x" * 500), k=2)},
    "regex": lambda chance: {"pattern": chance.choice(PATTERNS), "absent": chance.choice((True, False, None))},
    "length": lambda chance: _bounds(chance, "chars"),
    "words": lambda chance: _bounds(chance, "words"),
    "count": lambda chance: {**_bounds(chance, "items"), "path": chance.choice(("", "a", "a.b.c", ".", None))},
    "language": lambda chance: {"code": chance.choice(("en", "zh", "de"))},
    "citations": lambda chance: {"min_citations": chance.choice((1, 10**6))},
    "command": lambda chance: {"argv": ["check", chance.choice(("", "-x", "é" * 100))], "timeout": 0.5},
    "function": lambda chance: {"name": chance.choice(NAMES)},
    "sentences": lambda chance: _bounds(chance, "sentences"),
    "paragraphs": lambda chance: {**_bounds(chance, "paragraphs"), "separator": chance.choice(("***", "é", None))},
    "contains": lambda chance: {
        "phrases": chance.choices(("a", "é" * 99, "，"), k=2),
        "max_occurrences": chance.choice((None, 3)),
    },
    "starts_with": lambda chance: {"phrase": chance.choice(("a", "x" * 5_000)), "paragraph": chance.choice((None, 2))},
    "ends_with": lambda _: {"phrase": "a", "whole_words": True},
    "number": lambda chance: {"path": chance.choice(("", "a.b")), "max": chance.choice((-0.0, 2**53, 0.1))},
    "quoted": lambda _: {},
    "postscript": lambda chance: {"marker": chance.choice(("P.S.", "附言", None))},
    "file_size": lambda chance: _bounds(chance, "bytes"),
    "media_type": lambda chance: {"types": chance.choice(("image/png", ["text/*", "a/b+c"], ["Image/PNG"] * 3))},
    "image": lambda chance: {
        **{side: chance.choice((None, 1, 10**4)) for side in chance.sample(("min_width", "min_height"), 1)},
        **{side: chance.choice((None, 10**6)) for side in chance.sample(("max_width", "max_height"), 1)},
        "may_be_blank": chance.choice((True, None)),
    },
    "table": lambda chance: _table(chance.choice(COLUMNS), chance),
    "archive_safe": lambda chance: {
        "max_members": chance.choice((None, 1, 10**6)),
        "max_unpacked_bytes": chance.choice((None, 1, 2**40)),
    },
}
_WITHOUT_FILE = ("command", "function")  # checks that are given all files


def _table(columns: Any, chance: Chance) -> Raw:
    only = {"only_these": True} if columns and chance.random() < 0.3 else {}
    return {"columns": columns, **only, "max_rows": chance.choice((None, 0, 2**53))}


def _check(chance: Chance, files: list[str]) -> Raw:
    """Draws a check. `files`: the patterns of those that the task makes; one of them may be looked at."""
    if files and chance.random() < 0.2:
        return {"type": "required_files", "files": chance.choice((files, files[0], files * 3))}
    kind = chance.choice([*_CHECKS])
    at = {"file": chance.choice(files)} if files and kind not in _WITHOUT_FILE and chance.random() < 0.6 else {}
    return {"type": kind, **_CHECKS[kind](chance), **at}


def executor(chance: Chance) -> Any:
    return chance.choice(
        (
            "fetch",
            {"name": "model", "model": chance.choice(NAMES), "temperature": chance.choice((0, 0.7, 2))},
            {"labels": {"zone": "eu", "": "x"} if chance.random() < 0.02 else {"zone": chance.choice(("", "eu"))}},
            {"escalation": [chance.choice(NAMES)] * chance.choice((1, 5)), "max_failures": 1_000},
            {"run_timeout": chance.choice((1, 0.001, 2_592_000)), "idle_timeout": 1, "max_tokens": 10_000_000},
            {"command": ["sort", "-u"]},
            {"name": "command", "command": {"argv": ["a" * 1_000], "memory_mib": 16}},
            {},
        )
    )
