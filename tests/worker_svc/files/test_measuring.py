"""Files are measured as they are, and refused when they change meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from signoff.manifest.manifest import FileEntry
from worker_svc.files.measuring import measured
from worker_svc.files.opening import PIECE, FilesRefused


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.md", b"# Mars", "text/markdown"),
        ("a.png", b"\x89PNG\0", "image/png"),
        ("LICENSE", b"free", "text/plain"),
        ("data", b"\0\1", "application/octet-stream"),
        ("empty", b"", "text/plain"),
        ("half", "ü".encode()[:1], "application/octet-stream"),
        ("cut", b"." * (PIECE - 1) + "ü".encode(), "text/plain"),
    ],
)
def test_a_file_has_a_size_a_digest_and_a_type(name: str, content: bytes, media_type: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    expected = FileEntry(path=name, media_type=media_type, size=len(content), digest=digest)
    assert measured(tmp_path, [name], lambda: None) == [expected]


def growing(file: Path) -> None:
    with file.open("ab") as more:
        more.write(b"more")


def shrinking(file: Path) -> None:
    with file.open("r+b") as same:
        same.truncate(PIECE)


def changing(file: Path) -> None:
    with file.open("r+b") as same:
        same.write(b"other")


_NOTICED_AT_THE_END = pytest.mark.guard(name="a file that changes while it is read is refused")


@pytest.mark.parametrize(
    "change",
    [pytest.param(growing, marks=_NOTICED_AT_THE_END), pytest.param(changing, marks=_NOTICED_AT_THE_END), shrinking],
)
def test_a_file_that_changes_while_it_is_read_is_refused(change: Callable[[Path], None], tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_bytes(bytes(2 * PIECE))
    with pytest.raises(FilesRefused, match=r"'a\.log' was changed while it was read"):
        measured(tmp_path, ["a.log"], lambda: change(file))


def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.log").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match=r"a\.log|symbolic links"):
        measured(tmp_path, ["a.log"], lambda: None)


@pytest.mark.guard(name="no link in a folder of files is followed")
def test_a_folder_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.log").write_text("secret")
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "logs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="logs"):
        measured(tmp_path / "outputs", ["logs/a.log"], lambda: None)
