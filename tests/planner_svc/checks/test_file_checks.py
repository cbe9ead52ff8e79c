"""Checks of files in plans: what is read of them, and what is refused with the place of the mistake."""

from __future__ import annotations

from typing import Any

import pytest

from planner_svc.checks.file_kinds import ColumnType, MediaTypeCheck, RequiredFilesCheck, TableCheck, TableColumn
from planner_svc.checks.structured import check_from_json
from planner_svc.compiler import Compiled
from tests.support.values.trees import atomic, compiled

LARGE = {"type": "image", "min_width": 20_000, "min_height": 20_000}


def with_files(check: Any, files: list[str] | None) -> Compiled:
    """Compiles a plan of one task, with one check, that makes files, or one content."""
    output = {"artifact": "a", **({"files": files} if files else {})}
    return compiled(atomic("1", output=output, executor="make", validation={"checks": [check]}))


def problem_of(check: Any, files: list[str] | None = None) -> str:
    """Returns what the compiler says of a check, with its place."""
    (told,) = (told for told in with_files(check, files).diagnostics if told.code != "no-criteria")
    assert told.code == "malformed-check"
    assert told.path.startswith("tasks[0].validation.checks[0]")
    return told.message.removeprefix("tasks[0].validation.checks[0]")


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ({"type": "required_files"}, "files: expected a list of paths that is not empty, but got nothing"),
        (
            {"type": "required_files", "files": [1]},
            "files: expected the path of a file, or a pattern, but got a number",
        ),
        ({"type": "required_files", "files": ["../a"]}, 'without ".." and "\\": \'../a\''),
        ({"type": "required_files", "files": ["a\n"]}, "expected a path without control characters: 'a\\n'"),
        ({"type": "required_files", "files": ["a"] * 1_001}, "expected at most 1,000 paths, but got 1,001"),
        ({"type": "file_size"}, "expected min_bytes or max_bytes, but got neither"),
        ({"type": "file_size", "min_bytes": 2, "max_bytes": 1}, "min_bytes to be at most max_bytes, but got 2 and 1"),
        ({"type": "file_size", "max_bytes": -1}, "max_bytes: expected a whole number of 0 or more, but got -1"),
        ({"type": "media_type", "types": []}, "expected a list of media types that is not empty, but got a list"),
        ({"type": "media_type", "types": "png"}, 'a media type such as "image/png" or "image/*", but got \'png\''),
        ({"type": "media_type", "types": "*/*"}, "but got '*/*'"),
        ({"type": "image", "min_width": 0}, "min_width: expected a whole number from 1 to 1,000,000, but got 0"),
        ({"type": "image", "min_height": 9, "max_height": 3}, "min_height to be at most max_height, but got 9 and 3"),
        (LARGE, "at most 100,000,000 pixels, for larger pictures are not read, but got 400,000,000"),
        ({"type": "table", "min_rows": 2, "max_rows": 1}, "expected min_rows to be at most max_rows, but got 2 and 1"),
        ({"type": "table", "only_these": True}, "expected columns beside only_these, but got none"),
        ({"type": "table", "columns": {}}, "columns: expected a list of columns that is not empty, but got an object"),
        ({"type": "table", "columns": ["a", "a"]}, "columns[1]: expected each column once, but got 'a' twice"),
        ({"type": "table", "columns": [{}]}, "columns[0]: name: expected a text that is not empty, but got nothing"),
        (
            {"type": "table", "columns": ["a", {"name": "b", "type": "float"}]},
            "columns[1]: type: expected one of text, integer, number, date, boolean, but got 'float'",
        ),
        (
            {"type": "table", "columns": [{"name": "b", "min": 2, "max": 1}]},
            "columns[0]: expected min to be at most max, but got 2.0 and 1.0",
        ),
        (
            {"type": "table", "columns": [{"name": "b", "type": "date", "min": 2, "sum": 3}]},
            "columns[0]: expected type integer or number beside min and sum, but got 'date'",
        ),
        ({"type": "table", "columns": [{"name": "b", "colour": 1}]}, "columns[0]: expected fields out of name, type"),
        ({"type": "archive_safe", "max_members": 0}, "max_members: expected a whole number from 1 to 1,000,000"),
        ({"type": "image", "sharp": True}, "expected fields out of type, min_width"),
    ],
)
def test_a_check_that_could_not_work_is_an_error_that_says_what_was_expected(check: Any, says: str) -> None:
    assert says in problem_of(check, files=["a"])


