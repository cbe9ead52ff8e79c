"""Finds the compiled patterns of the packages, and the texts that cost a backtracking reader most.

Python's reader tries every way to split a text among neighbouring parts of a pattern, from every place where a search
may begin. So a text costs most when one part of the pattern, or two neighbours together, match it over and over, and
the rest of the pattern then fails at the last character.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import itertools
import pkgutil
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

from worker_svc.mock.patterns import codes, parser

#: Ways to use a pattern, each under the names of the methods that use it so.
WAYS: Mapping[str, Sequence[str]] = {
    "fullmatch": ("fullmatch",),
    "match": ("match",),
    "finditer": ("search", "finditer", "findall", "sub", "subn", "split"),
}
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_MANY = 100  # a repeat of at most so many characters is a constant factor
_CHARACTERS = " \t\n.,-`'\"\\0a_<[{(。和é"


@dataclass(frozen=True, slots=True)
class KeptPattern:
    """A pattern that a module keeps, and the ways in which the packages use it."""

    name: str
    pattern: re.Pattern[Any]
    ways: tuple[str, ...]


class Run(NamedTuple):
    """A text of any length: a beginning, a piece over and over, and an end."""

    begin: str
    piece: str
    end: str

    def text(self, length: int) -> str:
        """Returns the text with a middle of about `length` characters."""
        return f"{self.begin}{self.piece * (length // len(self.piece))}{self.end}"


def kept_patterns(packages: Iterable[str]) -> list[KeptPattern]:
    """Returns the patterns in all modules of the packages: in globals, in attributes of classes, and in containers."""
    modules = list(itertools.chain.from_iterable(map(_modules, packages)))
    sources = "".join(map(inspect.getsource, modules))
    found: dict[int, KeptPattern] = {}
    for module in modules:
        for name, pattern in _patterns_in(module):
            public = not name.startswith("_")
            ways = _ways(name, sources if public else inspect.getsource(module))
            known = found.get(id(pattern))
            first = f"{module.__name__}.{name}" if known is None else known.name
            both = ways if known is None else tuple(dict.fromkeys((*known.ways, *ways)))
            found[id(pattern)] = KeptPattern(first, pattern, both)
    return sorted(found.values(), key=lambda kept: kept.name)


def _modules(package: str) -> Iterator[ModuleType]:
    path = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        if not module.name.endswith(("__main__", "_pb2", "_pb2_grpc")):
            yield importlib.import_module(module.name)


def _patterns_in(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in vars(module).items():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            yield from ((name, found) for kept in vars(value).values() for found in _patterns_of(kept))
        elif not inspect.isclass(value):
            yield from ((name, found) for found in _patterns_of(value))


def _patterns_of(value: object, depth: int = 4) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, Mapping):
        yield from (found for item in value.values() for found in _patterns_of(item, depth - 1))
    elif depth and isinstance(value, (tuple, list, frozenset, set)):
        yield from (found for item in value for found in _patterns_of(item, depth - 1))
    elif depth and dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = (getattr(value, field.name, None) for field in dataclasses.fields(value))
        yield from (found for item in items for found in _patterns_of(item, depth - 1))


def _ways(name: str, source: str) -> tuple[str, ...]:
    """Returns the ways in which a source uses a name; of one that it only passes on, all."""
    used = set(re.findall(rf"\b{name}\.(\w+)\(", source))
    return tuple(way for way, methods in WAYS.items() if used & set(methods)) or tuple(WAYS)


# ---------------------------------------------------------------- texts


def runs_against(pattern: re.Pattern[Any]) -> list[Run]:
    """Returns texts that are costly for a pattern, if any are."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = parser.parse(text, pattern.flags if isinstance(pattern.pattern, str) else pattern.flags & ~re.LOCALE)
    runs = dict[Run, None]()
    for begin, piece in _repeated(list(tree), ""):
        runs |= dict.fromkeys((Run(begin, piece, "!"), Run(begin, piece, "`")))
        if begin:
            runs |= dict.fromkeys((Run("", begin + piece, "!"), Run("", begin, "!")))
    return list(runs)


