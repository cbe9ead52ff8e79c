"""Checks of files: their names, size, media type, pictures, tables and archives, and the `file` of any check."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, assert_never

from planner_svc.checks.check_fields import (
    Reader,
    blaming,
    bounds,
    bounds_if_any,
    closed,
    flag_of,
    line,
    one_of,
    only,
    optional,
    required,
)
from planner_svc.checks.file_kinds import (
    ArchiveSafeCheck,
    ColumnType,
    FileCheck,
    FileSizeCheck,
    ImageCheck,
    MediaTypeCheck,
    RequiredFilesCheck,
    TableCheck,
    TableColumn,
)
from planner_svc.checks.kinds import Check
from planner_svc.diagnostics import described, listed, quoted
from planner_svc.read.check_vocabulary import CHECKS, COLUMN
from planner_svc.read.fields import MAX_NUMBER, number, whole
from signoff.manifest.patterns import is_pattern, matches
from signoff.plan.inputs import problem_of_path
from signoff.plan.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_MEMBERS,
    MAX_COLUMN_CHARS,
    MAX_COLUMNS,
    MAX_IMAGE_PIXELS,
    MAX_IMAGE_SIDE,
    MAX_MEDIA_TYPES,
    MAX_REQUIRED_FILES,
)

MOST_MEDIA_TYPE_CHARS = 256

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]*)")
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
_TYPES = tuple(each.value for each in ColumnType if each is not ColumnType.ANY)
_side = whole(1, MAX_IMAGE_SIDE)
_any_number = number(1 - MAX_NUMBER, MAX_NUMBER - 1)
_column_name = line(MAX_COLUMN_CHARS)


def file_path(value: object) -> str:
    """Reads the path of a file in a result, or a pattern such as "charts/*.png"."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected the path of a file, or a pattern, but got {described(value)}")
    if problem := problem_of_path(value):
        raise ValueError(f"{problem}: {quoted(value)}")
    return value


def no_such_file(check: Check, files: Sequence[str]) -> tuple[str, str] | None:
    """Returns the field of a check, and what is wrong with it, when it names a file that its task cannot make.

    `files` are the patterns of the files that the task makes; none: it makes one content.
    """
    for field, path in _named_by(check):
        if not files:
            return field, "expected output.files in the task, whose result is one content without files"
        # guard: a check names a file of its task -> if False:
        if not _may_be_made(path, files):
            return field, f"expected a file of output.files, which has {listed(files)}, but got {quoted(path)}"
    return None


def _named_by(check: Check) -> Sequence[tuple[str, str]]:
    if isinstance(check, RequiredFilesCheck):
        return [(f"files[{n}]", path) for n, path in enumerate(check.files)]
    return [("file", check.file)] if check.file else []


def _may_be_made(path: str, files: Sequence[str]) -> bool:
    """Tells whether a path can match a file of the patterns. Two patterns are taken to have a file in common."""
    if not is_pattern(path):
        return any(matches(path, pattern) for pattern in files)
    return any(path == pattern or is_pattern(pattern) or matches(pattern, path) for pattern in files)


# ---------------------------------------------------------------- readers


def _required_files(raw: dict[str, Any]) -> Check:
    return RequiredFilesCheck(files=required(raw, "files", _some(file_path, MAX_REQUIRED_FILES, "paths")))


def _file_size(raw: dict[str, Any]) -> Check:
    least, most = bounds(raw, "bytes")
    return FileSizeCheck(min_bytes=least, max_bytes=most)


def _media_type(raw: dict[str, Any]) -> Check:
    types = required(raw, "types", _some(_one_type, MAX_MEDIA_TYPES, "media types"))
    return MediaTypeCheck(types=tuple(dict.fromkeys(types)))


def _one_type(value: object) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if len(text) > MOST_MEDIA_TYPE_CHARS or not _MEDIA_TYPE.fullmatch(text):
        raise ValueError(f'expected a media type such as "image/png" or "image/*", but got {described(value)}')
    return text


def _some(read: Callable[[object], str], most: int, what: str) -> Callable[[object], tuple[str, ...]]:
    """Reads a list of texts that is not empty; one text is short for a list of one."""

    def read_all(value: object) -> tuple[str, ...]:
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not values:
            raise ValueError(f"expected a list of {what} that is not empty, but got {described(value)}")
        if len(values) > most:
            raise ValueError(f"expected at most {most:,} {what}, but got {len(values):,}")
        return tuple(map(read, values))  # each at its number in the plan, by which it is named when it is wrong

    return read_all


def _image(raw: dict[str, Any]) -> Check:
    (min_width, max_width), (min_height, max_height) = (bounds_if_any(raw, side, _side) for side in ("width", "height"))
    pixels = (min_width or 1) * (min_height or 1)
    if pixels > MAX_IMAGE_PIXELS:
        rule = f"min_width times min_height to be at most {MAX_IMAGE_PIXELS:,} pixels"
        raise ValueError(f"expected {rule}, for larger pictures are not read, but got {pixels:,}")
    return ImageCheck(
        min_width=min_width,
        max_width=max_width,
        min_height=min_height,
        max_height=max_height,
        may_be_blank=flag_of(raw, "may_be_blank"),
    )


