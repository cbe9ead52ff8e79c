"""The inputs of a plan as a person gives them: files, patterns, folders, texts and JSON, and each mistake."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from signoff.client import input_files
from signoff.client.inputs import ResolvedInputs, named_values, resolve_inputs
from signoff.errors import ConfigurationError
from signoff.plan.inputs import digest_of_inputs
from signoff.v1 import plan_pb2

FILE, FOLDER = plan_pb2.INPUT_KIND_FILE, plan_pb2.INPUT_KIND_FOLDER
TEXT, JSON = plan_pb2.INPUT_KIND_TEXT, plan_pb2.INPUT_KIND_JSON
NOTHING: Mapping[str, str] = {}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan's folder with some files, beside the working directory."""
    plan, cwd = tmp_path / "plan", tmp_path / "cwd"
    for path, text in {
        "data/b.csv": "b",
        "data/a.csv": "a",
        "data/10.csv": "ten",
        "data/sub/c.csv": "c",
        "data/sub/notes.md": "n",
        "data/.hidden.csv": "h",
        "data/.git/x.csv": "x",
        "photo": "\0\xff",
    }.items():
        file = plan / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="latin-1")
    cwd.mkdir()
    (cwd / "other.csv").write_text("other")
    monkeypatch.chdir(cwd)
    return plan


def declared(kind: plan_pb2.InputKind.ValueType, path: str = "") -> list[plan_pb2.PlanInput]:
    return [plan_pb2.PlanInput(name="x", kind=kind, path=path)]


def files(resolved: ResolvedInputs) -> list[tuple[str, str, int]]:
    return [(file.path, file.media_type, file.size_bytes) for file in resolved.given[0].files]


def problem(
    inputs: Sequence[plan_pb2.PlanInput],
    folder: Path,
    paths: Mapping[str, str] = NOTHING,
    values: Mapping[str, str] = NOTHING,
) -> str:
    with pytest.raises(ConfigurationError) as refused:
        resolve_inputs(inputs, folder, paths, values)
    return str(refused.value)


# ---------------------------------------------------------------- what is found


@pytest.mark.parametrize(
    ("kind", "path", "found"),
    [
        (FILE, "data/a.csv", ["a.csv"]),
        (FILE, "data/*.csv", ["10.csv", "a.csv", "b.csv"]),
        (FILE, "./data//[ab].csv", ["a.csv", "b.csv"]),
        (FILE, "data/**/*.csv", ["10.csv", "a.csv", "b.csv", "sub/c.csv"]),
        (FILE, "data/*/*", ["sub/c.csv", "sub/notes.md"]),
        (FILE, "data/.h*", [".hidden.csv"]),
        (FILE, "**/?.csv", ["data/a.csv", "data/b.csv", "data/sub/c.csv"]),
        (FOLDER, "data", ["10.csv", "a.csv", "b.csv", "sub/c.csv", "sub/notes.md"]),
    ],
)
def test_files_are_found_in_the_order_of_their_paths(
    folder: Path, kind: plan_pb2.InputKind.ValueType, path: str, found: list[str]
) -> None:
    assert [file[0] for file in files(resolve_inputs(declared(kind, path), folder))] == found


def test_the_media_type_follows_from_the_name_or_from_the_bytes(folder: Path) -> None:
    assert files(resolve_inputs(declared(FILE, "data/a.csv"), folder)) == [("a.csv", "text/csv", 1)]
    assert files(resolve_inputs(declared(FILE, "photo"), folder)) == [("photo", "application/octet-stream", 2)]
    (folder / "Makefile").write_text("all:")
    assert files(resolve_inputs(declared(FILE, "Makefile"), folder)) == [("Makefile", "text/plain", 4)]


def test_a_persons_path_is_from_the_working_directory_and_may_lead_anywhere(folder: Path) -> None:
    for path in ("other.csv", "../cwd/other.csv", str(folder.parent / "cwd" / "other.csv"), "../cwd/o*.csv"):
        assert files(resolve_inputs(declared(FILE, "data/a.csv"), folder, {"x": path})) == [
            ("other.csv", "text/csv", 5)
        ]
    assert len(files(resolve_inputs(declared(FOLDER), folder, {"x": "../plan/data/sub"}))) == 2
    pattern = f"{folder}/data/sub/*"
    assert len(files(resolve_inputs(declared(FILE), folder, {"x": pattern}))) == 2


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path) -> None:
    Path("a[1].csv").write_text("1")
    assert files(resolve_inputs(declared(FILE), folder, {"x": "a[1].csv"}))[0][0] == "a[1].csv"


