"""A file that is read while it is written: the old content or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from signoff.files.folders import Inside
from signoff.files.writing import NotAFile, part_name, write_atomically
from tests.support.processes.commands import environment


def test_a_file_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b" / "f.json", b"{", b"}")
    assert (tmp_path / "a" / "b" / "f.json").read_bytes() == b"{}"


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "f"
    write_atomically(path, b"old and longer")
    write_atomically(path, b"new", durable=durable)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_that_has_the_old_file_open_goes_on_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_atomically(path, b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old"


def test_when_the_disk_refuses_the_old_file_stays_and_no_part_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    write_atomically(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_is_an_error_and_not_a_loss(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(OSError, match="f"):
        write_atomically(tmp_path / "f", b"new")
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_a_name_of_the_greatest_length_can_be_written_too(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("f" * 255), b"new")
    assert (tmp_path / ("f" * 255)).read_bytes() == b"new"


# ---------------------------------------------------------------- what is there and is no file

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices and gives files away")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Callable[[], bytes]]:
    """Reads a pipe, as another program would; the call gives what came until it was closed."""
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with ThreadPoolExecutor(1) as pool, os.fdopen(reader, "rb") as file:
        read = pool.submit(_all_of, file)
        yield lambda: read.result(20)


def _all_of(file: BinaryIO) -> bytes:
    """Everything until the end; nothing when for some seconds nothing comes."""
    body = b""
    while select.select([file], [], [], 5)[0] and (piece := os.read(file.fileno(), 65_536)):
        body += piece
    return body


@pytest.mark.guard(name="written into what is no file")
@AS_ROOT
@pytest.mark.parametrize("durable", [True, False])
def test_a_device_is_written_into_and_stays_one(tmp_path: Path, durable: bool) -> None:
    device = tmp_path / "null"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))  # what /dev/null is
    write_atomically(device, b"new", durable=durable)
    assert stat.S_ISCHR(device.stat().st_mode)
    assert list(tmp_path.iterdir()) == [device]


@AS_ROOT
def test_what_a_device_refuses_is_said_and_the_device_stays(tmp_path: Path) -> None:
    device = tmp_path / "full"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 7))
    with pytest.raises(OSError, match="No space left"):
        write_atomically(device, b"new")
    assert stat.S_ISCHR(device.stat().st_mode)


@pytest.mark.guard(name="written into what is no file")
@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path, linked: bool) -> None:
    pipe, path = tmp_path / "pipe", tmp_path / "link" if linked else tmp_path / "pipe"
    os.mkfifo(pipe)
    if linked:
        path.symlink_to("pipe")
    with reading(pipe) as read:
        write_atomically(path, b"more than a pipe holds, " * 10_000, b"the end", wait=True)
        assert read() == b"more than a pipe holds, " * 10_000 + b"the end"
    assert pipe.is_fifo()
    assert {entry.name for entry in tmp_path.iterdir()} == {pipe.name, path.name}


def test_a_pipe_without_a_reader_is_an_error_for_those_that_do_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAFile, match=r"expected a reader at the pipe .*/pipe, but it has none"):
        write_atomically(tmp_path / "pipe", b"new")


def test_a_pipe_whose_reader_goes_away_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_atomically, tmp_path / "pipe", b"x" * 1_000_000)
        while not select.select([reader], [], [], 10)[0]:
            pass
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            writing.result(10)


def test_a_socket_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("here")
        with pytest.raises(NotAFile, match="expected a file, a pipe or a device, but here is a socket"):
            write_atomically(Path("here"), b"new")
    assert Path("here").is_socket()


def test_a_folder_is_an_error_that_says_so_also_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (tmp_path, tmp_path / "link"):
        with pytest.raises(NotAFile, match="is a folder"):
            write_atomically(path, b"new")


# ---------------------------------------------------------------- links


@pytest.mark.guard(name="links are followed")
@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_is_followed_and_stays(tmp_path: Path, absolute: bool) -> None:
    real, link = tmp_path / "folder" / "real", tmp_path / "link"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link.symlink_to(real if absolute else Path("folder") / "real")
    (tmp_path / "first").symlink_to("link")
    with real.open("rb") as reader:
        write_atomically(tmp_path / "first", b"new")
        assert reader.read() == b"old", "the file that it leads to is replaced in one go"
    assert (link.is_symlink(), real.is_symlink(), real.read_bytes()) == (True, False, b"new")
    assert list(real.parent.iterdir()) == [real]


@pytest.mark.guard(name="links are followed")
def test_a_link_to_what_is_not_there_makes_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/new")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "new").read_bytes() == b"new"


def test_a_link_to_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere/new")
    with pytest.raises(NotAFile, match=r"expected a folder at .*/nowhere, where the link .*/link leads"):
        write_atomically(tmp_path / "link", b"new")


def test_links_that_go_round_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").is_symlink()


def test_standard_output_that_is_a_file_goes_on_where_it_is(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from signoff.files.writing import write_atomically as write;"
        "print('before'); write(Path('/dev/stdout'), b'in between\\n'); write(Path('/dev/fd/1'), b'more\\n');"
        "print('after')"
    )
    out = tmp_path / "out"
    with out.open("wb") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True, env=environment())
    assert out.read_text() == "before\nin between\nmore\nafter\n"
    assert list(tmp_path.iterdir()) == [out]


# ---------------------------------------------------------------- whose it is, and who may read it


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_a_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (mode, b"new")


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "f", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


@AS_ROOT
def test_a_file_keeps_its_owner_but_never_runs_as_another_user(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    os.chown(path, 4_321, 1_234)
    path.chmod(0o4755)
    write_atomically(path, b"new")
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (4_321, 1_234, 0o755)


# ---------------------------------------------------------------- parts


@pytest.mark.guard(name="a part is a new file")
@pytest.mark.parametrize(
    "write", [write_atomically, lambda path, body: Inside(path.parent).write(path.name, body=body)]
)
def test_what_stands_at_the_name_of_a_part_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr(secrets, "token_hex", lambda _size: "known")
    (tmp_path / ".f.known.part").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write(tmp_path / "f", b"new")
    assert victim.read_bytes() == b"precious"


def test_what_a_process_that_died_has_left_is_in_nobodys_way(tmp_path: Path) -> None:
    for name in (f".f.{os.getpid()}.part", part_name("f")):
        (tmp_path / name).write_bytes(b"half")
    write_atomically(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
