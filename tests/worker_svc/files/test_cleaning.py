"""No key leaves a worker in a file."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from signoff.secrets.redaction import WINDOW, Secrets
from signoff.secrets.stream import HIDDEN
from worker_svc.files.cleaning import clean
from worker_svc.files.opening import PIECE, FilesRefused

KEY = "sk-very-secret-0123456789"
PNG = b"\x89PNG\r\n\x1a\n\0\0"


def cleaned(folder: Path, content: bytes, name: str = "a.txt") -> bytes:
    (folder / name).write_bytes(content)
    clean(folder, [name], Secrets([KEY]), lambda: None)
    assert [file.name for file in folder.iterdir()] == [name]
    return (folder / name).read_bytes()


@pytest.mark.guard(name="no key leaves a worker in a text")
@pytest.mark.parametrize("before", [0, 100, WINDOW - 5, 3 * WINDOW - 1])
@pytest.mark.parametrize("written", [KEY, KEY.encode().hex(), b64encode(KEY.encode()).decode()])
def test_a_text_loses_the_key_wherever_it_stands(before: int, written: str, tmp_path: Path) -> None:
    around = b"\xc3\xbc" * (before // 2) + b"." * (before % 2)
    result = cleaned(tmp_path, around + written.encode() + around)
    assert result.startswith(around + HIDDEN.encode())
    assert result.endswith(around)
    assert written.encode() not in result


def test_a_text_without_a_key_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Mars")
    before = (tmp_path / "a.txt").stat()
    clean(tmp_path, ["a.txt"], Secrets([KEY]), lambda: None)
    assert (tmp_path / "a.txt").stat() == before


@pytest.mark.guard(name="no key leaves a worker in a file that is no text")
@pytest.mark.parametrize("before", [0, PIECE - 5])
@pytest.mark.parametrize("written", [KEY.encode(), KEY.encode().hex().upper().encode(), b64encode(KEY.encode())])
def test_a_picture_with_the_key_is_refused_and_stays_as_it_is(before: int, written: bytes, tmp_path: Path) -> None:
    content = PNG + bytes(before) + written
    with pytest.raises(FilesRefused, match=r"'a\.png' holds one"):
        cleaned(tmp_path, content, "a.png")
    assert (tmp_path / "a.png").read_bytes() == content


def test_a_picture_without_the_key_is_as_it_was(tmp_path: Path) -> None:
    content = PNG + bytes(range(256)) * 10_000
    assert cleaned(tmp_path, content, "a.png") == content


def test_a_name_with_the_key_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(FilesRefused) as refused:
        cleaned(tmp_path, b"x", f"{KEY}.txt")
    assert KEY not in str(refused.value)
