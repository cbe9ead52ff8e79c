"""Placeholders become paths, and the rest of argv stays."""

from __future__ import annotations

import sys

import pytest

from tests.support.work.givens import artifact
from tests.support.work.programs import commanded, judged
from worker_svc.assignment import Assignment
from worker_svc.commands.arguments import BadCommand, arguments, command_in_words
from worker_svc.commands.folder import layout_of

TASK = commanded("true", inputs=(artifact("red", name="colour", task_id="1"), artifact("x", "Farbe 色", "2")))


def filled(argument: str, assignment: Assignment = TASK) -> str:
    return arguments(["cat", argument], assignment, layout_of(assignment))[1]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("{task}", "task.json"),
        ("{inputs}", "inputs"),
        ("--file={inputs}/x", "--file=inputs/x"),
        ("{input:colour}", "inputs/colour.txt"),
        ("{input:1}", "inputs/colour.txt"),
        ("{input:Farbe 色}:{input:colour}", "inputs/Farbe_色.txt:inputs/colour.txt"),
        ("{{task}}", "{task}"),
        ("{{input:missing}}", "{input:missing}"),
        ("{{{task}}}", "{{task}}"),
        ("{task}}", "task.json}"),
        ('{"a": {"b": {}}}', '{"a": {"b": {}}}'),
        ("{{ x }} {} {y} {Task} {input:} {input}", "{{ x }} {} {y} {Task} {input:} {input}"),
        ("{n: {task for task in tasks}}", "{n: {task for task in tasks}}"),
    ],
)
def test_only_placeholders_are_replaced(argument: str, expected: str) -> None:
    assert filled(argument) == expected


def test_a_check_has_its_candidate() -> None:
    assert filled("{candidate} {{candidate}}", judged("{}", "application/json")) == "candidate.json {candidate}"


def test_a_task_has_none() -> None:
    with pytest.raises(BadCommand, match=r"expected \{candidate\} in a check only"):
        filled("{candidate}")


def test_a_missing_input_is_a_problem_of_the_plan() -> None:
    with pytest.raises(BadCommand, match=r"expected an input named shape, but the task receives colour, Farbe 色$"):
        filled("{input:shape}")
    with pytest.raises(BadCommand, match=r"expected an input named shape, but the task receives nothing$"):
        filled("{input:shape}", commanded("true"))


def test_what_replaces_a_placeholder_is_not_looked_at_again() -> None:
    task = commanded("true", inputs=(artifact("x", name="task"),))
    assert filled("{input:task}", task) == "inputs/task.txt"


@pytest.mark.parametrize(
    ("program", "run"),
    [("python", sys.executable), ("python3", sys.executable), ("python3.11", "python3.11"), ("awk", "awk")],
)
def test_python_is_the_workers_own(program: str, run: str) -> None:
    assert arguments([program, "python"], TASK, layout_of(TASK)) == (run, "python")


def test_a_command_in_words_is_one_line_and_short() -> None:
    assert command_in_words(["awk", "NR == 1"]) == "`awk 'NR == 1'`"
    words = command_in_words(["python", "-c", "import sys\n" * 100])
    assert words.startswith("`python -c 'import sys import sys import")
    assert words.endswith("…`")
    assert len(words) == 122
