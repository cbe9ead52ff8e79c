"""Reads `output.files`: the patterns of the files that a task's result is made of."""

from __future__ import annotations

from planner_svc.diagnostics import described, quoted
from planner_svc.model import TaskOutput
from planner_svc.read.fields import Blame
from signoff.manifest.media_types import may_be_text
from signoff.plan.glossary import MODEL
from signoff.plan.inputs import problem_of_path

MOST_PATTERNS = 100
FILES_BY_MODEL = (
    "a model answers with one text and writes no files: give the task a command or a function of an app as its "
    "executor, or leave files out and say what the text is in format"
)


def files_from_json(raw: object, blame: Blame) -> tuple[str, ...]:
    """Reads the patterns; a text is short for a list of one. None or a mistake: there are none."""
    if raw is None:
        return ()
    given = [raw] if isinstance(raw, str) else raw
    if not isinstance(given, list) or not given:
        got = "an empty list" if given == [] else described(given)
        blame("output.files", f'expected a list of paths or patterns such as "charts/*.png", but got {got}')
        return ()
    if len(given) > MOST_PATTERNS:
        blame("output.files", f"expected at most {MOST_PATTERNS} paths and patterns, but got {len(given):,}")
        return ()
    problems = [(f"output.files[{n}]", _problem_of(pattern)) for n, pattern in enumerate(given)]
    for place, problem in problems:
        if problem:
            blame(place, problem)
    return () if any(problem for _, problem in problems) else tuple(given)


def _problem_of(pattern: object) -> str:
    """Says what is wrong with a pattern; empty: nothing."""
    if not isinstance(pattern, str):
        return f"expected a path or a pattern, but got {described(pattern)}"
    problem = problem_of_path(pattern)
    return f"{problem}: got {quoted(pattern)}" if problem else ""


def is_made_by_a_model(executor: object) -> bool:
    """Tells whether the executor of a task, as the plan has it, is a model: the one that is taken without any."""
    if isinstance(executor, dict):
        return executor.get("command") is None and executor.get("name") in (None, "", MODEL)
    return executor in (None, "", MODEL)


def has_no_text(output: TaskOutput | None) -> bool:
    """Tells whether the main file of an output cannot be a text, so that no criterion about words becomes a check."""
    return output is not None and bool(output.files) and not may_be_text(output.files[0])
