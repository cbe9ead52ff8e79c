"""The files that become a candidate: what may be one, and what is refused with its name."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from worker_svc.files.collecting import MOST_LOOKED_AT, Collected, FilesLimit, collected
from worker_svc.files.opening import FilesRefused


def written(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    return folder


def found(folder: Path, *patterns: str, limit: FilesLimit | None = None) -> Collected:
    return collected(folder, patterns, limit or FilesLimit(), lambda: None)


def refusal(folder: Path, *patterns: str, limit: FilesLimit | None = None) -> str:
    with pytest.raises(FilesRefused) as refused:
        found(folder, *patterns, limit=limit)
    return str(refused.value)


def test_what_matches_is_the_candidate_and_the_rest_is_left_out(tmp_path: Path) -> None:
    written(tmp_path, "b/report.md", "a.md", "charts/x.png", "charts/deep/y.png", "notes.txt", ".hidden.md")
    result = found(tmp_path, "**/*.md", "charts/*.png")
    assert result == Collected(paths=("a.md", "b/report.md", "charts/x.png"), main="a.md")
    assert found(tmp_path, "charts/*.png", "a.md").main == "charts/x.png"


def test_a_pattern_without_a_file_says_what_there_is(tmp_path: Path) -> None:
    written(tmp_path, "a.md", "b.txt")
    said = refusal(tmp_path, "a.md", "charts/*.png")
    assert said == "expected a file that matches 'charts/*.png' in outputs/, but only 'a.md' matched"
    assert refusal(tmp_path / "none", "a.md").endswith("but no file there matches any pattern")


@pytest.mark.guard(name="only files are results")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("link", "expected a file, but 'a.md' is a link: write the file itself"),
        ("pipe", "expected a file, but 'a.md' is a pipe"),
        ("socket", "expected a file, but 'a.md' is a socket"),
        ("second name", "expected a file of its own, but 'a.md' has 2 names: copy the file"),
    ],
)
def test_what_is_no_file_of_its_own_is_refused(
    kind: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, secret = tmp_path / "outputs", tmp_path / "secret"
    folder.mkdir()
    secret.write_text("x")
    monkeypatch.chdir(folder)  # the path of a socket is short
    if kind == "link":
        Path("a.md").symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo("a.md")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("a.md")
    else:
        Path("a.md").hardlink_to(secret)
    assert refusal(folder, "*.md") == said
    assert found(written(folder, "b.txt"), "*.txt").paths == ("b.txt",)  # what matches nothing is no matter


def test_a_link_to_a_folder_is_refused_where_files_may_be(tmp_path: Path) -> None:
    written(tmp_path / "elsewhere", "x.png")
    folder = written(tmp_path / "outputs", "a.md")
    (folder / "charts").symlink_to(tmp_path / "elsewhere")
    assert refusal(folder, "charts/*.png") == "expected files and folders, but 'charts' is a link"
    assert found(folder, "a.md").paths == ("a.md",)


def test_a_folder_that_is_a_link_itself_has_no_files(tmp_path: Path) -> None:
    written(tmp_path / "elsewhere", "a.md")
    (tmp_path / "outputs").symlink_to(tmp_path / "elsewhere")
    assert "no file there matches" in refusal(tmp_path / "outputs", "a.md")


def test_names_that_may_not_be_are_named(tmp_path: Path) -> None:
    written(tmp_path, "a\nb.md")
    assert refusal(tmp_path, "*.md") == "expected a path without control characters: 'a\\nb.md'"


def test_names_that_are_no_utf8_are_named(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/a\xff.md", "w"):  # noqa: PTH123 - bytes
        pass
    said = refusal(tmp_path, "*.md")
    assert said in (
        "expected a path without control characters: 'a\\udcff.md'",
        "expected a name in UTF-8, but got b'a\\xff.md'",
    )


def test_names_that_meet_on_other_disks_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "Chart.png", "chart.png")
    assert refusal(tmp_path, "*.png") == (
        "expected paths that differ in more than their case, but got 'Chart.png' and 'chart.png'"
    )


def test_too_many_files_or_bytes_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "a.md", "b.md", "c.md")
    assert refusal(tmp_path, "*.md", limit=FilesLimit(files=2)) == (
        "expected at most 2 files that match '*.md', but got more"
    )
    assert "expected at most 9 bytes in all files, but got 12 or more" in refusal(
        tmp_path, "*.md", limit=FilesLimit(size=9)
    )


@pytest.mark.long
def test_folders_without_an_end_are_not_looked_through(tmp_path: Path) -> None:
    for number in range(MOST_LOOKED_AT + 1):
        (tmp_path / str(number)).touch()
    assert (
        refusal(tmp_path, "*.md") == f"expected at most {MOST_LOOKED_AT:,} files and folders in outputs/, but got more"
    )
