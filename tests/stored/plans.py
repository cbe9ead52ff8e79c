"""The plans of the stories."""

from __future__ import annotations

from typing import Any

from tests.stored.answers import Json
from tests.stored.crew import AWAY, PRESS

CANARIES = [
    {"candidate": "a good one", "good": True},
    {"candidate": "bad, and seen to be", "good": False},
    {"candidate": "worse, and taken for good", "good": False},
]


def task(task_id: str, made: str, reads: list[str] | None = None, **more: Any) -> Json:
    """Returns a task that makes a text, or what `output` says."""
    return {
        "task_id": task_id,
        "description": f"Makes {made}",
        "input": {"description": "what is there", "artifacts": reads or []},
        "output": {"description": made, "artifact": made, **more.pop("output", {"format": "text"})},
        "validation": {"criteria": ["Reads well to a careful reader"], **more.pop("validation", {})},
        **more,
    }


REPORT: Json = {
    "idea": "Report what was found",
    "tasks": [
        {"task_id": "1", "description": "Collect", "budget": {"tokens": 1_000_000}},
        task("1_1", "facts", validation={"canaries": CANARIES}),
        task("1_2", "appendix"),
        {"task_id": "2", "description": "Write", "dependencies": ["1"]},
        task("2_1", "report", ["facts", "appendix"]),
        task("2_2", "summary", ["report"], dependencies=["2_1"], executor={"max_failures": 2}),
    ],
}
LETTER: Json = {
    "idea": "Write a letter",
    "tasks": [
        task("draft", "draft"),
        task("copy", "copy", ["draft"], dependencies=["draft"]),
        task("final", "letter", ["copy"], dependencies=["copy"], validation={"human": True}),
    ],
}
#: One task, for a model of its own: while that is away, no other plan waits.
QUESTION: Json = {"idea": "Ask once", "tasks": [task("ask", "answer", executor={"model": AWAY})]}
#: Inputs of all kinds; results of files, one of which a person signs off.
SHOP: Json = {
    "idea": "Tell the shop about {{inputs.month}}",
    "inputs": {
        "month": {"text": None, "description": "The month that it is about"},
        "goals": {"json": None},
        "rules": {"file": None},
        "sales": {"folder": None, "description": "The sales of each region"},
    },
    "tasks": [
        task(
            "table",
            "table",
            ["sales", "rules", "goals"],
            executor=PRESS,
            output={"files": ["table.csv", "notes/*.txt"]},
            validation={"checks": [{"type": "required_files", "files": ["table.csv"]}]},
        ),
        task(
            "charts",
            "charts",
            ["table", "month"],
            dependencies=["table"],
            executor=PRESS,
            output={"files": ["report.md", "charts/*.txt"]},
            validation={"human": True},
        ),
        task("summary", "summary", ["charts"], dependencies=["charts"]),
    ],
}
#: The same, but its table is judged by another criterion.
STRICTER_SHOP: Json = {
    **SHOP,
    "tasks": [{**SHOP["tasks"][0], "validation": {"criteria": ["Every region is in it"]}}, *SHOP["tasks"][1:]],
}
PLANS = {"report": REPORT, "letter": LETTER, "question": QUESTION, "shop": SHOP}
