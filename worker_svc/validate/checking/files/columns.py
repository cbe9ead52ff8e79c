"""The values of one column of a table: their type, bounds, sum, and whether one comes twice.

Numbers are compared exactly, as they are written: 0.1 and 0.2 are 0.3.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Context, Decimal

from signoff.v1 import plan_pb2

_ANY = plan_pb2.COLUMN_TYPE_UNSPECIFIED
_TEXT = plan_pb2.COLUMN_TYPE_TEXT
_INTEGER = plan_pb2.COLUMN_TYPE_INTEGER
_NUMBER = plan_pb2.COLUMN_TYPE_NUMBER
_DATE = plan_pb2.COLUMN_TYPE_DATE
_BOOLEAN = plan_pb2.COLUMN_TYPE_BOOLEAN

_EXPECTED = {
    _INTEGER: "a whole number",
    _NUMBER: "a number",
    _DATE: "a day such as 2026-11-29, or one with a time",
    _BOOLEAN: "true, false, yes, no, 1 or 0",
}
_PATTERNS = {
    _INTEGER: re.compile(r"[+-]?[0-9]{1,400}"),
    _NUMBER: re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?"),
    _BOOLEAN: re.compile(r"true|false|yes|no|1|0", re.IGNORECASE),
    _DATE: re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
    ),
}
_MOST_SHOWN = 60  # characters of a value
_SUMS = Context(prec=60, Emax=10**9, Emin=-(10**9), traps=[])  # enough digits for sums of doubles, and no exceptions
_add = _SUMS.add
_PART = Decimal("1e-9")  # of the sum, within which it may lie beside what is asked for


def known_type(kind: int) -> bool:
    """Tells whether this version knows a type of columns."""
    return kind in (_ANY, _TEXT, *_PATTERNS)


class ColumnValues:
    """Looks at the values of one column, one after the other."""

    def __init__(self, wanted: plan_pb2.TableColumn, place: int) -> None:
        self.name, self.place = wanted.name, place
        self._wanted = wanted
        pattern = _PATTERNS.get(wanted.type)
        self._match = pattern.fullmatch if pattern is not None else None
        self._is_date, self._is_unique = wanted.type == _DATE, wanted.unique
        self._is_other = wanted.type not in (_INTEGER, _NUMBER)
        self._is_summed = wanted.HasField("sum")
        self._is_bounded = any(wanted.HasField(bound) for bound in ("min", "max", "sum"))
        self._min = Decimal(repr(wanted.min)) if wanted.HasField("min") else None
        self._max = Decimal(repr(wanted.max)) if wanted.HasField("max") else None
        self._sum = Decimal(0)
        self._seen = dict[str, int]()  # the line of each value, where none may come twice

    def problem_of(self, value: str, number: int) -> str:
        """Says what is wrong with the value in the row of a line; empty: nothing."""
        value = value.strip()
        if not value:
            return "" if self._wanted.may_be_empty else "a value is missing"
        if self._match is not None and (not self._match(value) or (self._is_date and not _is_day(value))):
            return f"expected {_EXPECTED[self._wanted.type]}, but got {_shown(value)}"
        if self._is_unique:
            first = self._seen.setdefault(value, number)
            if first != number:
                return f"expected each value once, but {_shown(value)} stands in line {first}, too"
        return self._problem_of_number(value) if self._is_bounded else ""

    def problem_of_all(self) -> str:
        """Says what is wrong with all values together; empty: nothing."""
        if not self._wanted.HasField("sum"):
            return ""
        wanted = Decimal(repr(self._wanted.sum))
        # guard: a sum is the sum of all rows -> if True:
        if abs(_SUMS.subtract(self._sum, wanted)) <= _SUMS.multiply(abs(wanted) or Decimal(1), _PART):
            return ""
        return f"{_shown(self.name)}: expected a sum of {_plain(wanted)}, but got {_plain(self._sum)}"

    def _problem_of_number(self, value: str) -> str:
        if self._is_other and not _PATTERNS[_NUMBER].fullmatch(value):
            return f"expected a number, but got {_shown(value)}"
        amount = Decimal(value)
        if self._is_summed:
            self._sum = _add(self._sum, amount)
        if self._min is not None and amount < self._min:
            return f"expected at least {_plain(self._min)}, but got {_shown(value)}"
        if self._max is not None and amount > self._max:
            return f"expected at most {_plain(self._max)}, but got {_shown(value)}"
        return ""


def _is_day(value: str) -> bool:
    """Tells whether a day, and the time behind it, exist."""
    try:
        datetime.fromisoformat(value.replace(",", "."))
    except ValueError:
        return False
    return True


def _shown(value: str) -> str:
    return repr(value if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]}…")


def _plain(number: Decimal) -> str:
    """Returns a number for a reason: 1200 and 0.5, and not 1.2E+3."""
    return f"{float(number):,.15g}" if abs(number) < Decimal("1e15") else f"{number:.6e}"
