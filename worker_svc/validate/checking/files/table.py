"""The check of a table: CSV, or TSV where the name or the media type says so, with a head and rows below it.

It is read row by row. Lines, fields and columns are bounded, so that no file takes more memory than a few of its rows;
only a column without repetitions takes memory for each of its values.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from signoff.manifest.media_types import plain_type
from signoff.v1 import plan_pb2
from worker_svc.validate.checking.files.columns import ColumnValues, known_type
from worker_svc.validate.checking.looked_at import LookedAt
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed

TSV = "text/tab-separated-values"
MAX_LINE_CHARS = 16 * 1024 * 1024
MAX_FIELD_CHARS = 1024 * 1024
MAX_COLUMNS = 10_000
MOST_PROBLEMS = 5  # that a reason names
_MOST_NAMES = 20  # of columns in a reason
_MOST_NAME = 60  # characters of each

Row = tuple[int, list[str]]  #: the number of its first line, from 1, and its fields


def check_table(check: plan_pb2.Check, file: LookedAt) -> None:
    wanted = check.table
    if unknown := [column.name for column in wanted.columns if not known_type(column.type)]:
        raise CheckBroken(f"this version of signoff does not know the type of column {_named(unknown)}")
    rows = rows_of(file)
    _, head = next(rows, (0, []))
    if not head:
        raise CheckFailed("expected a table with a head, but it is empty")
    columns = _columns_of(wanted, head)
    problems, count, expected = list[str](), 0, len(head)
    for number, row in rows:  # a tight loop: there may be millions of values
        count += 1
        if len(row) == expected:
            for column in columns:
                if problem := column.problem_of(row[column.place], number):
                    problems.append(f"line {number}, {_named([column.name])}: {problem}")
        else:
            problems.append(f"line {number} has {_fields(len(row))}, and the head {expected:,}")
        if len(problems) >= MOST_PROBLEMS:
            raise CheckFailed("; ".join([*problems[:MOST_PROBLEMS], "and perhaps more"]))
    problems += [problem for column in columns if (problem := column.problem_of_all())]
    problems += _problems_of_count(wanted, count)
    if problems:
        raise CheckFailed("; ".join(problems))


def _columns_of(wanted: plan_pb2.TableCheck, head: Sequence[str]) -> list[ColumnValues]:
    """Finds the columns in the head. Raises CheckFailed when one is missing, comes twice, or is one too many."""
    missing = [column.name for column in wanted.columns if column.name not in head]
    if missing:
        raise CheckFailed(f"expected the columns {_named(missing)}, but the head has {_named(head)}")
    if twice := [column.name for column in wanted.columns if head.count(column.name) > 1]:
        raise CheckFailed(f"expected each column once, but the head has {_named(twice)} twice")
    names = {column.name for column in wanted.columns}
    if wanted.only_these and (others := [name for name in head if name not in names]):
        raise CheckFailed(f"expected no columns but {_named(names)}, but the head has {_named(others)}")
    return [ColumnValues(column, head.index(column.name)) for column in wanted.columns]


def _problems_of_count(wanted: plan_pb2.TableCheck, count: int) -> Iterator[str]:
    if count < wanted.min_rows:
        yield f"expected at least {wanted.min_rows:,} rows below the head, but got {count:,}"
    if wanted.HasField("max_rows") and count > wanted.max_rows:
        yield f"expected at most {wanted.max_rows:,} rows below the head, but got {count:,}"


def _fields(count: int) -> str:
    return f"{count:,} field{'' if count == 1 else 's'}"


def _named(names: Sequence[str] | set[str]) -> str:
    """Names columns for a reason: quoted, so that control characters are seen, and not more than a person reads."""
    ordered = sorted(names) if isinstance(names, set) else names
    shown = [repr(name if len(name) <= _MOST_NAME else f"{name[:_MOST_NAME]}…") for name in ordered[:_MOST_NAMES]]
    return ", ".join([*shown, "…"] if len(ordered) > _MOST_NAMES else shown)


# ---------------------------------------------------------------- rows


def rows_of(file: LookedAt, delimiter: str = "") -> Iterator[Row]:
    """Yields the rows of a table that are not blank. Raises CheckFailed for what no reader of tables can read.

    Without a delimiter the file's name, its media type and its first line decide it.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    with file.open() as opened:
        lines = _Lines(opened)
        delimiter = delimiter or _delimiter_of(file, lines.first)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        number = 1
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise CheckFailed(f"expected a table, but in the row of line {number}: {_in_words(error)}") from error
            if row is None:
                return
            if len(row) > MAX_COLUMNS:
                raise CheckFailed(f"expected at most {MAX_COLUMNS:,} columns, but line {number} has {len(row):,}")
            if row:
                yield number, row
            number = reader.line_num + 1


def _delimiter_of(file: LookedAt, first_line: str) -> str:
    """Returns a tab for TSV, else a comma, or the semicolon that spreadsheets of half of Europe write instead."""
    if file.suffix in (".tsv", ".tab") or plain_type(file.media_type) == TSV:
        return "\t"
    return ";" if ";" in first_line and "," not in first_line else ","


def _in_words(error: csv.Error) -> str:
    said = str(error)
    if "field larger" in said:
        return f"a field has more than {MAX_FIELD_CHARS:,} characters; is a quotation mark not closed?"
    return f"{said}; is a quotation mark not closed?" if "unexpected end" in said else said


class _Lines:
    """The lines of a file in UTF-8, each with its end, without the byte order mark that spreadsheets write first."""

    def __init__(self, opened: BinaryIO) -> None:
        self._text = io.TextIOWrapper(opened, encoding="utf-8-sig", newline="")
        self._number = 0
        self._begun = True
        self.first = self._read()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.first if self._begun else self._read()
        self._begun = False
        if not line:
            raise StopIteration
        return line

    def _read(self) -> str:
        self._number += 1
        try:
            line = self._text.readline(MAX_LINE_CHARS + 1)
        except UnicodeDecodeError as error:
            wrong = f"a byte 0x{error.object[error.start]:02x} ({error.reason})"
            raise CheckFailed(f"expected a table in UTF-8, but near line {self._number} there is {wrong}") from error
        # guard: a line of a table is bounded -> if False:
        if len(line) > MAX_LINE_CHARS:
            most = f"{MAX_LINE_CHARS:,} characters"
            raise CheckFailed(f"expected lines of at most {most}, but line {self._number} has more")
        if "\0" in line:
            raise CheckFailed(f"expected text, but line {self._number} has a NUL (0x00)")
        return line
