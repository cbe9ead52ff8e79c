"""The inputs of a plan: those that it declares, those that an execution is given, and their places in texts.

An execution runs its plan's map with the given inputs in their places (`Map.bound`). So all that follows from a task's
spec, such as its keys, its digest and its size, follows from what it is really asked to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, unique
from typing import overload

from runner_svc.core.model.values import Content
from signoff.errors import InputsInvalid
from signoff.plan.inputs import PLACE, digest_of_inputs, problem_of_path
from signoff.plan.limits import (
    MAX_FILLED_BYTES,
    MAX_INPUT_BYTES,
    MAX_INPUT_FILES,
    MAX_INPUT_TEXTS_BYTES,
    MAX_PHRASE_CHARS,
)

NAMED = 20  # inputs that an error names


@unique
class InputKind(IntEnum):
    FILE = 1  #: one file, or several
    FOLDER = 2  #: all files below it
    TEXT = 3
    JSON = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredInput:
    """An input that a plan declares."""

    name: str
    kind: InputKind
    value: str | None = None  #: a text, or JSON text, that counts when none is given; None: it must be given
    is_folder: bool = False  #: it is read as a folder, also with one file: it is a folder, or a pattern of files


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file of an input; a text or JSON is one without a path."""

    path: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenInput:
    """An input as an execution is given it."""

    name: str
    files: tuple[InputFile, ...] = ()
    text: str | None = None
    json: str | None = None  #: compact JSON text

    @property
    def value(self) -> str | None:
        """Returns what takes its place in texts; None: files have no place there."""
        return self.json if self.text is None else self.text


Given = Mapping[str, GivenInput]  # by name


@dataclass(frozen=True, slots=True)
class Places:
    """The places for inputs in the texts of a task."""

    counts: Mapping[str, int] = field(default_factory=dict)  #: by the name of the input
    in_checks: frozenset[str] = frozenset()  #: names of those that checks compare with


def no_places(_spec: bytes) -> Places:
    """Returns the places of a spec that cannot be read: none."""
    return Places()


def as_it_is(spec: bytes, _given: Given) -> bytes:
    """Returns a spec that cannot be read as it is."""
    return spec


def fill_text(text: str, given: Given) -> str:
    """Puts the values of inputs into their places in a text. What is put in is not looked through again."""

    def value(place: str, name: str) -> str:
        known = given.get(name)
        return place if known is None or known.value is None else known.value

    # guard: a value is not filled in again ->
    #     return PLACE.sub(lambda f: value(f[0], f[1]), PLACE.sub(lambda found: value(found[0], found[1]), text))
    return PLACE.sub(lambda found: value(found[0], found[1]), text)