def _table(raw: dict[str, Any]) -> Check:
    columns = _columns(raw.get("columns"))
    least, most = bounds_if_any(raw, "rows", whole(0))
    only_these = flag_of(raw, "only_these")
    if only_these and not columns:
        raise ValueError("expected columns beside only_these, but got none")
    return TableCheck(columns=columns, only_these=only_these, min_rows=least or 0, max_rows=most)


def _columns(value: object) -> tuple[TableColumn, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        raise ValueError(f"columns: expected a list of columns that is not empty, but got {described(value)}")
    if len(value) > MAX_COLUMNS:
        raise ValueError(f"columns: expected at most {MAX_COLUMNS:,} columns, but got {len(value):,}")
    found = tuple(blaming(f"columns[{n}]", _column, raw) for n, raw in enumerate(value))
    names = set[str]()
    for n, column in enumerate(found):
        if column.name in names:
            raise ValueError(f"columns[{n}]: expected each column once, but got {quoted(column.name)} twice")
        names.add(column.name)
    return found


def _column(raw: object) -> TableColumn:
    if isinstance(raw, str):
        return TableColumn(name=_column_name(raw))
    if not isinstance(raw, dict):
        raise ValueError(f"expected an object with a name, or a text with it, but got {described(raw)}")
    only(COLUMN.fields, raw)
    bounded = {field: optional(raw, field, _any_number, None) for field in ("min", "max", "sum")}
    least, most = bounded["min"], bounded["max"]
    if least is not None and most is not None and least > most:
        raise ValueError(f"expected min to be at most max, but got {least:,} and {most:,}")
    kind = ColumnType(optional(raw, "type", one_of(_TYPES), ""))
    given = [field for field, bound in bounded.items() if bound is not None]
    if given and kind is ColumnType.ANY:
        kind = ColumnType.NUMBER
    if given and kind not in _NUMBERS:
        raise ValueError(f"expected type integer or number beside {listed(given)}, but got {quoted(kind.value)}")
    return TableColumn(
        name=required(raw, "name", _column_name),
        type=kind,
        may_be_empty=flag_of(raw, "may_be_empty"),
        unique=flag_of(raw, "unique"),
        min=least,
        max=most,
        sum=bounded["sum"],
    )


def _archive_safe(raw: dict[str, Any]) -> Check:
    return ArchiveSafeCheck(
        max_members=optional(raw, "max_members", whole(1, MAX_ARCHIVE_MEMBERS), 0),
        max_unpacked_bytes=optional(raw, "max_unpacked_bytes", whole(1, MAX_ARCHIVE_BYTES), 0),
    )


_BY_KIND: Mapping[str, Reader] = {
    "required_files": _required_files,
    "file_size": _file_size,
    "media_type": _media_type,
    "image": _image,
    "table": _table,
    "archive_safe": _archive_safe,
}
READERS: Mapping[str, Reader] = MappingProxyType(
    {kind: closed(CHECKS[kind].fields, read) for kind, read in _BY_KIND.items()}
)

# ---------------------------------------------------------------- writers


def file_check_to_json(check: FileCheck) -> dict[str, Any]:
    """Returns the entry of `validation.checks` for one of these checks."""
    match check:
        case RequiredFilesCheck():
            return {"type": "required_files", "files": list(check.files)}
        case FileSizeCheck():
            return {"type": "file_size", "min_bytes": check.min_bytes, "max_bytes": check.max_bytes}
        case MediaTypeCheck():
            return {"type": "media_type", "types": list(check.types)}
        case ImageCheck():
            return {"type": "image", **_set(check, ("min_width", "max_width", "min_height", "max_height"))} | (
                {"may_be_blank": True} if check.may_be_blank else {}
            )
        case TableCheck():
            return _table_to_json(check)
        case ArchiveSafeCheck():
            limits = {"max_members": check.max_members, "max_unpacked_bytes": check.max_unpacked_bytes}
            return {"type": "archive_safe"} | {name: limit for name, limit in limits.items() if limit}
        case _:
            assert_never(check)


def _table_to_json(check: TableCheck) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "table"}
    if check.columns:
        entry["columns"] = [_column_to_json(column) for column in check.columns]
    if check.only_these:
        entry["only_these"] = True
    return {**entry, "min_rows": check.min_rows, "max_rows": check.max_rows}


def _column_to_json(column: TableColumn) -> dict[str, Any]:
    kind = {"type": column.type.value} if column.type is not ColumnType.ANY else {}
    flags = {name: True for name in ("may_be_empty", "unique") if getattr(column, name)}
    return {"name": column.name, **kind, **flags, **_set(column, ("min", "max", "sum"))}


def _set(value: ImageCheck | TableColumn, fields: Collection[str]) -> dict[str, Any]:
    """Returns the fields that are set."""
    return {field: found for field in fields if (found := getattr(value, field)) is not None}
