"""Folders that take the place of others: nothing outside is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from signoff.files.trees import InsideTrees


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    with InsideTrees(tmp_path) as inside:
        inside.write("t", "files", "a", body=b"old")
        inside.write("t", "files.new", "b", "c", body=b"new")
        inside.link(("t", "files", "a"), ("t", "files.new", "b", "a"))
        inside.rename_folder(("t", "files"), "files.old")
        inside.rename_folder(("t", "files.new"), "files")
        inside.write("t", "files", "b", "d", body=b"more")
        inside.remove_folder("t", "files.old")
        assert sorted(inside.names_in("t", "files", "b")) == ["a", "c", "d"]
        assert inside.names_in("t", "files.old") == inside.names_in("nowhere") == []
        inside.remove_folder("t", "files.old")
    assert (tmp_path / "t" / "files" / "b" / "a").read_bytes() == b"old"


def test_only_an_empty_folder_is_removed_as_one(tmp_path: Path) -> None:
    with InsideTrees(tmp_path) as inside:
        inside.write("full", "a", body=b"a")
        inside.make_folder("empty", "deep")
        for names in (("full",), ("empty", "deep"), ("empty",), ("none",), ("none", "deep"), ("full", "a")):
            inside.remove_if_empty(*names)
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "a"]


def test_a_link_to_a_folder_is_not_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").touch()
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "link").symlink_to(tmp_path / "elsewhere")
    with InsideTrees(tmp_path / "db") as inside:
        with pytest.raises(OSError, match="link"):
            inside.remove_folder("link")
        with pytest.raises(OSError, match="or a link"):
            inside.names_in("link")
    assert (tmp_path / "elsewhere" / "a").exists()
