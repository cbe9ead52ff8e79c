"""The files a program finds: safe names, whatever the plan calls them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.work.givens import artifact
from tests.support.work.programs import commanded, judged
from worker_svc.assignment import Artifact
from worker_svc.commands.folder import file_names, layout_of, safe_name


def typed(name: str, media_type: str = "text/plain") -> Artifact:
    return replace(artifact(name, name=name), media_type=media_type)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("release_notes", "release_notes"),
        ("Verkäufe 2024", "Verkäufe_2024"),
        ("素数 以下", "素数_以下"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\x", "C__x"),
        (".bashrc", "bashrc"),
        ("--flag", "flag"),
        ("a\nb\x00c", "a_b_c"),
        ("..", ""),
    ],
)
def test_a_name_keeps_what_is_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_is_cut_between_characters() -> None:
    assert safe_name("数" * 100) == "数" * 40


def test_names_that_meet_get_a_number() -> None:
    met = [typed("a b"), typed("a/b"), typed("A_B"), typed("a_b", "text/markdown"), typed("a_b-2"), typed("..")]
    assert file_names(met) == ("a_b.txt", "a_b-2.txt", "A_B-3.txt", "a_b.md", "a_b-2-2.txt", "input.txt")


def test_a_suffix_is_not_said_twice() -> None:
    assert file_names([typed("notes.md", "text/markdown"), typed("notes.csv")]) == ("notes.md", "notes.csv.txt")


@given(st.lists(st.builds(typed, st.text(max_size=300), st.sampled_from(["text/plain", "application/json", ""]))))
def test_every_input_has_a_file_of_its_own_inside_the_folder(inputs: list[Artifact]) -> None:
    names = file_names(inputs)
    assert len({name.casefold() for name in names}) == len(inputs)
    for name in names:
        assert "/" not in name
        assert "\0" not in name
        assert not name.startswith((".", "-"))
        assert len(name.encode()) < 200


def test_an_input_is_found_by_its_name_and_else_by_the_task_that_made_it() -> None:
    inputs = (artifact("a", name="2", task_id="1"), artifact("b", name="", task_id="2"), artifact("c", "c", "3"))
    layout = layout_of(commanded("true", inputs=inputs))
    assert [layout.path_of(name) for name in ("2", "1", "c", "3", "4")] == [
        "inputs/2.txt",
        "inputs/2.txt",
        "inputs/c.txt",
        "inputs/c.txt",
        None,
    ]
    assert layout.files["inputs/2-2.txt"] == b"b"


def test_what_is_checked_is_standard_input_rather_than_an_input() -> None:
    layout = layout_of(judged("{}", "application/json", inputs=(artifact("a"),)))
    assert (layout.stdin, layout.candidate) == ("candidate.json", "candidate.json")
    assert set(layout.files) == {"candidate.json", "inputs/planets.txt", "task.json"}


def of_plan(name: str, content: str = "x", media_type: str = "text/csv") -> Artifact:
    return replace(artifact(content, name=name), task_id="", media_type=media_type)


def test_files_of_an_input_of_the_plan_keep_their_paths_and_names() -> None:
    given = [of_plan("data"), of_plan("scans/a.csv"), of_plan("scans/2026/B (1).tiff", media_type="image/tiff")]
    layout = layout_of(commanded("true", inputs=tuple(given)))
    assert [path for _, path in layout.inputs] == [
        "inputs/data.csv",
        "inputs/scans/a.csv",
        "inputs/scans/2026/B (1).tiff",
    ]
    found = {name: layout.path_of(name) for name in ("data", "scans", "scans/a.csv", "none")}
    assert found == {
        "data": "inputs/data.csv",
        "scans": "inputs/scans",
        "scans/a.csv": "inputs/scans/a.csv",
        "none": None,
    }


@pytest.mark.guard(name="files of inputs stay in their folder")
@pytest.mark.parametrize("path", ["../x", "a/../../x", "..", "/etc/x", "a//x", "a/./x", "a\nb", "a/\\..\\x", "a" * 300])
def test_a_path_that_leads_elsewhere_becomes_a_safe_one(path: str) -> None:
    layout = layout_of(commanded("true", inputs=(of_plan(f"scans/{path}"), of_plan("other"))))
    (own, _) = [path for _, path in layout.inputs]
    parts = own.split("/")
    assert parts[:2] == ["inputs", "scans"]
    assert all(part.strip(".") and part.isprintable() and len(part.encode()) <= 255 for part in parts)
    assert "\\" not in own


def test_files_that_differ_in_case_alone_get_a_number() -> None:
    names = file_names([of_plan("scans/a.csv"), of_plan("scans/A.csv"), of_plan("scans/README")])
    assert names == ("scans/a.csv", "scans/A-2.csv", "scans/README")
