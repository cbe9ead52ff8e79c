"""The comments that name guards in the source, and the source without one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("runner_svc", "planner_svc", "worker_svc", "signoff")
REMOVED = "(removed)"

_COMMENT = re.compile(
    r"(?P<indent> *)(?P<mark>#|--) guard(?: \((?P<count>\d+) lines\))?: (?P<names>.+?) ->(?P<text>.*)"
)
_FURTHER_IN = " " * 5  # between the mark and what does not fit behind the arrow


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A comment that names a guard, and the lines that it is about."""

    path: Path
    names: tuple[str, ...]
    at: int  #: its first line, from 0
    end: int  #: the line behind its last one
    count: int  #: lines of code that it is about
    without: tuple[str, ...]  #: the lines that replace the guard when it is taken away


def markers_below(root: Path) -> Iterator[Marker]:
    """Yields the markers in the source of a project."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in (".py", ".sql"):
                yield from markers_in(path)


def markers_in(path: Path) -> Iterator[Marker]:
    """Yields the markers of a file, in order."""
    lines = path.read_text().splitlines()
    for at, line in enumerate(lines):
        if found := _COMMENT.fullmatch(line):
            further_in = found["indent"] + found["mark"] + _FURTHER_IN
            end = at + 1
            while not found["text"] and end < len(lines) and f"{lines[end]} ".startswith(further_in):
                end += 1
            below = [found["indent"] + text.removeprefix(further_in) for text in lines[at + 1 : end]]
            beside = found["text"].strip()
            without = [found["indent"] + beside] if beside else below
            yield Marker(
                path=path,
                names=tuple(found["names"].split("; ")),
                at=at,
                end=end,
                count=int(found["count"] or 1),
                without=() if beside == REMOVED else tuple(without),
            )


def marker_of(name: str, root: Path) -> Marker:
    """Returns the one marker of a guard. Raises ValueError when there is none, or another."""
    found = [marker for marker in markers_below(root) if name in marker.names]
    if len(found) != 1:
        raise ValueError(f"expected one comment in the source that names the guard {name}, but found {len(found)}")
    return found[0]


def source_without(marker: Marker) -> str:
    """Returns the text of the marker's file as it would be without the guard."""
    lines = marker.path.read_text().splitlines()
    end = _end_of_code(lines, marker)
    return "\n".join([*lines[: marker.at], *marker.without, *lines[end:]]) + "\n"


def _end_of_code(lines: Sequence[str], marker: Marker) -> int:
    """Returns the line behind the code that a marker is about; other markers among it are not counted."""
    others = {line for other in markers_in(marker.path) for line in range(other.at, other.end)}
    at, left = marker.end, marker.count
    while left:
        left -= at not in others
        at += 1
    return at


def take_away(name: str, root: Path) -> None:
    """Writes a project as it would be without the guard. Raises ValueError when the source does not name it once."""
    marker = marker_of(name, root)
    marker.path.write_text(source_without(marker))
