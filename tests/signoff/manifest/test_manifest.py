"""The manifest of a result of several files has one form, and no file in it leads out of its folder."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.files.folders import Inside
from signoff.manifest.manifest import (
    MAX_FILES_BYTES,
    BadManifest,
    FileEntry,
    Manifest,
    manifest_from_json,
    manifest_of,
    manifest_to_json,
)


def entry(path: str, content: bytes = b"x") -> FileEntry:
    return FileEntry(path=path, media_type="text/plain", size=len(content), digest=hashlib.sha256(content).hexdigest())


def body_of(*paths: str, main: str | None = None) -> bytes:
    """Returns what a worker that checks nothing would send."""
    return manifest_to_json(Manifest(main=main or paths[0], files=tuple(entry(path) for path in paths)))


def test_a_manifest_is_json_with_a_line_for_each_file() -> None:
    manifest = manifest_of([entry("report.md"), entry("charts/north.png")], "report.md")
    body = manifest_to_json(manifest)
    assert manifest_from_json(body) == manifest
    assert [file["path"] for file in json.loads(body)["files"]] == ["charts/north.png", "report.md"]
    assert json.loads(body)["main"] == "report.md"
    assert len(body.splitlines()) == 4


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=6, unique=True))
def test_every_manifest_that_can_be_made_is_read_as_itself(paths: list[str]) -> None:
    try:
        manifest = manifest_of([entry(path) for path in paths], paths[-1])
    except BadManifest:
        return
    assert manifest_from_json(manifest_to_json(manifest)) == manifest


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        (["../secret"], "'../secret'"),
        (["a/../b"], "'a/../b'"),
        (["/etc/passwd"], "'/etc/passwd'"),
        (["a//b"], "'a//b'"),
        (["a\\b"], r"'a\\\\b'"),
        (["a\nb"], "control characters"),
        (["a/\x1b[31m"], "control characters"),
        (["x" * 1025], "1,024 characters"),
        pytest.param(
            ["x/" * 100 + "x"],
            "a path of at most 100 names",
            marks=pytest.mark.guard(name="paths of files are not deep"),
        ),
        (["Report.md", "report.md"], "differ in more than their case, but got 'Report.md' and 'report.md'"),
        (["STRASSE", "straße"], "differ in more than their case"),
        (["caf\u00e9.txt", "cafe\u0301.txt"], "differ in more than their case"),
        pytest.param(
            ["charts", "charts/a.png"],
            "'charts' to be a file or a folder, but 'charts/a.png' is in it",
            marks=pytest.mark.guard(name="a file is no folder of another"),
        ),
        (["CHARTS", "charts/a.png"], "'CHARTS' to be a file or a folder"),
        (["a", "a b", "a-b", "a/b"], "'a' to be a file or a folder, but 'a/b' is in it"),
        (["b", "a"], "in the order of their paths"),
        (["a", "a"], "differ in more than their case"),
    ],
)
def test_a_path_that_would_do_harm_is_named(paths: list[str], problem: str) -> None:
    ordered = paths if problem.startswith("in the order") else sorted(paths)
    with pytest.raises(BadManifest, match=re.escape(problem) if "\\\\" not in problem else problem):
        manifest_from_json(body_of(*ordered))


LONG_NAMES = {
    "x" * 256: "names of at most 255 bytes in UTF-8, but got one of 256",
    "金" * 86: "names of at most 255 bytes in UTF-8, but got one of 258",
    "a/" + "🪐" * 64 + "/b": "names of at most 255 bytes in UTF-8, but got one of 256",
}
LONG_PATHS = {"/".join(["🪐" * 50] * 11): "a path of at most 2,048 bytes in UTF-8, but got 2,210"}


@pytest.mark.guard(name="names of files are as short as disks want them")
@pytest.mark.parametrize("path", LONG_NAMES, ids=["letters", "of three bytes", "of a folder"])
def test_a_new_file_has_names_that_disks_take(path: str) -> None:
    with pytest.raises(BadManifest, match=LONG_NAMES[path]):
        manifest_of([entry(path)], path)


def test_a_new_file_has_a_path_that_disks_take() -> None:
    for path, problem in LONG_PATHS.items():
        with pytest.raises(BadManifest, match=problem):
            manifest_of([entry(path)], path)


@pytest.mark.parametrize("path", ["x" * 255, "金" * 85, "🪐" * 63 + "/a"], ids=["letters", "of three", "of four"])
def test_names_may_be_as_long_as_disks_take_them(path: str, tmp_path: Path) -> None:
    assert manifest_of([entry(path)], path).main == path
    with Inside(tmp_path) as inside:
        inside.write(*path.split("/"), body=b"x")
    assert (tmp_path / path).read_bytes() == b"x"


@pytest.mark.parametrize("path", [*LONG_NAMES, *LONG_PATHS], ids=["letters", "of three", "of a folder", "together"])
def test_a_manifest_that_is_kept_is_read_whatever_the_length_of_its_names(path: str) -> None:
    assert manifest_from_json(body_of(path)).main == path


def test_the_main_file_is_one_of_the_files() -> None:
    with pytest.raises(BadManifest, match="main file to be one of the files, but got 'b'"):
        manifest_from_json(body_of("a", main="b"))


def test_files_that_are_too_large_together_are_refused() -> None:
    half = MAX_FILES_BYTES // 2 + 1
    files = tuple(
        FileEntry(path=path, media_type="text/plain", size=half, digest=entry(path).digest) for path in ("a", "b")
    )
    with pytest.raises(BadManifest, match="1,073,741,824 bytes in all files, but got 1,073,741,826"):
        manifest_from_json(manifest_to_json(Manifest(main="a", files=files)))


def test_too_many_files_are_refused() -> None:
    paths = sorted(f"file-{number}" for number in range(10_001))
    with pytest.raises(BadManifest, match="at most 10,000 files, but got 10,001"):
        manifest_from_json(body_of(*paths))


GOOD = body_of("a.txt", "b.txt")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "expected a manifest"),
        (b"{}", "expected a manifest"),
        (b"\xff" + GOOD, "in UTF-8"),
        (GOOD + b"\n", "expected a manifest"),
        (GOOD.replace(b'"size":1', b'"size":1.0'), "expected a size from 0"),
        (GOOD.replace(b'"size":1', b'"size":true'), "expected a size from 0"),
        (GOOD.replace(b'"size":1', b'"size":-1'), "expected a size from 0"),
        (GOOD.replace(b'"size":1', b'"size": 1'), "one form"),
        (GOOD.replace(b'"size":1', b'"size":1,"mode":511'), "expected path, media_type, size and digest"),
        (GOOD.replace(b"text/plain", b"application/vnd.signoff.files+json"), "media type of a file"),
        (GOOD.replace(b"text/plain", b""), "media type of a file"),
        (GOOD.replace(b'"digest":"', b'"digest":"A'), "SHA-256"),
        (GOOD.replace(b'"},\n', b'"}\n'), "a comma between two files"),
        (GOOD.replace(b'{"path":"a.txt"', b'{"path":["a.txt"]'), "a text as its path"),
        (GOOD.replace(b'{"path":"a.txt"', b'{"path":"a\\u002etxt"'), "one form"),
        (GOOD.replace(b'"main":"a.txt"', b'"main":"a\\u002etxt"'), "name its main file"),
        (GOOD.replace(b'{"path":"a.txt"', b"[" * 5000), "expected JSON"),
        (b"x" * (8 * 1024 * 1024 + 1), "at most 8,388,608 bytes"),
    ],
)
def test_anything_but_the_one_form_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(BadManifest, match=problem):
        manifest_from_json(body)