def test_a_text_is_short_for_a_list_of_one_and_for_a_column() -> None:
    assert check_from_json({"type": "required_files", "files": "a.md"}) == RequiredFilesCheck(files=("a.md",))
    assert check_from_json({"type": "media_type", "types": "IMAGE/PNG"}) == MediaTypeCheck(types=("image/png",))
    check = check_from_json({"type": "table", "columns": ["a", {"name": "b", "max": 3}]})
    assert check == TableCheck(columns=(TableColumn(name="a"), TableColumn(name="b", type=ColumnType.NUMBER, max=3)))


# ---------------------------------------------------------------- the files of the task

FILES = ["report.md", "charts/*.png"]


@pytest.mark.parametrize("file", ["report.md", "charts/a.png", "charts/*.png", "*.md", "**/*.png", "charts/b*"])
def test_a_check_may_name_a_file_that_its_task_can_make(file: str) -> None:
    assert with_files({"type": "file_size", "max_bytes": 9, "file": file}, FILES).diagnostics == ()
    assert with_files({"type": "required_files", "files": [file]}, FILES).diagnostics == ()


@pytest.mark.guard(name="a check names a file of its task")
@pytest.mark.parametrize("file", ["raport.md", "charts/a.jpg", "charts", "a.png"])
def test_a_file_that_no_pattern_of_the_task_can_match_is_an_error(file: str) -> None:
    expected = f"expected a file of output.files, which has report.md and charts/*.png, but got {file!r}"
    assert problem_of({"type": "json", "file": file}, FILES) == f".file: {expected}"
    assert problem_of({"type": "required_files", "files": ["report.md", file]}, FILES) == f".files[1]: {expected}"
    again = ["report.md", "report.md", file]
    assert problem_of({"type": "required_files", "files": again}, FILES) == f".files[2]: {expected}"


def test_a_pattern_that_matches_none_of_the_paths_is_one_too() -> None:
    assert problem_of({"type": "image", "file": "*.png"}, ["a.jpg", "b.jpg"]).startswith(".file: expected a file of")


def test_a_check_of_a_file_needs_a_task_with_files_and_one_of_a_content_does_not() -> None:
    without = "expected output.files in the task, whose result is one content without files"
    assert problem_of({"type": "json", "file": "a.json"}) == f".file: {without}"
    assert problem_of({"type": "required_files", "files": ["a.json"]}) == f".files[0]: {without}"
    for check in (
        {"type": "table"},
        {"type": "image"},
        {"type": "archive_safe"},
        {"type": "media_type", "types": "a/b"},
    ):
        assert with_files(check, None).diagnostics == ()


@pytest.mark.parametrize(
    ("check", "instead"),
    [
        ({"type": "command", "argv": ["true"], "file": "a"}, "{candidate} in argv, the folder with all files"),
        ({"type": "function", "name": "f", "file": "a"}, "files that the function chooses itself, for it gets all"),
        ({"type": "required_files", "file": "a"}, "files"),
        ({"type": "json", "filename": "a"}, "file"),
        ({"type": "media_type", "mime": ["a/b"]}, "types"),
        ({"type": "table", "columns": [{"column": "a"}]}, "name"),
        ({"type": "table", "columns": [{"name": "a", "nullable": True}]}, "may_be_empty"),
    ],
)
def test_other_names_for_the_fields_are_errors_with_the_right_one(check: Any, instead: str) -> None:
    (told,) = with_files(check, ["a"]).diagnostics
    assert told.code == "misspelt-field"
    assert told.message.endswith(f"did you mean {instead}?")


def test_an_input_of_the_plan_is_put_into_no_name_of_a_file() -> None:
    checks = [
        {"type": "json", "file": "{{inputs.name}}.json"},
        {"type": "table", "columns": ["{{inputs.name}}"]},
        {"type": "required_files", "files": ["{{inputs.name}}.json"]},
    ]
    result = compiled(
        atomic("1", output={"files": ["*.json"]}, executor="make", validation={"checks": checks}),
    )
    assert [told.path for told in result.diagnostics if told.code == "unknown-input"] == [
        "tasks[0].validation.checks[0].file",
        "tasks[0].validation.checks[1].columns[0].name",
        "tasks[0].validation.checks[2].files[0]",
    ]