def test_texts_and_json_come_from_the_plan_a_flag_or_a_file(folder: Path) -> None:
    inputs = [
        plan_pb2.PlanInput(name="t", kind=TEXT, text="of the plan"),
        plan_pb2.PlanInput(name="j", kind=JSON, json='{"n":1.50}'),
    ]
    assert [(each.text, each.json) for each in resolve_inputs(inputs, folder).given] == [
        ("of the plan", ""),
        ("", '{"n":1.50}'),
    ]
    set_ = resolve_inputs(inputs, folder, {}, {"t": "a=b\n", "j": ' [1, 2.50, "é"] '})
    assert [(each.text, each.json) for each in set_.given] == [("a=b\n", ""), ("", '[1,2.50,"é"]')]
    Path("t.txt").write_text("é\n")
    Path("j.json").write_text("{ }")
    read = resolve_inputs(inputs, folder, {"t": "t.txt", "j": "j.json"})
    assert [(each.text, each.json) for each in read.given] == [("é\n", ""), ("", "{}")]
    assert len({resolve_inputs(inputs, folder).digest, set_.digest, read.digest}) == 3


def test_the_digest_is_that_of_names_paths_types_and_bytes(folder: Path) -> None:
    before = resolve_inputs(declared(FILE, "data/*.csv"), folder)
    assert before.digest == resolve_inputs(declared(FILE, "data/*.csv"), folder).digest
    (folder / "data" / "a.csv").write_text("changed")
    assert resolve_inputs(declared(FILE, "data/*.csv"), folder).digest != before.digest
    assert resolve_inputs([], folder).digest == digest_of_inputs([]) == ""


# ---------------------------------------------------------------- what is wrong


def test_what_is_not_set_is_named_all_together_and_with_the_flag_that_sets_it(folder: Path) -> None:
    inputs = [plan_pb2.PlanInput(name=name, kind=kind) for name, kind in (("a", TEXT), ("b", FOLDER), ("c", JSON))]
    assert problem(inputs, folder, {}, {"c": "1"}) == (
        "expected all inputs of the plan to be set, but these are not: "
        "a (text: --set a=VALUE), b (folder: --input b=PATH)"
    )


def test_a_flag_for_what_is_not_declared_or_of_another_kind_is_refused(folder: Path) -> None:
    file = declared(FILE, "data/a.csv")
    assert problem(file, folder, {"y": "a"}) == "--input y: expected an input of the plan, which has x"
    assert problem([], folder, {}, {"y": "a"}) == "--set y: expected an input of the plan, which has none"
    assert problem(file, folder, {}, {"x": "a"}) == "--set x: expected a text or JSON, but x is a file"
    assert problem(declared(TEXT), folder, {"x": "a"}, {"x": "a"}) == "expected --input x or --set x, but got both"


@pytest.mark.parametrize("argument", ["x", "=a", ""])
def test_a_flag_without_a_name_or_a_value_is_refused(argument: str) -> None:
    with pytest.raises(ConfigurationError, match=f"expected --set NAME=VALUE, but got --set {argument}"):
        named_values("--set", [argument])


def test_a_flag_that_comes_twice_is_refused() -> None:
    assert named_values("--set", ["x=a=b", "y="]) == {"x": "a=b", "y": ""}
    with pytest.raises(ConfigurationError, match="expected --set x once, but got it twice"):
        named_values("--set", ["x=1", "x=2"])


@pytest.mark.parametrize(
    ("kind", "path", "said"),
    [
        (FILE, "data/none.csv", "expected a file, but there is no "),
        (FILE, "data", "expected a file, but .*/data is a folder"),
        (FILE, "none/*.csv", "expected a folder, but there is no .*/none"),
        (FILE, "data/*.tsv", r"expected files that match data/\*.tsv, but there is none in .*/data"),
        (FOLDER, "none", "expected a folder, but there is no .*/none"),
        (FOLDER, "data/a.csv", "expected a folder, but .*/data/a.csv is a file"),
    ],
)
def test_what_is_not_there_is_named(folder: Path, kind: plan_pb2.InputKind.ValueType, path: str, said: str) -> None:
    assert re.match(f"input x: {said}", problem(declared(kind, path), folder))


