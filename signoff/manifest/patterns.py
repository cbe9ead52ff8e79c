"""Patterns of paths, such as "charts/*.png".

`*` and `?` stand for characters of one name, `**` for any number of folders. A pattern that names no dot does not match
hidden files, whose names begin with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

_WILD = frozenset("*?[")


def is_pattern(path: str) -> bool:
    """Tells whether a path is a pattern of files."""
    return any(character in path for character in _WILD)


def matches(path: str, pattern: str) -> bool:
    """Tells whether a pattern matches a path. Every path matches itself, also one with a wild character in a name."""
    return path == pattern or names_match(path.split("/"), pattern.split("/"))


def names_match(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tells whether the names of a path match the parts of a pattern."""
    # Each place of the pattern that the names so far can have led to: patterns with many "**" take no longer for it.
    places = _with_skips({0}, wanted)
    for name in names:
        places = _with_skips({after for place in places for after in _after(name, place, wanted)}, wanted)
    return len(wanted) in places


def may_hold(folder: str, pattern: str) -> bool:
    """Tells whether a folder may hold, at some depth, a path that a pattern matches."""
    wanted = pattern.split("/")
    places = _with_skips({0}, wanted)
    for name in folder.split("/"):
        places = _with_skips({after for place in places for after in _after(name, place, wanted)}, wanted)
    return any(place < len(wanted) for place in places) or pattern.startswith(f"{folder}/")


def _after(name: str, place: int, wanted: Sequence[str]) -> Sequence[int]:
    if place == len(wanted):
        return ()
    part = wanted[place]
    if part == "**":
        return () if name.startswith(".") else (place,)
    if name.startswith(".") and not part.startswith("."):
        return ()
    return (place + 1,) if fnmatchcase(name, part) else ()


def _with_skips(places: set[int], wanted: Sequence[str]) -> set[int]:
    """Adds the places behind each "**", which may stand for no folder at all."""
    for place in sorted(places):
        while place < len(wanted) and wanted[place] == "**":
            place += 1
            places.add(place)
    return places
