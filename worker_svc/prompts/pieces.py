"""The pieces that a prompt can show: an artifact of one content is one, and one with files is one for each file.

A file is read only as far as it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from signoff.manifest.manifest import FileEntry
from worker_svc.assignment import Artifact


class FileContent:
    """The bytes of a file, which are read when they are asked for. Raises OSError when they cannot be."""

    def __init__(self, file: Path, size: int) -> None:
        self._file = file
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        with self._file.open("rb") as file:
            file.seek(start)
            return file.read(max(0, stop - start))


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePiece:
    """A file of an artifact. It has the same fields as an artifact of one content."""

    name: str  #: the artifact's name and the path of the file
    path: str
    task_id: str
    media_type: str
    digest: str
    content: FileContent

    @classmethod
    def of(cls, artifact: Artifact, file: FileEntry) -> FilePiece:
        return cls(
            name=f"{artifact.name}/{file.path}" if artifact.name else file.path,
            path=file.path,
            task_id=artifact.task_id,
            media_type=file.media_type,
            digest=file.digest,
            content=FileContent(artifact.file(file.path), file.size),
        )


Piece: TypeAlias = Artifact | FilePiece


def pieces_of(artifacts: Iterable[Artifact]) -> list[Piece]:
    """Returns the pieces of artifacts, in order; the main file of one with several comes first."""
    return [piece for artifact in artifacts for piece in _pieces_of(artifact)]


def _pieces_of(artifact: Artifact) -> Iterator[Piece]:
    if artifact.manifest is None or artifact.folder is None:
        yield artifact
        return
    yield from files_of(artifact)


def files_of(artifact: Artifact) -> list[FilePiece]:
    """Returns the files of an artifact, the main one first; none of an artifact of one content."""
    manifest = artifact.manifest
    if manifest is None:
        return []
    in_order = sorted(manifest.files, key=lambda file: file.path != manifest.main)
    return [FilePiece.of(artifact, file) for file in in_order]
