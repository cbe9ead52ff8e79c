"""Plans drawn by chance: most of them good and odd, the others damaged in one place.

The same seed and number give the same plan. A good one may hold anything that docs/reference/plans.md
allows: trees of any shape, dependencies of all kinds, every check, results of several files, inputs and their places,
texts of any script, numbers of any size, deep parameters.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from tests.hostile.drawn_terms import TEXTS, Chance, Raw, executor, nested, validation, value

DAMAGED = 0.3  # of all plans

FORMATS = (
    "", "Markdown", "JSON", "JSON: { a: string[], b: number }", "JSON: [{ title, year }]", "json", "JSON array of x",
    "JSON: {{{{", "纯文本", "JSON: " + "a, " * 1_000,
)  # fmt: skip
FILES = (
    "report.md", "charts/*.png", "**/*.csv", "*", "a?.txt", ".hidden", "金星/é.txt", "a b.md", "x" * 255, "a[1].md",
    "a/" * 50 + "b", "data.json", "code.zip", "e\u0301/*", "{a,b}.md", "**",
)  # fmt: skip
INPUTS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("data", "file", ("data/*.csv", "a.txt", "**", "金星.txt", None)),
    ("scan", "folder", ("scans/", ".", "a/b", None)),
    ("release", "text", ("2.4", "x" * 9_000, "{{inputs.notes}}", "“金星” {{", None)),
    ("notes", "text", TEXTS),
    ("opts", "json", ({}, [1, 2.50, None], "text", 0, 10**300, {"a": {"b": [[]]}}, None)),
)
MAKERS_OF_FILES: tuple[Any, ...] = (
    "fetch", {"command": ["python3", "make.py"]}, {"name": "draw", "run_timeout": 5}, {"command": {"argv": ["sort"]}},
)  # fmt: skip


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
        task[chance.choice(("x-note", "_private", "stage", "title"))] = value(chance, 3)
    return task


def _work(n: int, count: int, chance: Chance) -> Raw:
    """Draws the fields that make a task atomic, and its validation."""
    read = [f"a{other}" for other in range(count) if other != n and chance.random() < min(0.5, 2 / count)]
    task: Raw = {"input": {"artifacts": read}, "output": {"artifact": f"a{n}", "format": chance.choice(FORMATS)}}
    if chance.random() < 0.3:
        task["input"]["parameters"] = value(chance, chance.choice((1, 3, 6)))
    if chance.random() < 0.02:
        task["input"]["parameters"] = nested(chance.choice((50, 150, 190)), chance)
    files = chance.choices(FILES, k=chance.choice((1, 2, 5))) if chance.random() < 0.25 else []
    if files:
        task["output"]["files"] = files[0] if chance.random() < 0.2 else files
        task["executor"] = chance.choice(MAKERS_OF_FILES)
    elif chance.random() < 0.3:
        task["executor"] = executor(chance)
    if chance.random() < 0.7:
        named = [files[0]] if isinstance(task["output"].get("files"), str) else files
        task["validation"] = validation(chance, named)
    return task


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
