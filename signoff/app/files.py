"""The files of an input or a candidate that has several: a mapping from paths to places on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """A file, as the result it belongs to names it."""

    media_type: str  #: for example "image/png"
    size: int  #: bytes
    digest: str  #: SHA-256 in hex


@dataclass(frozen=True, kw_only=True)
class Files(Mapping[str, Path]):
    """Files by their paths: `files["charts/sales.png"]` is where one lies until the function returns.

    They are there to be read. What a function makes of them goes into `Context.outputs`.
    """

    name: str  #: as the task names it; empty when its maker names none
    task_id: str  #: the task that made it; empty: it is an input of the plan
    digest: str  #: SHA-256 in hex, of all files together
    folder: Path  #: where they are
    main_path: str  #: of the file that stands for the whole
    entries: Mapping[str, FileInfo]  #: by the paths

    @property
    def main(self) -> Path:
        """Returns the place of the file that stands for the whole."""
        return self.folder / self.main_path

    def __getitem__(self, path: str) -> Path:
        if path not in self.entries:
            there = ", ".join(list(self.entries)[:10])
            raise KeyError(f"expected one of the files {there}, but got {path!r}")
        return self.folder / path

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
