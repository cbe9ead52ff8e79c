"""Parameters of a query: each endpoint names those it takes; all others are refused, with the names it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from signoff.errors import InvalidField

YES, NO = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no", ""})
SHOWN = 60  # characters of a value in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter that an endpoint takes."""

    name: str
    about: str
    schema: Mapping[str, Any]
    repeated: bool = False


def text(name: str, about: str, *, repeated: bool = False) -> Parameter:
    return Parameter(name=name, about=about, schema={"type": "string"}, repeated=repeated)


def number(name: str, about: str, most: int = 2**32 - 1) -> Parameter:
    return Parameter(name=name, about=about, schema={"type": "integer", "minimum": 0, "maximum": most})


def flag(name: str, about: str) -> Parameter:
    return Parameter(name=name, about=about, schema={"type": "string", "enum": ["0", "1"]})


def choice(name: str, about: str, values: Sequence[str], *, repeated: bool = False) -> Parameter:
    return Parameter(name=name, about=about, schema={"type": "string", "enum": list(values)}, repeated=repeated)


def moment(name: str, about: str) -> Parameter:
    return Parameter(name=name, about=about, schema={"type": "string", "format": "date-time"})


PAGE_SIZE = number("pageSize", "At most so many on a page.", 5_000)
PAGE_TOKEN = text("pageToken", "From the previous answer.")


class Query:
    """The parameters of one request, checked against those that the endpoint takes."""

    def __init__(self, given: Sequence[tuple[str, str]], known: Sequence[Parameter]) -> None:
        self._known = {parameter.name: parameter for parameter in known}
        self._given: dict[str, list[str]] = {}
        for name, value in given:
            self._given.setdefault(self._checked(name), []).append(value)
        for name, values in self._given.items():
            if len(values) > 1 and not self._known[name].repeated:
                raise InvalidField(name, "the parameter once", f"it {len(values)} times")

    def _checked(self, name: str) -> str:
        if name not in self._known:
            known = ", ".join(self._known) or "none at all"
            raise InvalidField(name[:SHOWN], f"a parameter of this path ({known})", "one that it does not know")
        return name

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def text(self, name: str) -> str:
        return self._given.get(name, [""])[0]

    def texts(self, name: str) -> list[str]:
        return self._given.get(name, [])

    def number(self, name: str, default: int = 0) -> int:
        """Returns a whole number. Raises InvalidField for anything else."""
        if name not in self._given:
            return default
        return whole_number(name, self.text(name), self._known[name].schema["maximum"])

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in YES | NO:
            raise InvalidField(name, "1 or 0", repr(value[:SHOWN]))
        return value in YES

    def choice(self, name: str, default: str) -> str:
        return self._chosen(name, self.text(name)) if name in self._given else default

    def choices(self, name: str) -> list[str]:
        return [self._chosen(name, value) for value in self.texts(name)]

    def _chosen(self, name: str, value: str) -> str:
        known = self._known[name].schema["enum"]
        for one in known:
            if one.lower() == value.lower().replace("-", "_"):
                return str(one)
        raise InvalidField(name, f"one of {', '.join(known)}", repr(value[:SHOWN]))

    def moment(self, name: str) -> Timestamp | None:
        """Returns a time, which without an offset is UTC. Raises InvalidField."""
        value = self.text(name)
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
            stamp = Timestamp()
            stamp.FromDatetime(at if at.tzinfo is not None else at.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            raise InvalidField(name, "a time such as 2026-11-29T03:15:00Z", repr(value[:SHOWN])) from None
        return stamp


def whole_number(name: str, value: str, most: int = 2**32 - 1) -> int:
    """Reads a whole number from 0 to `most`. Raises InvalidField."""
    if not (value.isascii() and value.isdigit() and len(value) <= 20 and int(value) <= most):
        raise InvalidField(name, f"a whole number from 0 to {most}", repr(value[:SHOWN]))
    return int(value)
