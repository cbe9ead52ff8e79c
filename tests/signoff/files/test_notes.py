"""Small files that signoff keeps for itself, and what may stand in their place."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from signoff.files.notes import read_note, read_note_text


def test_a_note_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "note").write_text(" 127.0.0.1:7070\n")
    assert read_note(tmp_path / "note") == b" 127.0.0.1:7070\n"
    assert read_note_text(tmp_path / "note") == "127.0.0.1:7070"


def test_bytes_that_are_no_text_are_read_as_some(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"\xff\xfe127")
    assert read_note_text(tmp_path / "note") == "\ufffd\ufffd127"


PIPE = pytest.param("a pipe", marks=pytest.mark.guard(name="a note is a file"))


@pytest.mark.parametrize("kind", ["nothing", "a folder", PIPE, "a socket", "a link to itself"])
def test_what_is_no_file_is_no_note(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "note"
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "a folder":
            path.mkdir()
        elif kind == "a pipe":
            os.mkfifo(path)
        elif kind == "a socket":
            listener.bind(str(path))
        elif kind == "a link to itself":
            path.symlink_to(path)
        assert read_note(path) is None
        assert read_note_text(path) == ""
