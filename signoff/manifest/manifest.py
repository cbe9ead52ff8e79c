"""The manifest of a result of several files, as values and as JSON.

    {"main":"report.md","files":[
    {"path":"charts/sales.png","media_type":"image/png","size":8120,"digest":"4b1c…"},
    {"path":"report.md","media_type":"text/markdown","size":512,"digest":"9a0e…"}
    ]}

It is JSON, and it has one form only: a line for each file, in the order of the paths. So equal files have equal
manifests, and a long one is read line by line.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from signoff.plan.inputs import problem_of_kept_path, problem_of_length

MANIFEST_TYPE = "application/vnd.signoff.files+json"  # the media type of a manifest
FILES = "files"  # a feature in Hello: the worker makes and reads results of several files
MAX_FILES = 10_000  # of one result
MAX_FILES_BYTES = 1024**3  # of all files of one result together
MAX_DEPTH = 100  # names of a path: each but the last is a folder, wherever the files are written
MAX_MANIFEST_BYTES = 8 * 1024 * 1024  # 800 for each of 10,000 files

_SHOWN = 200  # characters of a path in an error
_OPENING, _CLOSING = '{"main":', "]}"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[!-~][ -~]{0,255}")


class BadManifest(ValueError):
    """A manifest breaks a rule; the text says which, and which file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file of a result."""

    path: str  #: relative, with "/" between names
    media_type: str
    size: int  #: bytes
    digest: str  #: SHA-256 in hex


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The files of a result, in the order of their paths."""

    main: str  #: the path of the file that stands for the whole, where one content is wanted
    files: tuple[FileEntry, ...]

    @cached_property
    def by_path(self) -> Mapping[str, FileEntry]:
        return {file.path: file for file in self.files}

    @property
    def size(self) -> int:
        """Returns the bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def main_file(self) -> FileEntry:
        return self.by_path[self.main]


def manifest_of(files: Iterable[FileEntry], main: str) -> Manifest:
    """Returns the manifest of some files, in any order. Raises BadManifest for files that are none together."""
    manifest = Manifest(main=main, files=tuple(sorted(files, key=lambda file: file.path)))
    check_manifest(manifest)
    check_lengths(manifest)
    return manifest


def is_digest(text: str) -> bool:
    """Tells whether a text is a SHA-256 in hex."""
    return _DIGEST.fullmatch(text) is not None


def is_manifest(media_type: str) -> bool:
    """Tells whether a content of this type is a manifest."""
    return media_type == MANIFEST_TYPE


def manifest_to_json(manifest: Manifest) -> bytes:
    """Returns the one form of a manifest."""
    lines = ",\n".join(_to_json(_entry_to_json(file)) for file in manifest.files)
    return f'{_OPENING}{_to_json(manifest.main)},"files":[\n{lines}\n{_CLOSING}'.encode()


def manifest_from_json(body: bytes) -> Manifest:
    """Reads a manifest. Raises BadManifest for anything but the one form, and for files that break a rule.

    It reads line by line: in a thread it leaves the others their turns.
    """
    if len(body) > MAX_MANIFEST_BYTES:
        raise BadManifest(f"expected a manifest of at most {MAX_MANIFEST_BYTES:,} bytes, but got {len(body):,}")
    lines = _text(body).split("\n")
    if len(lines) < 3 or lines[-1] != _CLOSING:
        raise BadManifest("expected a manifest: a line with its main file, a line for each file, and its end")
    if len(lines) - 2 > MAX_FILES:
        raise BadManifest(f"expected at most {MAX_FILES:,} files, but got {len(lines) - 2:,}")
    last = len(lines) - 2
    files = [_entry(line, number, is_last=number == last) for number, line in enumerate(lines[1:-1], 1)]
    manifest = Manifest(main=_main(lines[0]), files=tuple(files))
    check_manifest(manifest)
    return manifest


# ---------------------------------------------------------------- rules


def check_manifest(manifest: Manifest) -> None:
    """Raises BadManifest for no files, too many or too large ones, paths that may not be, or another main file.

    It is for every manifest, also one that is kept for long. New ones are held against `check_lengths` as well.
    """
    files = manifest.files
    if not files:
        raise BadManifest("expected at least one file, but got none")
    if len(files) > MAX_FILES:
        raise BadManifest(f"expected at most {MAX_FILES:,} files, but got {len(files):,}")
    for file in files:
        if problem := problem_of_kept_path(file.path):
            raise BadManifest(f"{problem}: {shown(file.path)}")
        # guard: paths of files are not deep -> if False:
        if file.path.count("/") >= MAX_DEPTH:
            raise BadManifest(f"expected a path of at most {MAX_DEPTH} names, but got {shown(file.path)}")
    check_apart(file.path for file in files)
    if any(before.path >= after.path for before, after in pairwise(files)):
        raise BadManifest("expected the files in the order of their paths")
    if manifest.size > MAX_FILES_BYTES:
        raise BadManifest(f"expected at most {MAX_FILES_BYTES:,} bytes in all files, but got {manifest.size:,}")
    if manifest.main not in manifest.by_path:
        raise BadManifest(f"expected the main file to be one of the files, but got {shown(manifest.main)}")


def check_lengths(manifest: Manifest) -> None:
    """Raises BadManifest for paths that are too long for a disk: the new file could be written nowhere."""
    for file in manifest.files:
        if problem := problem_of_length(file.path):
            raise BadManifest(f"{problem}: {shown(file.path)}")


def check_apart(paths: Iterable[str]) -> None:
    """Raises BadManifest for paths that would meet on some disk: they differ in case alone, or one is a folder there.

    A name that is written in two ways, as an accent may be, is one name on some disks as well.
    """
    taken = dict[str, str]()
    for path in paths:
        own = folded(path)
        if own in taken:
            raise BadManifest(
                f"expected paths that differ in more than their case, but got {shown(taken[own])} and {shown(path)}"
            )
        taken[own] = path
    # In this order a path stands right before what is in it. The folders themselves may be too many for the memory.
    for own, after in pairwise(sorted(taken, key=lambda own: own.replace("/", "\0"))):
        # guard: a file is no folder of another -> if False:
        if after.startswith(f"{own}/"):
            inner = shown(taken[after])
            raise BadManifest(f"expected {shown(taken[own])} to be a file or a folder, but {inner} is in it")


def folded(path: str) -> str:
    """Returns a path as disks compare names that do not tell case, or ways to write an accent, apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def shown(path: str) -> str:
    """Returns a path for an error: quoted, and not longer than a person reads."""
    return repr(path if len(path) <= _SHOWN else path[:_SHOWN] + "…")


