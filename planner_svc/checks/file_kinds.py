"""The kinds of check that look at files, or at a content that is no text, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from planner_svc.checks.base import BaseCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredFilesCheck(BaseCheck):
    """The candidate has a file for each of these paths and patterns."""

    files: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSizeCheck(BaseCheck):
    """The size in bytes; both bounds are inclusive."""

    min_bytes: int
    max_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaTypeCheck(BaseCheck):
    """The media type, told by the bytes, is one of these; "image/*" stands for all images."""

    types: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return self.types


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCheck(BaseCheck):
    """It is a picture that can be read whole. Bounds are in pixels and inclusive; None: no bound."""

    min_width: int | None = None
    max_width: int | None = None
    min_height: int | None = None
    max_height: int | None = None
    may_be_blank: bool = False  #: it may be of one colour alone


class ColumnType(Enum):
    """The types of a column's values, as plan.json names them."""

    ANY = ""
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column that a table must have. Bounds are inclusive."""

    name: str
    type: ColumnType = ColumnType.ANY
    may_be_empty: bool = False
    unique: bool = False
    min: float | None = None
    max: float | None = None
    sum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCheck(BaseCheck):
    """It is a table with a head, as CSV or TSV. Bounds are of the rows below the head, and inclusive."""

    columns: tuple[TableColumn, ...] = ()
    only_these: bool = False  #: it has no other columns
    min_rows: int = 0
    max_rows: int | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def parts(self) -> int:
        return 1 + len(self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSafeCheck(BaseCheck):
    """It is an archive that can be unpacked without harm."""

    max_members: int = 0  #: 0: as many as a validator takes
    max_unpacked_bytes: int = 0  #: 0: as many as a validator takes


FileCheck = RequiredFilesCheck | FileSizeCheck | MediaTypeCheck | ImageCheck | TableCheck | ArchiveSafeCheck
