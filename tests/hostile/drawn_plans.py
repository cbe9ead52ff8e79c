"""Plans drawn by chance: most of them good and odd, the others damaged in one place.

The same seed and number give the same plan. A good one may hold anything that docs/reference/plans.md
allows: trees of any shape, dependencies of all kinds, every check, results of several files, inputs and their places,
texts of any script, numbers of any size, deep parameters.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

Chance = random.Random
Raw = dict[str, Any]

DAMAGED = 0.3  # of all plans

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
FORMATS = (
    "", "Markdown", "JSON", "JSON: { a: string[], b: number }", "JSON: [{ title, year }]", "json", "JSON array of x",
    "JSON: {{{{", "纯文本", "JSON: " + "a, " * 1_000,
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
FILES = (
    "report.md", "charts/*.png", "**/*.csv", "*", "a?.txt", ".hidden", "金星/é.txt", "a b.md", "x" * 1_000, "a[1].md",
    "a/" * 50 + "b", "data.json", "code.zip", "e\u0301/*", "{a,b}.md", "**",
)  # fmt: skip
COLUMNS = (
    ["a", "é" * 99], ["a", {"name": "b", "type": "date", "may_be_empty": True}], None, ["x" * 1_000],
    [{"name": "a", "min": -0.5, "sum": 2**53 - 1, "unique": True}], [{"name": "n", "type": "integer", "max": 0}],
)  # fmt: skip
INPUTS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("data", "file", ("data/*.csv", "a.txt", "**", "金星.txt", None)),
    ("scan", "folder", ("scans/", ".", "a/b", None)),
    ("release", "text", ("2.4", "x" * 9_000, "{{inputs.notes}}", "“金星” {{", None)),
    ("notes", "text", TEXTS),
    ("opts", "json", ({}, [1, 2.50, None], "text", 0, 10**300, {"a": {"b": [[]]}}, None)),
)
NAMES = ("model", "fetch", "gpt-5-mini", "a/b:c.d", "x" * 128)
MAKERS_OF_FILES: tuple[Any, ...] = (
    "fetch", {"command": ["python3", "make.py"]}, {"name": "draw", "run_timeout": 5}, {"command": {"argv": ["sort"]}},
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**53, 2**63, 2**64, 10**300, 0.1, 1e-300, 1.7976931348623157e308, -0.0, 12345678901234567.89)


def drawn(seed: int, number: int) -> tuple[bytes, bool]:
    """Returns the bytes of a plan, and whether it is as it was drawn, without damage."""
    chance = Chance(f"{seed}/{number}")
    plan = _plan(chance)
    if chance.random() >= DAMAGED:
        return _encoded(plan, chance), True
    if chance.random() < 0.3:
        return _damaged_bytes(_encoded(plan, chance), chance), False
    return _encoded(_damaged(plan, chance), chance), False


def _encoded(plan: Any, chance: Chance) -> bytes:
    """Writes JSON in one of the ways that people and programs write it."""
    data = json.dumps(plan, ensure_ascii=chance.random() < 0.5, indent=1 if chance.random() < 0.05 else None)
    return (b"\xef\xbb\xbf" if chance.random() < 0.05 else b"") + data.encode("utf-8", "surrogatepass")


# ---------------------------------------------------------------- trees


def _plan(chance: Chance) -> Raw:
    nodes = _tree(chance)
    inputs = _inputs(chance)
    tasks = [_task(n, nodes, chance) for n in range(len(nodes))]
    for task in tasks:
        if inputs and "output" in task:
            _use(inputs, task, chance)
    if chance.random() < 0.3:
        chance.shuffle(tasks)
    said = {"inputs": inputs} if inputs or chance.random() < 0.05 else {}
    return {**said, "idea": chance.choice(TEXTS), "tasks": tasks, **({"$schema": "x"} if chance.random() < 0.1 else {})}


def _tree(chance: Chance) -> list[list[int]]:
    """Returns the ancestors of each node, the nearest last; parents come before their children."""
    count = chance.choice((1, 1, 2, 2, 3, 3, 5, 8)) if chance.random() < 0.99 else chance.choice((13, 30, 100))
    count = count if chance.random() < 0.9995 else chance.choice((1_001, 1_100))
    style = chance.choice(("flat", "chain", "any", "any", "wide"))
    nodes: list[list[int]] = []
    for n in range(count):
        above: list[int] = []
        if n and style == "chain":
            above = [*nodes[-1], n - 1]
        elif n and style != "flat" and chance.random() < 0.8:
            near = nodes[-1] + [n - 1] if style == "any" else nodes[0] + [0]
            above = near[: chance.randint(0, len(near))]
        nodes.append(above)
    return nodes


def _task(n: int, nodes: list[list[int]], chance: Chance) -> Raw:
    above, names = nodes[n], [f"t{other}" for other in range(len(nodes))]
    is_group = n + 1 < len(nodes) and n in nodes[n + 1]
    task: Raw = {"task_id": names[n], "parent_id": names[above[-1]] if above else chance.choice(("", None, "0"))}
    earlier = [other for other in range(n) if other not in above]
    if earlier and chance.random() < 0.6:
        task["dependencies"] = [names[other] for other in chance.choices(earlier, k=chance.randint(1, 3))]
    if above and chance.random() < 0.05:
        task.setdefault("dependencies", []).append(names[above[0]])  # its own ancestor: a warning
    if chance.random() < 0.8:
        task["description"] = chance.choice(TEXTS)
    if not is_group or chance.random() < 0.1:
        task |= _work(n, len(nodes), chance)
    if chance.random() < 0.2:
        task["budget"] = chance.choice(({"tokens": 0}, {"cost": 0.1}, {"tokens": 2**53, "cost": 1e9}))
    if chance.random() < 0.05:
        task[chance.choice(("x-note", "_private", "stage", "title"))] = _value(chance, 3)
    return task


def _work(n: int, count: int, chance: Chance) -> Raw:
    """Draws the fields that make a task atomic, and its validation."""
    read = [f"a{other}" for other in range(count) if other != n and chance.random() < min(0.5, 2 / count)]
    task: Raw = {"input": {"artifacts": read}, "output": {"artifact": f"a{n}", "format": chance.choice(FORMATS)}}
    if chance.random() < 0.3:
        task["input"]["parameters"] = _value(chance, chance.choice((1, 3, 6)))
    if chance.random() < 0.02:
        task["input"]["parameters"] = _nested(chance.choice((50, 150, 190)), chance)
    files = chance.choices(FILES, k=chance.choice((1, 2, 5))) if chance.random() < 0.25 else []
    if files:
        task["output"]["files"] = files[0] if chance.random() < 0.2 else files
        task["executor"] = chance.choice(MAKERS_OF_FILES)
    elif chance.random() < 0.3:
        task["executor"] = _executor(chance)
    if chance.random() < 0.7:
        named = [files[0]] if isinstance(task["output"].get("files"), str) else files
        task["validation"] = _validation(chance, named)
    return task


def _value(chance: Chance, depth: int) -> Any:
    """Draws any JSON value."""
    kind = chance.randrange(8 if depth else 5)
    if kind < 2:
        return chance.choice(TEXTS)
    if kind < 4:
        return chance.choice(NUMBERS)
    if kind == 4:
        return chance.choice((None, True, False, [], {}))
    if kind < 6:
        return [_value(chance, depth - 1) for _ in range(chance.randint(0, 4))]
    return {chance.choice(TEXTS): _value(chance, depth - 1) for _ in range(chance.randint(0, 4))}


def _nested(depth: int, chance: Chance) -> Any:
    value: Any = _value(chance, 1)
    for _ in range(depth):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value


# ---------------------------------------------------------------- inputs


def _inputs(chance: Chance) -> Raw:
    """Draws the inputs that a plan declares: mostly none."""
    if chance.random() < 0.6:
        return {}
    declared = chance.sample(INPUTS, chance.randint(1, len(INPUTS)))
    described = {"description": chance.choice(TEXTS[:8])} if chance.random() < 0.3 else {}
    return {name: {kind: chance.choice(values), **described} for name, kind, values in declared}


def _use(inputs: Raw, task: Raw, chance: Chance) -> None:
    """Has a task read inputs, and puts places for them into its texts."""
    if chance.random() < 0.5:
        task["input"]["artifacts"].append(chance.choice([*inputs]))
    filled = [name for name in ("release", "notes", "opts") if name in inputs]
    if not filled or chance.random() < 0.4:
        return
    place = f"{{{{{chance.choice(('', ' '))}inputs.{chance.choice(filled)}{chance.choice(('', ' '))}}}}}"
    task["description"] = f"{task.get('description', '')} {place}" * chance.choice((1, 1, 20))
    if chance.random() < 0.5:
        task["input"]["parameters"] = {"whole": place, "in a text": f"a {place} b", "deep": [[{"a": place}]]}
    if chance.random() < 0.5 and "validation" in task:
        task["validation"].setdefault("criteria", []).append(f"It says {place}")
    if chance.random() < 0.3 and "validation" in task and inputs.get("release", {}).get("text"):
        phrase = {"type": "contains", "phrases": ["{{inputs.release}}"]}
        task["validation"].setdefault("checks", []).append(phrase)


# ---------------------------------------------------------------- terms


def _validation(chance: Chance, files: list[str]) -> Raw:
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
        validation["canaries"] = [{"candidate": _value(chance, 2), "good": False} for _ in range(2)]
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


def _executor(chance: Chance) -> Any:
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


# ---------------------------------------------------------------- damage


_STRAY = (b"\\ud800", b"\\u0000", b"\xff", b"1e999", b"[" * 300)


def _damaged_bytes(data: bytes, chance: Chance) -> bytes:
    place = chance.randrange(len(data))
    return chance.choice(
        (
            lambda: data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :],
            lambda: data[:place] + data[place + chance.randint(1, 9) :],
            lambda: data[:place],
            lambda: (
                data[:place] + chance.choice((b"\\ud800", b"\\u0000", b"\xff", b"1e999", b"[" * 300)) + data[place:]
            ),
            lambda: data[:place] + data[place // 2 : place] + data[place:],
            lambda: re.sub(rb"[0-9]+", b"9" * chance.choice((20, 400, 5_000)), data, count=1),
        )
    )()


_WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**400, "", "\x00", "x" * 2_000, "é" * 200_000, [], [[]], {}, {"": {}}, ["", None, 3],
    [{"type": "regex", "pattern": "("}] * 300, "(" * 200 + ")" * 200, [""] * 2_000, "." * 20_000,
    {"$ref": "#"}, {"enum": [[1]] * 3}, {"required": [[n] for n in range(300)]}, "[一-龥]" * 200,
    {"a": {"$ref": "#/b"}}, "../x", ["/etc/passwd"], ["a"] * 101, "a\\b", "{{inputs.nowhere}}", "{{inputs.data}}",
    [{"file": 3}], {"file": "a", "folder": "b"}, {"a.b": {"text": ""}}, {"text": {}}, "{{inputs.release}}",
)  # fmt: skip


def _damaged(plan: Raw, chance: Chance) -> Any:
    """Drops, renames or doubles one field, or gives it another kind of value."""
    plan = copy.deepcopy(plan)
    holder, key = chance.choice(_places(plan))
    kind = chance.randrange(4)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)
    elif kind == 2 and isinstance(holder, list):
        holder.extend([holder[key]] * chance.choice((1, 2, 600)))
    else:
        holder[key] = chance.choice(_WRONG)
    return plan


def _places(plan: Any) -> list[tuple[Any, Any]]:
    """Returns every place of a plan: the container, and the key or index in it."""
    found: list[tuple[Any, Any]] = []
    pending = [plan]
    while pending:
        holder = pending.pop()
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        found += [(holder, key) for key in keys]
        pending += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found