def _repeated(sequence: list[Any], begin: str) -> Iterator[tuple[str, str]]:
    """Yields each piece that a sequence may match over and over, behind the shortest text that leads to it."""
    for number, (code, argument) in enumerate(sequence):
        behind = _shortest(sequence[number + 1 : number + 2])
        if code in _REPEATS:
            if argument[1] > _MANY:
                for piece in _pieces(list(argument[2])):
                    yield from ((begin, each) for each in dict.fromkeys((piece, piece + behind, behind)) if each)
            yield from _repeated(list(argument[2]), begin)
        for inner in _inner(code, argument):
            yield from _repeated(inner, begin)
        begin += _shortest([(code, argument)])


def _inner(code: Any, argument: Any) -> list[list[Any]]:
    if code is codes.SUBPATTERN:
        return [list(argument[3])]
    if code is codes.ATOMIC_GROUP:
        return [list(argument)]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [list(argument[1])]
    return [list(branch) for branch in argument[1]] if code is codes.BRANCH else []


def _pieces(body: list[Any]) -> list[str]:
    """Returns texts that the inside of a repeat matches: each kind of character, and each alternative."""
    if len(body) == 1:
        code, argument = body[0]
        if characters := _characters(code, argument):
            return characters
        if branches := _inner(code, argument):
            return [piece for branch in branches for piece in _pieces(branch)]
    return [_shortest(body)]


def _shortest(sequence: Iterable[Any]) -> str:
    return "".join(_shortest_of(code, argument) for code, argument in sequence)


def _shortest_of(code: Any, argument: Any) -> str:
    if characters := _characters(code, argument):
        return characters[0]
    if code in _REPEATS:
        return _shortest(argument[2]) * int(argument[0])
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return ""
    return min(map(_shortest, _inner(code, argument)), key=len, default="")


def _characters(code: Any, argument: Any) -> list[str]:
    """Returns some of the characters that one place of a pattern matches."""
    if code is codes.LITERAL:
        return [chr(argument)]
    if code is codes.ANY:
        return [" ", "a"]
    if code is codes.NOT_LITERAL:
        return [character for character in _CHARACTERS if ord(character) != argument]
    if code is not codes.IN:
        return []
    named = [chr(one if kind is codes.LITERAL else one[0]) for kind, one in argument if kind in _NAMING]
    is_member = re.compile(_written(argument)).match
    return [character for character in dict.fromkeys([*_CHARACTERS, *named[:3]]) if is_member(character)] or ["~"]


_NAMING = (codes.LITERAL, codes.RANGE)
_CATEGORIES = {
    codes.CATEGORY_SPACE: r"\s", codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _written(members: Iterable[Any]) -> str:
    """Writes the parsed members of a class as a class again."""
    written = ""
    for kind, value in members:
        if kind is codes.NEGATE:
            written += "^"
        elif kind is codes.LITERAL:
            written += re.escape(chr(value))
        elif kind is codes.RANGE:
            written += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        else:
            written += _CATEGORIES[value]
    return f"[{written}]"


# ---------------------------------------------------------------- costs


def outgrows(read: Callable[[str], object], run: Run, size: int, *, most: float, floor: float) -> bool:
    """Tells whether a run of four times the size takes more than `most` times as long to read, and `floor` seconds.

    The seconds are of this thread on the processor. A suspect is measured again, and its shortest times count.
    """
    small, large = run.text(size), run.text(4 * size)
    if _seconds(read, run.text(size // 4)) > 5 * floor:
        return True  # the large one might take hours
    took = _seconds(read, large)
    if took < floor or took < most * _seconds(read, small):
        return False
    took = min(_seconds(read, large) for _ in range(3))
    return took > max(floor, most * min(_seconds(read, small) for _ in range(5)))


def _seconds(read: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    read(text)
    return time.thread_time() - begun
