"""Takes secrets out of a text that comes in pieces, and holds back as little of it as possible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from signoff.secrets.layers import ESCAPE_MARKS, Escapes, Layer, Span, layers_of, spans_in
from signoff.secrets.needles import LINE_ENDS, LOWER_HEX, SEPARATORS, Needles

HIDDEN = "[secret]"
SHORTEST = 8  # bytes; shorter ones are words such as "none" or "ollama", and hiding those would garble texts


class SecretStream:
    """Filters a text that comes in pieces. It holds back only an end that may be the beginning of a secret.

    A single letter is let through all the same, or every "s" would wait for what follows; it still counts as a
    beginning.
    """

    def __init__(self, needles: Sequence[Needles], escapes: Escapes, begins: Beginnings) -> None:
        self._needles = needles
        self._escapes = escapes
        self._begins = begins
        self._held = b""
        self._told = 0  # bytes at the beginning of what is held

    def feed(self, piece: str) -> str:
        """Takes a piece, and returns the text that can leave now."""
        if not self._needles:
            return piece
        given = piece.encode(errors="surrogatepass")
        buffer = self._held + given if self._held else given
        if ESCAPE_MARKS.search(buffer) or self._has_one(buffer):
            cut, spans = self._looked_through(buffer)
        else:
            cut, spans = self._begins.at(buffer), []
        if buffer is given and cut == len(given) and not spans:
            return piece
        return self._taken(buffer, cut, spans).decode(errors="surrogatepass")

    def end(self) -> str:
        """Returns the text that was held back, once nothing more comes."""
        held, spans = self._held, list(spans_in(layers_of(self._held, self._escapes), self._needles))
        rest = self._taken(held, len(held), spans)
        self._held, self._told = b"", 0
        return rest.decode(errors="surrogatepass")

    def _taken(self, buffer: bytes, cut: int, spans: Sequence[Span]) -> bytes:
        """Returns the buffer up to the cut, and holds the rest."""
        told, single = self._told, cut == len(buffer) - 1 and buffer[cut] not in b"\\%&"
        end = len(buffer) if single else cut
        self._held = buffer[cut:]
        self._told = 1 if single else told if cut == 0 else 0
        within = [span for span in spans if span[1] <= cut]
        said = replaced(buffer[:end], within)
        return said if not end or any(start < told for start, _ in within) else said[told:]

    def _has_one(self, buffer: bytes) -> bool:
        """Tells whether a buffer without escapes holds a secret; most pieces are too short."""
        return len(buffer) >= SHORTEST and any(True for _ in spans_in([Layer(text=buffer)], self._needles))

    def _looked_through(self, buffer: bytes) -> tuple[int, Sequence[Span]]:
        """Returns up to where the buffer can leave, and the places of secrets in it."""
        layers = layers_of(buffer, self._escapes, is_whole=False)
        spans = list(spans_in(layers, self._needles))
        cut = max(min(self._begins.in_layer(layer) for layer in layers), len(buffer) - self._begins.longest)
        while (inside := next((start for start, stop in spans if start < cut < stop), None)) is not None:
            cut = inside  # a secret that may be longer still is held as a whole
        while cut < len(buffer) and buffer[cut] & 0xC0 == 0x80:  # not inside a character
            cut += 1
        return cut, spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginnings:
    """All beginnings of all needles: a text that ends with one of them must wait."""

    texts: frozenset[bytes]
    hexed: frozenset[bytes]
    most: int  #: bytes of the longest of them
    longest: int  #: bytes that a secret may take, escaped

    @classmethod
    def of(cls, needles: Sequence[Needles]) -> Beginnings:
        texts = frozenset(text[:end] for known in needles for text in known.texts for end in range(1, len(text)))
        hexed = frozenset(known.hexed[:end] for known in needles for end in range(1, len(known.hexed)))
        longest = max((known.longest for known in needles), default=0)
        return cls(texts=texts, hexed=hexed, most=max(map(len, texts | hexed), default=0), longest=longest)

    def at(self, text: bytes) -> int:
        """Returns where a beginning at the end of a text starts; the text's length when it ends with none.

        Line ends and separators are left out.
        """
        joined, hexed = text.translate(None, LINE_ENDS), text.translate(LOWER_HEX, SEPARATORS)
        begun = self._tail(joined, self.texts), self._tail(hexed, self.hexed)
        return len(text) - max(_reaching(text, begun[0], LINE_ENDS), _reaching(text, begun[1], SEPARATORS))

    def in_layer(self, layer: Layer) -> int:
        """Returns where in the text itself a secret may have begun, or an escape that is not complete."""
        begun = [layer.end]
        for filtered, beginnings in ((layer.joined, self.texts), (layer.hexed, self.hexed)):
            if count := self._tail(filtered.text, beginnings):
                end = len(filtered.text)
                begun.append(filtered.span(end - count, end)[0])
        return min(begun)

    def _tail(self, text: bytes, beginnings: frozenset[bytes]) -> int:
        """Returns the length of the longest beginning that a text ends with."""
        end = len(text)
        for at in range(max(0, end - self.most), end):
            if text[at:] in beginnings:
                return end - at
        return 0


def _reaching(text: bytes, count: int, left_out: bytes) -> int:
    """Returns how many bytes the end of a text takes to have `count` bytes that are not left out."""
    reach = 0
    while count:
        reach += 1
        count -= text[-reach] not in left_out
    return reach


def replaced(content: bytes, spans: Sequence[Span]) -> bytes:
    """Returns the content with HIDDEN in place of each span; spans that overlap become one."""
    if not spans:
        return content
    parts, at = [], 0
    for start, stop in merged(spans):
        parts += [content[at:start], HIDDEN.encode()]
        at = stop
    return b"".join([*parts, content[at:]])


def merged(spans: Iterable[Span]) -> list[Span]:
    """Returns spans in order; those that overlap become one."""
    apart: list[Span] = []
    for start, stop in sorted(spans):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(stop, apart[-1][1]))
        else:
            apart.append((start, stop))
    return apart
