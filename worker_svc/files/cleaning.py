"""Takes secrets out of files before they leave: out of texts. Another file that has one is refused.

To change the bytes of a picture would break it. So a secret in one is no reason to change it, but to fail: the program
has put it there.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from signoff.manifest.manifest import shown
from signoff.secrets.layers import Span
from signoff.secrets.redaction import Secrets
from worker_svc.files.aside import Tick
from worker_svc.files.measuring import TextTest
from worker_svc.files.opening import FilesRefused, opened_file, opened_folder, pieces_of

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def clean(folder: Path, paths: Sequence[str], known: Secrets, tick: Tick) -> None:
    """Takes the secrets out of the texts below a folder. Blocks: call it in a thread.

    Raises FilesRefused for a secret in a name, or in a file that is no text, and OSError.
    """
    if not len(known):
        return
    for path in paths:
        if known.without(path) != path:
            raise FilesRefused(f"expected names without secrets, but a file is named with one: {known.without(path)!r}")
        _clean(folder, path, known, tick)


def _clean(folder: Path, path: str, known: Secrets, tick: Tick) -> None:
    with opened_file(folder, path) as descriptor:
        size = os.fstat(descriptor).st_size
        if not _is_text(descriptor, size, path, tick):
            # guard: no key leaves a worker in a file that is no text -> if False:
            if known.has_plainly(pieces_of(descriptor, size, path), tick):
                raise FilesRefused(f"expected a file without secrets of the worker, but {shown(path)} holds one")
            return
        spans = list[Span]()

        def read(begin: int, end: int) -> bytes:
            return os.pread(descriptor, end - begin, begin)

        # guard: no key leaves a worker in a text -> for found in list[list[Span]]():
        for found in known.found_in(size, read):
            tick()
            spans += found
        if spans:
            _replace(folder, path, known.pieces_without(size, read, spans))


def _is_text(descriptor: int, size: int, path: str, tick: Tick) -> bool:
    test = TextTest()
    for piece in pieces_of(descriptor, size, path):
        tick()
        test.add(piece)
    return test.is_text()


def _replace(folder: Path, path: str, pieces: Iterable[bytes]) -> None:
    """Puts another content in the place of a file."""
    *folders, name = path.split("/")
    with opened_folder(folder, tuple(folders)) as parent:
        new = f".signoff-{secrets.token_hex(8)}"
        with os.fdopen(os.open(new, _NEW, 0o600, dir_fd=parent), "wb") as file:
            file.writelines(pieces)
        os.replace(new, name, src_dir_fd=parent, dst_dir_fd=parent)
