"""Checks of files in words, and what any check asks for of a file that it names."""

from __future__ import annotations

import re

from signoff.manifest.patterns import is_pattern
from signoff.plan.limits import DEFAULT_ARCHIVE_BYTES, DEFAULT_ARCHIVE_MEMBERS
from signoff.v1 import plan_pb2

_PLAIN = re.compile(r"[\w./*?+@=~-]+")
_TYPES = {
    plan_pb2.COLUMN_TYPE_TEXT: ("text",),
    plan_pb2.COLUMN_TYPE_INTEGER: ("whole numbers",),
    plan_pb2.COLUMN_TYPE_NUMBER: ("numbers",),
    plan_pb2.COLUMN_TYPE_DATE: ("dates such as 2026-11-29",),
    plan_pb2.COLUMN_TYPE_BOOLEAN: ("true or false",),
    plan_pb2.COLUMN_TYPE_UNSPECIFIED: (),
}
_NOUNS = {"image": "picture", "table": "table"}


def of_file(check: plan_pb2.Check, asked: str) -> str:
    """Returns what a check asks for, to follow "the output", when it may name a file. `asked` is it without one."""
    if not check.file:
        return asked
    noun = _NOUNS.get(check.WhichOneof("kind") or "", "")
    said = asked.removeprefix(f"is a {noun}").strip() if noun else f"that {asked}"
    if not is_pattern(check.file):
        return f"has a {noun or 'file'} {named(check.file)} {said}".rstrip()
    if not noun:
        return f"has files {named(check.file)}, each of which {asked}"
    return f"has {noun}s {named(check.file)}{f', each {said}' if said else ''}"


def named(path: str) -> str:
    """Returns a path or pattern as it is, in quotation marks where it would not be seen as one."""
    return path if _PLAIN.fullmatch(path) else repr(path)


def files_in_words(check: plan_pb2.RequiredFilesCheck) -> str:
    singles = [named(path) for path in check.files if not is_pattern(path)]
    patterns = [f"at least one file {named(path)}" for path in check.files if is_pattern(path)]
    if singles:
        singles[0] = f"the file{'s' if len(singles) > 1 else ''} {singles[0]}"
    return f"has {_listed([*singles, *patterns])}"


def size_in_words(check: plan_pb2.FileSizeCheck) -> str:
    most = check.max_bytes if check.HasField("max_bytes") else None
    return f"has {_within(check.min_bytes, most, 'byte')}"


def types_in_words(check: plan_pb2.MediaTypeCheck) -> str:
    return f"is {' or '.join(check.types)} by its bytes"


def image_in_words(check: plan_pb2.ImageCheck) -> str:
    blank = "" if check.may_be_blank else " that is not blank"
    sizes = _sizes(check)
    return f"is a picture{' ' if sizes else ''}{sizes}{blank}"


def _sizes(check: plan_pb2.ImageCheck) -> str:
    max_width = check.max_width if check.HasField("max_width") else None
    max_height = check.max_height if check.HasField("max_height") else None
    width, height = check.min_width or None, check.min_height or None
    if width and height and (width, height) == (max_width, max_height):
        return f"of {width} × {height} pixels"
    bounds = [_bound("least", width, height), _bound("most", max_width, max_height)]
    said = " and ".join(filter(None, bounds))
    return f"of {said}" if said else ""


def _bound(which: str, width: int | None, height: int | None) -> str:
    if width and height:
        return f"at {which} {width} × {height} pixels"
    if width or height:
        return f"at {which} {width or height} pixels in {'width' if width else 'height'}"
    return ""


def table_in_words(check: plan_pb2.TableCheck) -> str:
    most = check.max_rows if check.HasField("max_rows") else None
    others = " and no others" if check.only_these else ""
    columns = f"the columns {_listed([_column(column) for column in check.columns])}{others}" if check.columns else ""
    rows = f"{_within(check.min_rows, most, 'row')} below the head" if check.min_rows or most is not None else ""
    has = ", and ".join(filter(None, (columns, rows)))
    return f"is a table with {has}" if has else "is a table"


def _column(column: plan_pb2.TableColumn) -> str:
    least = f"{column.min:.15g}" if column.HasField("min") else ""
    most = f"{column.max:.15g}" if column.HasField("max") else ""
    bounds = f"from {least} to {most}" if least and most else f"at least {least}" if least else ""
    said = (
        *_TYPES.get(column.type, ("of a type this version does not know",)),
        bounds or (f"at most {most}" if most else ""),
        f"{column.sum:.15g} together" if column.HasField("sum") else "",
        "none twice" if column.unique else "",
        "some may be missing" if column.may_be_empty else "",
    )
    more = ", ".join(filter(None, said))
    return f"{named(column.name)} ({more})" if more else named(column.name)


def archive_in_words(check: plan_pb2.ArchiveSafeCheck) -> str:
    members, unpacked = check.max_members or DEFAULT_ARCHIVE_MEMBERS, check.max_unpacked_bytes or DEFAULT_ARCHIVE_BYTES
    return (
        f"is a ZIP or tar archive that unpacks without harm: at most {members} members and {unpacked} bytes, "
        "no path or link out of its folder, no two members of one name"
    )


def _within(least: int, most: int | None, noun: str) -> str:
    if most is None:
        return f"at least {_counted(least, noun)}"
    if least == most:
        return f"exactly {_counted(least, noun)}"
    return f"between {least} and {_counted(most, noun)}" if least else f"at most {_counted(most, noun)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
