"""Finds the files of an input on this machine: one file, those that a pattern matches, or those of a folder.

What is found, and in which order, depends on the files alone. Links that lead out of where they stand, devices and
pipes are refused: a plan that comes from others must not reach other files through them. Hidden files, whose names
begin with a dot, are left out of folders, and of patterns that do not name the dot.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from signoff.errors import ConfigurationError
from signoff.manifest.patterns import is_pattern, names_match
from signoff.plan.inputs import media_type_of, problem_of_path
from signoff.plan.limits import MAX_INPUT_FILE_BYTES, MAX_INPUT_FILES

MOST_LOOKED_AT = 100_000  # entries of folders, for one input
READ_BYTES = 1024 * 1024  # at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file of an input."""

    file: Path  #: where it is
    path: str  #: its path in the input, with "/" between names
    media_type: str
    digest: str  #: SHA-256 in hex
    size: int  #: bytes


def one_file(file: Path, within: Path | None) -> FoundFile:
    """Returns a file. `within`: the folder that links must not lead out of. Raises ConfigurationError."""
    _check_link(file, within)
    return _read(file, file.name)


def matching_files(base: Path, pattern: str, within: Path | None) -> Sequence[FoundFile]:
    """Returns the files below a folder that a pattern matches, in the order of their paths.

    `*` and `?` stand for characters of one name, `**` for any number of folders. Raises ConfigurationError, also when
    there is none.
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    fixed = next(n for n, part in enumerate(parts) if is_pattern(part))
    root = base.joinpath(*parts[:fixed])
    if pattern.startswith("/"):
        root = Path("/", *parts[:fixed])
    _check_link(root, within)
    wanted = parts[fixed:]
    depth = len(wanted) if "**" not in wanted else None
    with_hidden = any(part.startswith(".") for part in wanted)
    found = [
        _read(file, path)
        for file, path in _walk(root, depth, with_hidden=with_hidden)
        if names_match(path.split("/"), wanted)
    ]
    if not found:
        raise ConfigurationError(f"expected files that match {pattern}, but there is none in {root}")
    return found


def folder_files(folder: Path, within: Path | None) -> Sequence[FoundFile]:
    """Returns all files below a folder, in the order of their paths. Raises ConfigurationError."""
    _check_link(folder, within)
    found = [_read(file, path) for file, path in _walk(folder, None, with_hidden=False)]
    if not found:
        raise ConfigurationError(f"expected a folder with files, but there is none in {folder}")
    return found


def _walk(root: Path, depth: int | None, *, with_hidden: bool) -> Iterator[tuple[Path, str]]:
    """Yields the files below a folder, with their paths, in order. `depth`: of names; None: all."""
    real, looked_at, found = Path(os.path.realpath(root)), 0, list[tuple[tuple[str, ...], Path]]()
    pending: list[tuple[Path, tuple[str, ...]]] = [(root, ())]
    while pending:
        folder, above = pending.pop()
        for entry in _entries(folder):
            looked_at += 1
            if looked_at > MOST_LOOKED_AT:
                raise ConfigurationError(f"expected at most {MOST_LOOKED_AT:,} files below {root}, but got more")
            if entry.name.startswith(".") and not with_hidden:
                continue
            names, file = (*above, entry.name), folder / entry.name
            if entry.is_symlink():
                _check_link(file, real)
                if file.is_dir():
                    raise ConfigurationError(
                        f"expected files and folders below {root}, but {file} is a link to a folder"
                    )
            if entry.is_dir(follow_symlinks=False):
                if depth is None or len(names) < depth:
                    pending.append((file, names))
            else:
                found.append((names, file))
    for names, file in sorted(found):
        yield file, "/".join(names)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except NotADirectoryError:
        raise ConfigurationError(f"expected a folder, but {folder} is a file") from None
    except FileNotFoundError:
        raise ConfigurationError(f"expected a folder, but there is no {folder}") from None
    except OSError as error:
        raise ConfigurationError(f"expected a folder, but {folder} cannot be read: {error.strerror}") from None


def _check_link(file: Path, within: Path | None) -> None:
    """Raises ConfigurationError for a path that leads out of a folder through a link."""
    if within is None:
        return
    real, inside = Path(os.path.realpath(file)), Path(os.path.realpath(within))
    # guard: links stay within their folder -> if False:
    if real != inside and inside not in real.parents:
        raise ConfigurationError(f"expected files below {within}, but {file} leads out of it, to {real}")


def _read(file: Path, path: str) -> FoundFile:
    """Reads a file once, for its digest and its type."""
    if problem := problem_of_path(path):
        raise ConfigurationError(f"{problem}: {file}")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"expected a name in UTF-8, but got {os.fsencode(file)!r}") from None
    digest, size, decoder, is_text = hashlib.sha256(), 0, codecs.getincrementaldecoder("utf-8")(), True
    try:
        _check_kind(file)
        with file.open("rb") as content:
            while piece := content.read(READ_BYTES):
                size += len(piece)
                if size > MAX_INPUT_FILE_BYTES:
                    raise ConfigurationError(_too_large(file, size))
                digest.update(piece)
                is_text = is_text and _decodes(decoder, piece)
    except FileNotFoundError:
        raise ConfigurationError(f"expected a file, but there is no {file}") from None
    except OSError as error:
        raise ConfigurationError(f"expected a file, but {file} cannot be read: {error.strerror}") from None
    is_text = is_text and _decodes(decoder, b"", final=True)
    media_type = media_type_of(path, is_text=is_text)
    return FoundFile(file=file, path=path, media_type=media_type, digest=digest.hexdigest(), size=size)


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _check_kind(file: Path) -> None:
    """Raises ConfigurationError for what is no file, or too large a one. To open a pipe would wait for its writer."""
    status = file.stat()
    if stat.S_ISDIR(status.st_mode):
        raise ConfigurationError(f"expected a file, but {file} is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"expected a file, but {file} is a device, a pipe or a socket")
    if status.st_size > MAX_INPUT_FILE_BYTES:
        raise ConfigurationError(_too_large(file, status.st_size))


def _too_large(file: Path, size: int) -> str:
    return f"expected files of at most {MAX_INPUT_FILE_BYTES:,} bytes, but {file} has {size:,} or more"


def check_all(found: Sequence[FoundFile], most_bytes: int) -> None:
    """Raises ConfigurationError when all inputs together have too many files, or too large ones."""
    if len(found) > MAX_INPUT_FILES:
        raise ConfigurationError(f"expected at most {MAX_INPUT_FILES:,} files in all inputs, but got {len(found):,}")
    if (size := sum(file.size for file in found)) > most_bytes:
        raise ConfigurationError(f"expected at most {most_bytes:,} bytes in all files of inputs, but got {size:,}")
