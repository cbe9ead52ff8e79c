"""Results of several files: how a plan names them, and what the compiler says of plans that cannot work."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner_svc.diagnostics import Severity
from planner_svc.wire.execution_json import execution_json
from planner_svc.wire.plan import spec_from_proto
from signoff.v1 import plan_pb2
from tests.support.values.trees import atomic, codes, compiled

COMMAND = {"command": ["python", "/srv/report.py"]}


def with_files(files: Any, executor: Any = COMMAND, **more: Any) -> Any:
    """Compiles a plan of one task with these files."""
    output = {"description": "a report", "files": files, **more.pop("output", {})}
    return compiled(atomic("1", output=output, executor=executor, **more))


def test_patterns_reach_the_worker_and_people_as_they_are() -> None:
    result = with_files(["report.md", "charts/*.png"], validation={"human": True, "judge": {"images": True}})
    assert not codes(result)
    assert result.map is not None
    message = plan_pb2.MapTask.FromString(result.encoded.tasks[0])
    assert list(message.spec.output.files) == ["report.md", "charts/*.png"]
    assert message.spec.validation.judge.images
    assert spec_from_proto(message.spec) == result.map.tasks[0]._replace(position=0)
    (task,) = json.loads(execution_json(result.map))["tasks"]
    assert task["output"]["files"] == ["report.md", "charts/*.png"]
    assert task["validation"]["judge"] == {"images": True}


def test_a_text_is_short_for_a_list_of_one() -> None:
    result = with_files("report.md", validation={"human": True})
    assert result.map is not None
    assert result.map.tasks[0].output.files == ("report.md",)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], 'expected a list of paths or patterns such as "charts/*.png", but got an empty list'),
        (7, "but got a number"),
        ([7], "expected a path or a pattern, but got a number"),
        (["a"] * 101, "expected at most 100 paths and patterns, but got 101"),
        (["../a"], 'without ".."'),
        (["/etc/passwd"], 'with "/" between them'),
        (["a\nb"], "without control characters"),
        (["x" * 1025], "at most 1,024 characters, but got 1,025"),
        ([""], "expected a path of names"),
    ],
)
def test_what_is_no_pattern_is_an_error_that_says_where(files: Any, said: str) -> None:
    result = with_files(files, validation={"human": True})
    (diagnostic,) = result.diagnostics
    assert (diagnostic.code, diagnostic.severity) == ("malformed-output", Severity.ERROR)
    assert diagnostic.path.startswith("tasks[0].output.files")
    assert said in diagnostic.message


@pytest.mark.parametrize("executor", [None, "model", {"model": "m"}, {"name": "model"}])
def test_a_model_writes_no_files(executor: Any) -> None:
    result = with_files("report.md", executor, validation={"human": True})
    (diagnostic,) = result.diagnostics
    assert (diagnostic.code, diagnostic.severity) == ("files-by-model", Severity.ERROR)
    assert "give the task a command or a function of an app as its executor" in diagnostic.message


def test_a_function_of_an_app_writes_files() -> None:
    assert codes(with_files("report.md", "draw", validation={"human": True})) == set()


def test_the_format_of_files_promises_nothing() -> None:
    result = with_files("a.json", output={"format": "JSON: { a: string }"}, validation={"human": True})
    assert not codes(result)
    assert result.map is not None
    assert result.map.tasks[0].validation.checks == ()


@pytest.mark.parametrize(("files", "checks"), [(["a.md", "b.png"], 1), (["b.png", "a.md"], 0), (["data"], 1)])
def test_criteria_become_checks_of_a_main_file_that_may_be_a_text(files: list[str], checks: int) -> None:
    result = with_files(files, validation={"criteria": ["has at most 100 words"], "human": True})
    assert result.map is not None
    assert len(result.map.tasks[0].validation.checks) == checks


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ({"criteria": ["the bars are blue"]}, ["unseen-files"]),
        ({"description": "nice"}, ["unseen-files"]),
        ({"criteria": ["the bars are blue"], "judge": {"images": True}}, []),
        ({"criteria": ["the bars are blue"], "human": True}, []),
        ({"checks": [{"type": "command", "argv": ["true"]}]}, []),
    ],
)
def test_criteria_about_files_that_no_judge_can_read_are_a_warning(validation: Any, expected: list[str]) -> None:
    assert sorted(codes(with_files(["charts/*.png", "data.zip"], validation=validation))) == expected


def test_criteria_about_files_among_which_may_be_texts_are_none() -> None:
    assert codes(with_files(["charts/*"], validation={"criteria": ["the bars are blue"]})) == set()