def test_an_empty_folder_and_an_empty_path_are_refused(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert "expected a folder with files, but there is none in" in problem(declared(FOLDER, "empty"), folder)
    assert problem(declared(FILE), folder, {"x": ""}) == "input x: expected a path, but got nothing"


@pytest.mark.guard(name="links stay within their folder")
@pytest.mark.parametrize(
    ("kind", "path"),
    [(FILE, "link.csv"), (FILE, "linked/a*"), (FILE, "data/*.csv"), (FOLDER, "linked"), (FOLDER, "data")],
)
def test_a_link_that_leads_out_of_the_plans_folder_is_refused(
    folder: Path, kind: plan_pb2.InputKind.ValueType, path: str
) -> None:
    secret = folder.parent / "secret"
    secret.mkdir()
    (secret / "a.csv").write_text("secret")
    (folder / "link.csv").symlink_to(secret / "a.csv")
    (folder / "linked").symlink_to(secret)
    (folder / "data" / "z.csv").symlink_to(secret / "a.csv")
    assert "leads out of it" in problem(declared(kind, path), folder)


def test_links_within_the_folder_are_followed_to_files_and_not_to_folders(folder: Path) -> None:
    (folder / "data" / "z.csv").symlink_to("a.csv")
    found = files(resolve_inputs(declared(FILE, "data/[az].csv"), folder))
    assert found == [("a.csv", "text/csv", 1), ("z.csv", "text/csv", 1)]
    (folder / "data" / "loop").symlink_to(".")
    assert "is a link to a folder" in problem(declared(FOLDER, "data"), folder)
    (folder / "data" / "loop").unlink()
    (folder / "data" / "broken.csv").symlink_to("nowhere")
    assert "expected a file, but there is no" in problem(declared(FOLDER, "data"), folder)


def test_devices_pipes_and_sockets_are_no_files(folder: Path) -> None:
    os.mkfifo(folder / "data" / "pipe")
    assert "pipe is a device, a pipe or a socket" in problem(declared(FOLDER, "data"), folder)
    assert "is a device, a pipe or a socket" in problem(declared(FILE), folder, {"x": "/dev/zero"})
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
        assert "is a device, a pipe or a socket" in problem(declared(FILE, "s"), folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(folder: Path) -> None:
    (folder / "data" / "a.csv").chmod(0)
    assert "a.csv cannot be read: Permission denied" in problem(declared(FILE, "data/a.csv"), folder)


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    with (folder / "data" / "a.csv").open("wb") as sparse:
        sparse.truncate(64 * 1024 * 1024 + 1)
    assert "expected files of at most 67,108,864 bytes, but" in problem(declared(FILE, "data/*.csv"), folder)


def test_too_many_files_and_too_many_bytes_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1001):
        (folder / "data" / f"{number:04}.csv").touch()
    assert "expected at most 1,000 files in all inputs" in problem(declared(FILE, "data/*.csv"), folder)
    monkeypatch.setattr(input_files, "MOST_LOOKED_AT", 500)
    assert "expected at most 500 files below" in problem(declared(FILE, "**/none"), folder)


def test_a_name_that_is_no_utf_8_or_has_control_characters_is_refused(folder: Path) -> None:
    file = os.fsdecode(os.fsencode(folder / "data") + b"/z\xff.csv")
    Path(file).write_text("")
    assert "input x: expected a " in problem(declared(FILE, "data/*.csv"), folder)
    Path(file).unlink()
    (folder / "data" / "a\nb.csv").write_text("")
    assert "expected a path without control characters" in problem(declared(FILE, "data/*.csv"), folder)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{", "expected JSON, but Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("NaN", "expected JSON, but it holds NaN, which is not JSON"),
        ("", "expected JSON, but Expecting value: line 1 column 1 (char 0)"),
        ("[" * 300 + "]" * 300, "expected JSON nested at most 200 deep, but got more"),
    ],
)
def test_json_that_is_none_says_where(folder: Path, value: str, said: str) -> None:
    assert problem(declared(JSON), folder, {}, {"x": value}) == f"input x: {said}"


def test_texts_that_are_too_long_or_no_text_are_refused(folder: Path) -> None:
    assert "at most 262,144 bytes, but got 262,145" in problem(declared(TEXT), folder, {}, {"x": "a" * 262_145})
    assert "at most 262,144 bytes, but" in problem(declared(TEXT), folder, {"x": _written("a" * 262_145)})
    assert "expected a text in UTF-8" in problem(declared(TEXT), folder, {"x": str(folder / "photo")})
    assert "expected a text in UTF-8" in problem(declared(TEXT), folder, {}, {"x": "\udcff"})
    many = [plan_pb2.PlanInput(name=name, kind=TEXT, text="a" * 250_000) for name in "abcde"]
    assert "at most 1,048,576 bytes of texts and JSON" in problem(many, folder)


def _written(text: str) -> str:
    Path("long.txt").write_text(text)
    return "long.txt"
