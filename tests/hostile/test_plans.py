"""Drawn plans, of which most compile: the compiler answers every one in little time, and with reasons."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from planner_svc import compiler
from tests.hostile.drawn_plans import drawn
from tests.hostile.fuzz_plans import exists, fuzz, look_at

INPUTS = 1_000  # about five seconds; `python -m tests.hostile.fuzz_plans` looks at as many as one likes


def test_drawn_plans_compile_or_are_told_why_not() -> None:
    counts = fuzz(INPUTS, seed=2)

    assert counts.failures == [], counts.failures[0][1]
    assert counts.compiled >= INPUTS / 2, counts
    assert counts.undamaged_compiled >= 0.9 * counts.undamaged, counts
    assert len(counts.codes) > 15, counts.codes


def test_the_same_seed_draws_the_same_plans() -> None:
    assert [drawn(3, n) for n in range(20)] == [drawn(3, n) for n in range(20)]


def test_the_search_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise ValueError("a fault")

    monkeypatch.setattr(compiler, "build_graph", failing)

    assert "a fault" in fuzz(20, seed=2).failures[0][1]


@pytest.mark.parametrize(
    ("path", "is_there"),
    [
        ("", True),
        ("tasks", True),
        ("tasks[0].input.artifacts[1]", True),
        ("tasks[0].input.parameters", True),
        ("tasks[0].nowhere.artifacts", False),
        ("tasks[1]", False),
        ("tasks[0].input.artifacts[2]", False),
        ("tasks[0].executor.command.argv[1]", True),
        ("tasks[0].executor.command.argv[2]", False),
        ("tasks[0].output.files[0]", True),
        ("tasks[0].output.files[1]", False),
    ],
)
def test_a_path_that_leads_nowhere_is_told_from_one_that_does(path: str, is_there: bool) -> None:
    task = {"input": {"artifacts": ["a", "b"]}, "executor": {"command": ["x", "y"]}, "output": {"files": "a"}}
    assert exists({"tasks": [task]}, path) == is_there


# ---------------------------------------------------------------- what a search would seldom draw


def large(count: int, task: Any) -> bytes:
    return json.dumps({"idea": "", "tasks": [task(n) for n in range(count)]}).encode()


def in_a_group(n: int) -> dict[str, Any]:
    return {"task_id": f"g_{n}", "dependencies": ["g_0"] if n else [], "input": {}, "output": {}}


def reader_of_its_own(n: int) -> dict[str, Any]:
    return {"task_id": f"t{n}", "input": {"artifacts": ["x"]}, "output": {"artifact": "x"}}


def ring(n: int) -> dict[str, Any]:
    return {"task_id": f"t{n}", "dependencies": [f"t{(n + 1) % 3_000}"], "input": {}, "output": {}}


def data_ring(n: int) -> dict[str, Any]:
    reads = [f"a{(n + 1) % 3_000}", f"a{(n + 2) % 3_000}"]
    return {"task_id": f"t{n}", "input": {"artifacts": reads}, "output": {"artifact": f"a{n}"}}


def star(n: int) -> dict[str, Any]:
    return {"task_id": f"t{n}", "dependencies": [f"t{m}" for m in range(min(n, 100))], "input": {}, "output": {}}


def anyhow(n: int) -> dict[str, Any]:
    chance = random.Random(n)
    above = f"t{chance.randrange(n)}" if n and chance.random() < 0.9 else ""
    waits = [f"t{chance.randrange(3_000)}" for _ in range(2)]
    return {"task_id": f"t{n}", "parent_id": above, "dependencies": waits, "input": {}, "output": {}}


@pytest.mark.parametrize("task", [in_a_group, reader_of_its_own, ring, data_ring, star, anyhow])
def test_three_thousand_tasks_of_any_shape_take_seconds_at_most(task: Any) -> None:
    look_at(large(3_000, task))
