"""Files below a folder, by names that come from elsewhere: nothing outside of it is touched."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from signoff.files.folders import Inside
from signoff.files.writing import NotAFile, is_part_of, part_name


def write_inside(folder: Path, *names: str, body: bytes = b"new") -> None:
    with Inside(folder) as inside:
        inside.write(*names, body=body)


def remove_inside(folder: Path, *names: str) -> None:
    with Inside(folder) as inside:
        inside.remove(*names)


def test_a_file_inside_is_made_replaced_and_removed(tmp_path: Path) -> None:
    for body in (b"old and longer", b"new"):
        write_inside(tmp_path / "db", "plan", "task", "output.json", body=body)
        assert (tmp_path / "db" / "plan" / "task" / "output.json").read_bytes() == body
    assert [path.name for path in (tmp_path / "db").rglob("*")] == ["plan", "task", "output.json"]
    for _ in range(2):
        remove_inside(tmp_path / "db", "plan", "task", "output.json")
        assert [path.name for path in (tmp_path / "db").rglob("*")] == ["plan", "task"]
    remove_inside(tmp_path / "db", "other", "task", "output.json")
    remove_inside(tmp_path / "nowhere", "other", "task", "output.json")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.guard(name="names stay inside")
@pytest.mark.parametrize("place", [0, 1])
def test_a_name_with_a_way_in_it_is_refused(tmp_path: Path, place: int) -> None:
    names = ["plan", "task", "output.json"]
    names[place] = "../outside"
    (tmp_path / "outside").mkdir()
    (tmp_path / "db" / "plan").mkdir(parents=True)
    with pytest.raises(NotAFile, match=r"expected a name in .*/db, but got '\.\./outside'"):
        write_inside(tmp_path / "db", *names)


@pytest.mark.parametrize(
    "name", ["..", ".", "", ".signoff", "/etc", "a/b", "../../x", "a\0b", "\ud83d", "..\0", "a/../../b", "x" * 256]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_touched(tmp_path: Path, name: str, place: int) -> None:
    names = ["plan", "task", "output.json"]
    names[place] = name
    with pytest.raises(OSError, match=r"name"):
        write_inside(tmp_path / "deep" / "db", *names)
    files = [path for path in tmp_path.rglob("*") if not path.is_dir()]
    assert files == []
    with contextlib.suppress(FileNotFoundError), pytest.raises(OSError, match="name"):
        remove_inside(tmp_path / "deep" / "db", *names)


@pytest.mark.guard(name="no link is followed inside")
def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "plan").symlink_to("elsewhere")
    with pytest.raises(NotAFile, match=r"expected a folder at plan in .*, but it is none, or a link"):
        write_inside(tmp_path, "plan", "output.json")


@pytest.mark.parametrize("place", ["plan", "plan/task", "plan/task/output.json"])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_inside_is_refused_and_stays(tmp_path: Path, place: str, dangling: bool) -> None:
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "db" / place
    path.parent.mkdir(parents=True)
    if not dangling:
        (elsewhere / "task").mkdir(parents=True)
    path.symlink_to(elsewhere / "file" if place.endswith("json") else elsewhere)
    for act in (write_inside, remove_inside):
        with pytest.raises(NotAFile):
            act(tmp_path / "db", "plan", "task", "output.json")
    assert path.is_symlink()
    assert [found for found in elsewhere.rglob("*") if not found.is_dir()] == []


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_inside_is_refused_at_once_and_stays(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "plan" / "task" / "output.json"
    path.parent.mkdir(parents=True)
    make(path)
    for act in (write_inside, remove_inside):
        with pytest.raises(NotAFile, match=r"expected a file at .*output.json, but it is something else"):
            act(tmp_path, "plan", "task", "output.json")
    assert path.exists()


def test_the_folder_itself_may_be_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "db").symlink_to("disk")
    write_inside(tmp_path / "db", "plan", "output.json")
    assert (tmp_path / "disk" / "plan" / "output.json").read_bytes() == b"new"


def test_a_file_where_a_folder_should_be_inside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan").write_bytes(b"a file")
    with pytest.raises(NotAFile, match="expected a folder at plan"):
        write_inside(tmp_path, "plan", "task", "output.json")
    assert (tmp_path / "plan").read_bytes() == b"a file"


def test_many_files_in_one_go_lie_each_in_its_folder_and_no_folder_stays_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    files = [(f"plan{plan}", f"task{task}", "output.json") for plan in (0, 1, 0) for task in range(3)]
    with Inside(tmp_path / "db") as inside:
        for number, names in enumerate(files):
            inside.write(*names, body=str(number).encode())
        inside.remove("plan1", "task0", "output.json")
        inside.write("beside", body=b"beside")
    found = {
        path.relative_to(tmp_path / "db").parts: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }
    wanted = {names: str(number).encode() for number, names in enumerate(files)}
    del wanted["plan1", "task0", "output.json"]
    assert found == wanted | {("beside",): b"beside"}
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.guard(name="a folder that went meanwhile is made again")
@pytest.mark.parametrize("another", [False, True])
def test_a_folder_that_is_removed_between_two_files_is_made_again(tmp_path: Path, another: bool) -> None:
    with Inside(tmp_path) as inside:
        inside.write("plan", "a", "output.json", body=b"a")
        shutil.rmtree(tmp_path / "plan")
        if another:
            (tmp_path / "plan").mkdir()
        inside.write("plan", "b", "output.json", body=b"b")
    assert (tmp_path / "plan" / "b" / "output.json").read_bytes() == b"b"


def test_a_folder_that_is_moved_between_two_files_takes_the_second_with_it(tmp_path: Path) -> None:
    """The file moves with its folder, like any file that is open meanwhile."""
    with Inside(tmp_path / "db") as inside:
        inside.write("plan", "a", "output.json", body=b"a")
        (tmp_path / "db" / "plan").rename(tmp_path / "away")
        inside.write("plan", "b", "output.json", body=b"b")
    assert (tmp_path / "away" / "b" / "output.json").read_bytes() == b"b"


def test_a_file_is_removed_from_the_folder_that_took_the_place_of_one_that_was_open(tmp_path: Path) -> None:
    path = tmp_path / "plan" / "task" / "output.json"
    with Inside(tmp_path) as inside:
        inside.write("plan", "task", "output.json", body=b"old")
        shutil.rmtree(tmp_path / "plan")
        path.parent.mkdir(parents=True)
        path.write_bytes(b"new")
        inside.remove("plan", "task", "output.json")
    assert not path.exists()


# ---------------------------------------------------------------- piece by piece


def test_a_file_that_comes_piece_by_piece_takes_its_place_once_it_is_whole(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b.txt"
    write_inside(tmp_path, "a", "b.txt", body=b"old")
    with Inside(tmp_path) as inside:
        with inside.writing("a", "b.txt") as file:
            file.write(b"ne")
            inside.write("c", "other.txt", body=b"written meanwhile")
            assert place.read_bytes() == b"old"
            file.write(b"w")
        assert place.read_bytes() == b"new"
        assert (inside.size("a", "b.txt"), inside.size("a", "none")) == (3, -1)
        assert inside.digest("a", "b.txt") == hashlib.sha256(b"new").hexdigest()
        assert inside.digest("none", "b.txt") == ""
        inside.append("a", "b.txt", body=b"er")
        assert inside.read("a", "b.txt", at_most=5) == b"newer"
        with pytest.raises(NotAFile, match="at most 4 bytes"):
            inside.read("a", "b.txt", at_most=4)


def _break_off(inside: Inside) -> None:
    with inside.writing("b.txt") as file:
        file.write(b"new")
        raise NotAFile("broken")


@pytest.mark.guard(name="a part that failed is gone")
def test_a_file_that_breaks_off_leaves_the_old_one_and_no_part(tmp_path: Path) -> None:
    write_inside(tmp_path, "b.txt", body=b"old")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Inside(tmp_path) as inside, pytest.raises(NotAFile, match="broken"):
        _break_off(inside)
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]
    assert (tmp_path / "b.txt").read_bytes() == b"old"
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_hidden_names_are_for_those_who_ask_for_them(tmp_path: Path) -> None:
    with Inside(tmp_path, hidden=True) as inside:
        inside.write(".gitignore", body=b"x")
        for name in ("..", ".", ""):
            with pytest.raises(NotAFile, match="expected a name"):
                inside.write(name, body=b"x")


@pytest.mark.parametrize("act", ["read", "digest", "size", "writing", "append"])
def test_no_way_to_a_file_follows_a_link(tmp_path: Path, act: str) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    acts: dict[str, Callable[[Inside], object]] = {
        "read": lambda inside: inside.read("link", at_most=10),
        "append": lambda inside: inside.append("link", body=b"x"),
        "writing": lambda inside: inside.writing("link").__enter__(),
        "digest": lambda inside: inside.digest("link"),
        "size": lambda inside: inside.size("link"),
    }
    with Inside(tmp_path / "in") as inside, pytest.raises(NotAFile):
        acts[act](inside)
    assert (tmp_path / "secret").read_text() == "secret"


def test_parts_of_a_file_are_known_by_their_names() -> None:
    assert is_part_of(part_name("report.md"), "report.md")
    assert is_part_of(part_name("x" * 100), "x" * 100)
    assert is_part_of(part_name("🪐" * 63), "🪐" * 63)
    for other in ("report.md", ".report.md.part", ".other.md.0123456789abcdef.part", ".report.md.0123456789abcdef.x"):
        assert not is_part_of(other, "report.md")
