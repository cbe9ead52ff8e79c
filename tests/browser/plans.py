"""The plans that the tests run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Task = dict[str, Any]


def text_of(plan: Mapping[str, Any]) -> str:
    return json.dumps(plan, ensure_ascii=False, indent=2)


def task(task_id: str, *after: str, human: bool = False, **more: Any) -> Task:
    """Returns a task that a model does."""
    validation = {"criteria": ["It is about its subject"], "human": human}
    return {
        "task_id": task_id,
        "description": f"Write about subject {task_id}",
        "input": {"description": "What is known of it"},
        "output": {"artifact": f"text_{task_id}", "format": "Markdown"},
        "dependencies": list(after),
        "validation": validation,
        **more,
    }


def printing(task_id: str, content: str, *, form: str = "text", **more: Any) -> Task:
    """Returns a task whose candidate is this very text."""
    return {
        "task_id": task_id,
        "description": f"Print {task_id}",
        "input": {"description": "Nothing"},
        "output": {"artifact": f"printed_{task_id}", "format": form},
        "executor": {"command": {"argv": ["printf", "%s", content]}},
        **more,
    }


def plan(*tasks: Task, idea: str = "A plan of the browser's tests") -> Mapping[str, Any]:
    return {"idea": idea, "tasks": list(tasks)}


def chain(length: int, **more: Any) -> Mapping[str, Any]:
    """Returns a plan of tasks one after the other."""
    return plan(*(task(str(n), *([str(n - 1)] if n > 1 else []), **more) for n in range(1, length + 1)))


def wide(length: int) -> Mapping[str, Any]:
    """Returns a plan of tasks that need nothing from each other."""
    return plan(*(task(str(n)) for n in range(1, length + 1)))


#: Two tasks, the second of which waits for a person.
FOR_A_PERSON = plan(task("1"), task("2", "1", human=True), idea="Something that a person signs off")