# ---------------------------------------------------------------- JSON


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadManifest(f"expected a manifest in UTF-8, but byte {error.start} is none") from None


def _main(line: str) -> str:
    end = ',"files":['
    if not (line.startswith(_OPENING) and line.endswith(end)):
        raise BadManifest("expected the first line of a manifest to name its main file")
    main = _value(line[len(_OPENING) : -len(end)], "the main file")
    if not isinstance(main, str) or line != f"{_OPENING}{_to_json(main)}{end}":
        raise BadManifest("expected the first line of a manifest to name its main file")
    return main


def _entry(line: str, number: int, *, is_last: bool) -> FileEntry:
    if line.endswith(",") is is_last:
        raise BadManifest(f"file {number}: expected a comma between two files, and none behind the last")
    text = line.removesuffix(",")
    raw = _value(text, f"file {number}")
    entry = _checked(raw, number)
    if _to_json(_entry_to_json(entry)) != text:
        raise BadManifest(f"file {number}: expected its one form, with path, media_type, size and digest in this order")
    return entry


def _checked(raw: Any, number: int) -> FileEntry:
    if not isinstance(raw, dict) or raw.keys() != {"path", "media_type", "size", "digest"}:
        raise BadManifest(f"file {number}: expected path, media_type, size and digest")
    path, media_type, size, digest = raw["path"], raw["media_type"], raw["size"], raw["digest"]
    if not isinstance(path, str):
        raise BadManifest(f"file {number}: expected a text as its path")
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type) or is_manifest(media_type):
        raise BadManifest(f"{shown(path)}: expected the media type of a file, but got {shown(str(media_type))}")
    if type(size) is not int or not 0 <= size <= MAX_FILES_BYTES:
        raise BadManifest(f"{shown(path)}: expected a size from 0 to {MAX_FILES_BYTES:,} bytes, but got {size!r:.40}")
    if not isinstance(digest, str) or not is_digest(digest):
        raise BadManifest(f"{shown(path)}: expected the SHA-256 of its bytes in hex as its digest")
    return FileEntry(path=path, media_type=media_type, size=size, digest=digest)


def _value(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadManifest(f"{what}: expected JSON") from None


def _entry_to_json(file: FileEntry) -> Mapping[str, object]:
    return {"path": file.path, "media_type": file.media_type, "size": file.size, "digest": file.digest}


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
