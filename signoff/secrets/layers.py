"""Reads the escapes of a text, layer by layer, and finds secrets in each layer.

The escapes are percent-encoding, those of JSON and of programming languages, and HTML's entities. A `Layer` is one
reading of the text; it knows which bytes of the text its own bytes stand for.
"""

from __future__ import annotations

import html.entities
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from signoff.secrets.needles import BLANK_LETTERS, LINE_ENDS, LOWER_HEX, SEPARATORS, SLACK, Needles

_LAYERS = 3  # of escapes around escapes

ESCAPE_MARKS = re.compile(rb"[\\%&]")
_PERCENT = rb"%(?P<byte>[0-9a-fA-F]{2})"
_BACKSLASH = (
    rb"\\(?:[xX](?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|u\{(?P<braced>[0-9a-fA-F]{1,6})\}"
    rb"|U(?P<long>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<blank>[nrt])|(?P<plain>[^A-Za-z0-9\r\n]))"
)
_ENTITY = (
    rb"&(?:\#(?P<decimal>[0-9]{1,9});?|\#[xX](?P<hexadecimal>[0-9a-fA-F]{1,8});?|(?P<named>[A-Za-z][A-Za-z0-9]{1,31};))"
)
ALL_ESCAPES = re.compile(b"|".join((_PERCENT, _BACKSLASH, _ENTITY)))
EACH_ESCAPE = (ALL_ESCAPES, *map(re.compile, (_PERCENT, _BACKSLASH, _ENTITY)))
_BEGUN = re.compile(
    rb"(?:%[0-9a-fA-F]?|\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|u\{[0-9a-fA-F]{0,6}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?"
    rb"|&(?:\#[0-9]{0,9}|\#[xX][0-9a-fA-F]{0,8}|[A-Za-z][A-Za-z0-9]{0,30})?)\Z"
)
_OCTAL, _DECIMAL = "octal", "decimal"
_BYTES = frozenset({"byte", "x", _OCTAL})
_BLANKS = bytes.maketrans(BLANK_LETTERS, b"\n\r\t")

Span = tuple[int, int]
Escapes = Sequence[re.Pattern[bytes]]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One reading of a text: its bytes, and which bytes of the text they stand for."""

    text: bytes
    parent: Layer | None = None

    @cached_property
    def _origin(self) -> tuple[Sequence[int], Sequence[int]]:
        """The place of each byte in the parent: where it begins and where it ends."""
        raise NotImplementedError

    def span(self, start: int, stop: int) -> Span:
        """Returns the place of some bytes of this layer in the text itself."""
        if self.parent is None:
            return start, stop
        begins, ends = self._origin
        return self.parent.span(begins[start], ends[stop - 1])

    @cached_property
    def joined(self) -> Layer:
        return _Filtered(text=self.text.translate(None, LINE_ENDS), parent=self, left_out=LINE_ENDS)

    @cached_property
    def hexed(self) -> Layer:
        return _Filtered(text=self.text.translate(LOWER_HEX, SEPARATORS), parent=self, left_out=SEPARATORS)

    @cached_property
    def end(self) -> int:
        """The end of the layer, as a place in the text itself."""
        return len(self.text) if self.parent is None else self.parent.end

    def before_what_has_begun(self) -> Layer:
        """Returns the layer without an incomplete escape at its end."""
        begun = _BEGUN.search(self.text, max(0, len(self.text) - SLACK))
        return self if begun is None else _Cut(text=self.text[: begun.start()], parent=self)


@dataclass(frozen=True, kw_only=True)
class _Cut(Layer):
    """The beginning of another layer."""

    def span(self, start: int, stop: int) -> Span:
        assert self.parent is not None
        return self.parent.span(start, stop)

    @cached_property
    def end(self) -> int:
        assert self.parent is not None
        return self.parent.span(len(self.text), len(self.text) + 1)[0]


@dataclass(frozen=True, kw_only=True)
class _Filtered(Layer):
    """A layer without some bytes, such as line ends."""

    left_out: bytes = b""

    def span(self, start: int, stop: int) -> Span:
        assert self.parent is not None
        is_same = len(self.text) == len(self.parent.text)
        return self.parent.span(start, stop) if is_same else super().span(start, stop)

    @cached_property
    def _origin(self) -> tuple[Sequence[int], Sequence[int]]:
        assert self.parent is not None
        begins = [at for at, byte in enumerate(self.parent.text) if byte not in self.left_out]
        return begins, [at + 1 for at in begins]


@dataclass(frozen=True, kw_only=True)
class _Unescaped(Layer):
    """A layer with one layer of escapes read."""

    escape: re.Pattern[bytes]

    @cached_property
    def _origin(self) -> tuple[Sequence[int], Sequence[int]]:
        assert self.parent is not None
        begins: list[int] = []
        ends: list[int] = []
        at = 0
        for escape in self.escape.finditer(self.parent.text):
            start, stop = escape.span()
            count = len(_read(escape))
            begins += [*range(at, start), *[start] * count]
            ends += [*range(at + 1, start + 1), *[stop] * count]
            at = stop
        rest = len(self.parent.text)
        return [*begins, *range(at, rest)], [*ends, *range(at + 1, rest + 1)]


def layers_of(text: bytes, escapes: Escapes, *, is_whole: bool = True) -> list[Layer]:
    """Returns the text as it is, and with its escapes read once, twice, three times.

    When more text may follow, an incomplete escape at the end is left out.
    """
    root = Layer(text=text)
    first = root if is_whole else root.before_what_has_begun()
    if not ESCAPE_MARKS.search(first.text):
        return [first]
    return [first, *(layer for escape in escapes for layer in _unescaped(first, escape, is_whole))]


def _unescaped(layer: Layer, escape: re.Pattern[bytes], is_whole: bool) -> Iterator[Layer]:
    for _ in range(_LAYERS):
        read = escape.sub(_read, layer.text)
        deeper = layer if read == layer.text else _Unescaped(text=read, parent=layer, escape=escape)
        deeper = deeper if is_whole else deeper.before_what_has_begun()
        if deeper is layer:
            return
        layer = deeper
        yield layer


def _read(escape: re.Match[bytes]) -> bytes:
    """Returns the bytes that an escape stands for; itself when it stands for none."""
    kind, said = escape.lastgroup or "", escape[escape.lastindex or 0]
    if kind == "plain":
        return said
    if kind == "blank":
        return said.translate(_BLANKS)
    if kind == "named":
        return html.entities.html5.get(said.decode(), escape[0].decode()).encode()
    code = int(said, {_OCTAL: 8, _DECIMAL: 10}.get(kind, 16))
    if kind in _BYTES:
        return bytes((code & 0xFF,))
    return chr(code).encode(errors="surrogatepass") if code <= 0x10FFFF else escape[0]


def spans_in(layers: Iterable[Layer], needles: Sequence[Needles]) -> Iterator[Span]:
    """Yields the places of secrets in the text, in any order."""
    for layer in layers:
        for known in needles:
            for text in known.texts:
                yield from _found(layer.joined, text)
            # guard: escapes are read -> yield from ()
            yield from _found(layer.hexed, known.hexed)


def _found(layer: Layer, needle: bytes) -> Iterator[Span]:
    at = layer.text.find(needle)
    while at >= 0:
        yield layer.span(at, at + len(needle))
        at = layer.text.find(needle, at + 1)