class FilledSpecs(Sequence[bytes]):
    """The specs of a map with the values of inputs in their places, which are put there when a spec is read."""

    def __init__(
        self, specs: Sequence[bytes], places: Mapping[int, Places], fill: Callable[[bytes, Given], bytes], given: Given
    ) -> None:
        self._specs, self._places, self._fill, self._given = specs, places, fill, given

    @overload
    def __getitem__(self, task: int) -> bytes: ...
    @overload
    def __getitem__(self, task: slice) -> Sequence[bytes]: ...
    def __getitem__(self, task: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(task, slice):
            return [self[number] for number in range(*task.indices(len(self)))]
        spec = self._specs[task]
        return self._fill(spec, self._given) if task in self._places else spec

    def __len__(self) -> int:
        return len(self._specs)

    def __eq__(self, other: object) -> bool:
        """Tells whether others are the same specs with the same inputs."""
        if not isinstance(other, FilledSpecs):
            return NotImplemented
        return self._given == other._given and (self._specs is other._specs or self._specs == other._specs)

    __hash__ = None  # type: ignore[assignment]


# ---------------------------------------------------------------- what is given


def resolve(
    declared: Mapping[str, DeclaredInput], given: Iterable[GivenInput], content_of: Callable[[str, InputKind], Content]
) -> tuple[GivenInput, ...]:
    """Returns all inputs of an execution, in the order of the plan. Raises InputsInvalid.

    `content_of` describes the content of a text or JSON.
    """
    by_name = dict[str, GivenInput]()
    for each in given:
        # guard: an input that the plan does not declare is refused -> pass
        _check_name(each.name, declared, by_name)
        by_name[each.name] = each
    found = tuple(_resolved(each, by_name.get(each.name), content_of) for each in declared.values())
    _check_bounds(found)
    return found


def _check_name(name: str, declared: Mapping[str, DeclaredInput], before: Given) -> None:
    if name not in declared:
        known = f"one of the plan's inputs ({_listed(declared)})" if declared else "no inputs, for the plan has none"
        raise InputsInvalid(f"expected {known}, but got {name!r}")
    if name in before:
        raise InputsInvalid(f"expected the input {name} once, but got it twice")


def _resolved(
    declared: DeclaredInput, given: GivenInput | None, content_of: Callable[[str, InputKind], Content]
) -> GivenInput:
    name, kind = declared.name, declared.kind
    if given is None and declared.value is None:
        raise InputsInvalid(f"expected the input {name}, {_EXPECTED[kind]}, but it is not set")
    if kind in (InputKind.FILE, InputKind.FOLDER):
        assert given is not None
        if not given.files or given.value is not None:
            raise InputsInvalid(f"expected {_EXPECTED[kind]} as the input {name}, but got {_described(given)}")
        _check_files(given)
        return given
    value = declared.value
    if given is not None:
        value = given.text if kind is InputKind.TEXT else given.json
        is_other = (given.json if kind is InputKind.TEXT else given.text) is not None or given.files
        if value is None or is_other:
            raise InputsInvalid(f"expected {_EXPECTED[kind]} as the input {name}, but got {_described(given)}")
    assert value is not None
    file = InputFile(path="", content=content_of(value, kind))
    return GivenInput(
        name=name,
        files=(file,),
        text=value if kind is InputKind.TEXT else None,
        json=value if kind is InputKind.JSON else None,
    )


_EXPECTED = {
    InputKind.FILE: "a file or several",
    InputKind.FOLDER: "a folder with files",
    InputKind.TEXT: "a text",
    InputKind.JSON: "JSON",
}


def _described(given: GivenInput) -> str:
    parts = [f"{len(given.files):,} files"] if given.files else []
    parts += [what for what, value in (("a text", given.text), ("JSON", given.json)) if value is not None]
    return " and ".join(parts) or "nothing"


def _check_files(given: GivenInput) -> None:
    paths = set[str]()
    for file in given.files:
        if problem := problem_of_path(file.path):
            raise InputsInvalid(f"input {given.name}: {problem}: {file.path[:200]!r}")
        if file.path in paths:
            raise InputsInvalid(f"input {given.name}: expected each path once, but {file.path[:200]!r} comes twice")
        paths.add(file.path)


def _check_bounds(given: Sequence[GivenInput]) -> None:
    files = [file for each in given if each.value is None for file in each.files]
    if len(files) > MAX_INPUT_FILES:
        raise InputsInvalid(f"expected at most {MAX_INPUT_FILES:,} files in all inputs, but got {len(files):,}")
    if (size := sum(file.content.size for file in files)) > MAX_INPUT_BYTES:
        raise InputsInvalid(f"expected at most {MAX_INPUT_BYTES:,} bytes in all files of inputs, but got {size:,}")
    if (size := sum(len((each.value or "").encode()) for each in given)) > MAX_INPUT_TEXTS_BYTES:
        raise InputsInvalid(f"expected at most {MAX_INPUT_TEXTS_BYTES:,} bytes of texts and JSON, but got {size:,}")


def check_filled(task: str, size: int, places: Places, given: Given) -> None:
    """Raises InputsInvalid when a text cannot hold the values in its places. `size`: of the text without them."""
    sizes = {name: len((given[name].value or "").encode()) for name in places.counts if name in given}
    filled = size + sum(count * sizes.get(name, 0) for name, count in places.counts.items())
    if filled > MAX_FILLED_BYTES:
        raise InputsInvalid(
            f"expected at most {MAX_FILLED_BYTES:,} bytes in {task} with the inputs in their places, but got {filled:,}"
        )
    for name in sorted(places.in_checks & given.keys()):
        value = given[name].value or ""
        # guard: a check compares with something -> if False:
        if not value.strip() or len(value) > MAX_PHRASE_CHARS:
            got = f"{len(value):,}" if value.strip() else "a blank one"
            raise InputsInvalid(
                f"expected a text of 1 to {MAX_PHRASE_CHARS:,} characters as the input {name}, which a check of {task} "
                f"compares with, but got {got}"
            )


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join([*known[:NAMED], *(["…"] if len(known) > NAMED else [])])


def files_named(declared: DeclaredInput, given: GivenInput) -> Iterator[tuple[str, Content]]:
    """Yields the files of an input by the names that tasks read them by.

    A text, JSON and a single file have the name of the input; several files, and those of a folder, have their path
    behind it.
    """
    is_alone = not declared.is_folder and len(given.files) == 1
    for file in given.files:
        yield (given.name if is_alone else f"{given.name}/{file.path}"), file.content


def digest_of(given: Iterable[GivenInput]) -> str:
    """Returns the digest of all inputs of an execution; empty when there are none."""
    return digest_of_inputs(
        (each.name, file.path, file.content.media_type, file.content.digest) for each in given for file in each.files
    )
