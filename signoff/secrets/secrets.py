"""Finds secrets in what is about to leave a process, however they are written, and puts `[secret]` in their place.

A text is searched as it is, and again with its escapes read, layer by layer: percent-encoding, the escapes of JSON and
of programming languages, HTML's entities. Each layer is searched for the secret itself, for its base64 (both alphabets,
at each of the three places where a group may begin) and for its hex. Line breaks inside, and separators inside hex, do
not hide it. What is not found: parts of a secret, ciphers, compression, and secrets shorter than SHORTEST.
"""

from __future__ import annotations

import asyncio
import html.entities
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

HIDDEN = "[secret]"
SHORTEST = 8  # bytes; shorter ones are words such as "none" or "ollama", and hiding those would garble texts
WINDOW = 64 * 1024  # bytes that are searched at once: well under a turn of an event loop, escapes included

#: What is set where no key is needed: words that texts may well hold.
PLACEHOLDERS = frozenset(
    {"lm-studio", "not-needed", "not-used", "no-key-needed", "no-key-required", "sk-no-key-required", "placeholder"}
)
_SECRET_NAME = re.compile(
    r"key|token|secret|passw|pwd|credential|authorization|signature|\Asig\Z|\Acode\Z", re.IGNORECASE
)

_LAYERS = 3  # of escapes around escapes
_LONGEST_ESCAPE = 24  # bytes of one byte, all layers together; most are a third of it
_SLACK = 64  # bytes of an escape that has only begun

_LINE_ENDS, _SEPARATORS = b"\r\n", b" \t\r\n:,-"
_LOWER_HEX = bytes.maketrans(b"ABCDEF", b"abcdef")
_MARKS = re.compile(rb"[\\%&]")
_PERCENT = rb"%(?P<byte>[0-9a-fA-F]{2})"
_BACKSLASH = (
    rb"\\(?:[xX](?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|u\{(?P<braced>[0-9a-fA-F]{1,6})\}"
    rb"|U(?P<long>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<plain>[^A-Za-z0-9\r\n]))"
)
_ENTITY = (
    rb"&(?:\#(?P<decimal>[0-9]{1,9});?|\#[xX](?P<hexadecimal>[0-9a-fA-F]{1,8});?|(?P<named>[A-Za-z][A-Za-z0-9]{1,31};))"
)
_ALL = re.compile(b"|".join((_PERCENT, _BACKSLASH, _ENTITY)))
_EACH = (_ALL, *map(re.compile, (_PERCENT, _BACKSLASH, _ENTITY)))
_BEGUN = re.compile(
    rb"(?:%[0-9a-fA-F]?|\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|u\{[0-9a-fA-F]{0,6}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?"
    rb"|&(?:\#[0-9]{0,9}|\#[xX][0-9a-fA-F]{0,8}|[A-Za-z][A-Za-z0-9]{0,30})?)\Z"
)
_OCTAL, _DECIMAL = "octal", "decimal"
_BYTES = frozenset({"byte", "x", _OCTAL})

Span = tuple[int, int]
Escapes = Sequence[re.Pattern[bytes]]


class Secrets:
    """What must not be told. More may be added at any time; streams that have begun keep to what was known then."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._needles: dict[str, _Needles] = {}
        self._escapes: Escapes = (_ALL,)
        self._begins: _Beginnings | None = None  # made when a stream first needs them
        for secret in known:
            self.add(secret)

    def __len__(self) -> int:
        return len(self._needles)

    def add(self, secret: str) -> None:
        """One more; what is too short or only stands in for a key is passed over."""
        plain = secret.strip()
        if len(plain.encode(errors="surrogatepass")) >= SHORTEST and plain not in PLACEHOLDERS:
            self._needles.setdefault(plain, _Needles.of(plain))
            self._begins = None
            if _MARKS.search(plain.encode(errors="surrogatepass")):
                self._escapes = _EACH  # what looks like an escape may be the secret's own

    def add_url(self, url: str) -> None:
        """The password, the user and the keys in a URL."""
        for secret in secrets_in_url(url):
            self.add(secret)

    def without(self, text: str) -> str:
        """The text without secrets; the very same when there are none in it."""
        if not self._needles or len(text) < SHORTEST:
            return text
        given = text.encode(errors="surrogatepass")
        cleaned = self.without_in(given)
        return text if cleaned is given else cleaned.decode(errors="surrogatepass")

    def without_in(self, content: bytes) -> bytes:
        """The bytes without secrets; the very same when there are none in them."""
        return _replaced(content, [span for window in self._windows(content) for span in window])

    async def cleaned(self, content: bytes) -> bytes:
        """As `without_in`, for contents of any size: other work of the event loop goes on meanwhile."""
        spans: list[Span] = []
        for window in self._windows(content):
            spans += window
            if len(content) > WINDOW:
                await asyncio.sleep(0)
        return _replaced(content, spans)

    def stream(self) -> SecretStream:
        """Looks for the secrets in a text that comes in pieces."""
        needles = tuple(self._needles.values())
        if self._begins is None:
            self._begins = _Beginnings.of(needles)
        return SecretStream(needles, self._escapes, self._begins)

    def _windows(self, content: bytes) -> Iterator[list[Span]]:
        """Where secrets stand, window by window; each begins so far before the end of the last that none is cut."""
        needles = tuple(self._needles.values())
        overlap, begin = max((known.longest for known in needles), default=0), 0
        while needles and begin < len(content):
            end = begin + WINDOW + overlap
            part = content if begin == 0 and end >= len(content) else content[begin:end]
            yield [(begin + start, begin + stop) for start, stop in _spans(_layers(part, self._escapes), needles)]
            begin += WINDOW


class SecretStream:
    """The text that came in pieces, without secrets: holds back only what may be the beginning of one.

    A single letter is told all the same, or every "s" would wait for what follows; it still counts as the beginning.
    """

    def __init__(self, needles: Sequence[_Needles], escapes: Escapes, begins: _Beginnings) -> None:
        self._needles = needles
        self._escapes = escapes
        self._begins = begins
        self._held = b""
        self._told = 0  # bytes at the beginning of what is held

    def feed(self, piece: str) -> str:
        """What can be told now."""
        if not self._needles:
            return piece
        given = piece.encode(errors="surrogatepass")
        buffer = self._held + given if self._held else given
        if _MARKS.search(buffer) or self._has_one(buffer):
            cut, spans = self._looked_through(buffer)
        else:
            cut, spans = self._begins.at(buffer), []
        if buffer is given and cut == len(given) and not spans:
            return piece
        return self._taken(buffer, cut, spans).decode(errors="surrogatepass")

    def end(self) -> str:
        """What was held back, once nothing more comes."""
        held, spans = self._held, list(_spans(_layers(self._held, self._escapes), self._needles))
        rest = self._taken(held, len(held), spans)
        self._held, self._told = b"", 0
        return rest.decode(errors="surrogatepass")

    def _taken(self, buffer: bytes, cut: int, spans: Sequence[Span]) -> bytes:
        """Tells the buffer up to the cut, and holds the rest."""
        told, single = self._told, cut == len(buffer) - 1 and buffer[cut] not in b"\\%&"
        end = len(buffer) if single else cut
        self._held = buffer[cut:]
        self._told = 1 if single else told if cut == 0 else 0
        within = [span for span in spans if span[1] <= cut]
        said = _replaced(buffer[:end], within)
        return said if not end or any(start < told for start, _ in within) else said[told:]

    def _has_one(self, buffer: bytes) -> bool:
        """Whether a secret stands in it, were it not for escapes; most pieces are too short."""
        return len(buffer) >= SHORTEST and any(True for _ in _spans([_View(text=buffer)], self._needles))

    def _looked_through(self, buffer: bytes) -> tuple[int, Sequence[Span]]:
        """Up to where it can be told, and the secrets in it."""
        layers = _layers(buffer, self._escapes, is_whole=False)
        spans = list(_spans(layers, self._needles))
        cut = max(min(self._begins.in_view(layer) for layer in layers), len(buffer) - self._begins.longest)
        while (inside := next((start for start, stop in spans if start < cut < stop), None)) is not None:
            cut = inside  # a secret that may be longer still is held as a whole
        while cut < len(buffer) and buffer[cut] & 0xC0 == 0x80:  # not inside a character
            cut += 1
        return cut, spans


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beginnings:
    """All beginnings of all needles: what a text may end with that is not to be told yet."""

    texts: frozenset[bytes]
    hexed: frozenset[bytes]
    most: int  #: bytes of the longest of them
    longest: int  #: bytes that a secret may take, escaped

    @classmethod
    def of(cls, needles: Sequence[_Needles]) -> _Beginnings:
        texts = frozenset(text[:end] for known in needles for text in known.texts for end in range(1, len(text)))
        hexed = frozenset(known.hexed[:end] for known in needles for end in range(1, len(known.hexed)))
        longest = max((known.longest for known in needles), default=0)
        return cls(texts=texts, hexed=hexed, most=max(map(len, texts | hexed), default=0), longest=longest)

    def at(self, text: bytes) -> int:
        """Where a text ends with a beginning, line ends and separators left out; its length when it does not."""
        joined, hexed = text.translate(None, _LINE_ENDS), text.translate(_LOWER_HEX, _SEPARATORS)
        begun = self._tail(joined, self.texts), self._tail(hexed, self.hexed)
        return len(text) - max(_reaching(text, begun[0], _LINE_ENDS), _reaching(text, begun[1], _SEPARATORS))

    def in_view(self, view: _View) -> int:
        """Where in the text itself a secret may have begun, or an escape that the view was cut before."""
        begun = [view.end]
        for filtered, beginnings in ((view.joined, self.texts), (view.hexed, self.hexed)):
            if count := self._tail(filtered.text, beginnings):
                end = len(filtered.text)
                begun.append(filtered.span(end - count, end)[0])
        return min(begun)

    def _tail(self, text: bytes, beginnings: frozenset[bytes]) -> int:
        """How many bytes at the end of a text are the longest beginning there."""
        end = len(text)
        for at in range(max(0, end - self.most), end):
            if text[at:] in beginnings:
                return end - at
        return 0


def _reaching(text: bytes, count: int, left_out: bytes) -> int:
    """How far back from its end a text has so many bytes that are not left out."""
    reach = 0
    while count:
        reach += 1
        count -= text[-reach] not in left_out
    return reach


# ---------------------------------------------------------------- what is searched for


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needles:
    """One secret as it may stand in a text whose escapes are read."""

    texts: tuple[bytes, ...]  #: where line ends are left out
    hexed: bytes  #: where separators are left out besides
    longest: int  #: bytes that any of them may take, escaped

    @classmethod
    def of(cls, secret: str) -> _Needles:
        plain = secret.encode(errors="surrogatepass")
        spaced = (plain, plain.replace(b" ", b"+"))
        texts = (*(text.translate(None, _LINE_ENDS) for text in spaced), *_in_base64(plain))
        return cls(
            texts=tuple(dict.fromkeys(texts)),
            hexed=plain.hex().encode(),
            longest=_LONGEST_ESCAPE * len(plain) + _SLACK,
        )


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """The characters that stand for the secret alone, for each number of bytes that a group may have before it."""
    for before in range(3):
        coded = b64encode(bytes(before) + plain)
        first, last = -(-before * 8 // 6), (before + len(plain)) * 8 // 6
        yield coded[first:last]
        yield coded[first:last].translate(bytes.maketrans(b"+/", b"-_"))


# ---------------------------------------------------------------- where it is searched


@dataclass(frozen=True, kw_only=True)
class _View:
    """Bytes as a reader may read them, and which bytes of the text they stand for."""

    text: bytes
    parent: _View | None = None

    @cached_property
    def _origin(self) -> tuple[Sequence[int], Sequence[int]]:
        """Where each byte begins and ends in the parent."""
        raise NotImplementedError

    def span(self, start: int, stop: int) -> Span:
        """Where bytes of this view stand in the text itself."""
        if self.parent is None:
            return start, stop
        begins, ends = self._origin
        return self.parent.span(begins[start], ends[stop - 1])

    @cached_property
    def joined(self) -> _View:
        return _Filtered(text=self.text.translate(None, _LINE_ENDS), parent=self, left_out=_LINE_ENDS)

    @cached_property
    def hexed(self) -> _View:
        return _Filtered(text=self.text.translate(_LOWER_HEX, _SEPARATORS), parent=self, left_out=_SEPARATORS)

    @cached_property
    def end(self) -> int:
        """Where in the text itself the view ends."""
        return len(self.text) if self.parent is None else self.parent.end

    def before_what_has_begun(self) -> _View:
        """The view up to an escape at its end that is not complete."""
        begun = _BEGUN.search(self.text, max(0, len(self.text) - _SLACK))
        return self if begun is None else _Cut(text=self.text[: begun.start()], parent=self)


@dataclass(frozen=True, kw_only=True)
class _Cut(_View):
    """The beginning of another view."""

    def span(self, start: int, stop: int) -> Span:
        assert self.parent is not None
        return self.parent.span(start, stop)

    @cached_property
    def end(self) -> int:
        assert self.parent is not None
        return self.parent.span(len(self.text), len(self.text) + 1)[0]


@dataclass(frozen=True, kw_only=True)
class _Filtered(_View):
    """Without some bytes."""

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
class _Unescaped(_View):
    """With one layer of escapes read."""

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


def _layers(text: bytes, escapes: Escapes, *, is_whole: bool = True) -> list[_View]:
    """The text, and as it is when its escapes are read: once, twice, three times.

    Of a text that goes on, an escape that has only begun is left out.
    """
    root = _View(text=text)
    first = root if is_whole else root.before_what_has_begun()
    if not _MARKS.search(first.text):
        return [first]
    return [first, *(layer for escape in escapes for layer in _unescaped(first, escape, is_whole))]


def _unescaped(view: _View, escape: re.Pattern[bytes], is_whole: bool) -> Iterator[_View]:
    for _ in range(_LAYERS):
        read = escape.sub(_read, view.text)
        deeper = view if read == view.text else _Unescaped(text=read, parent=view, escape=escape)
        deeper = deeper if is_whole else deeper.before_what_has_begun()
        if deeper is view:
            return
        view = deeper
        yield view


def _read(escape: re.Match[bytes]) -> bytes:
    """The bytes that an escape stands for; itself when it stands for none."""
    kind, said = escape.lastgroup or "", escape[escape.lastindex or 0]
    if kind == "plain":
        return said
    if kind == "named":
        return html.entities.html5.get(said.decode(), escape[0].decode()).encode()
    code = int(said, {_OCTAL: 8, _DECIMAL: 10}.get(kind, 16))
    if kind in _BYTES:
        return bytes((code & 0xFF,))
    return chr(code).encode(errors="surrogatepass") if code <= 0x10FFFF else escape[0]


def _spans(layers: Iterable[_View], needles: Sequence[_Needles]) -> Iterator[Span]:
    """Where secrets stand in the text, in any order."""
    for layer in layers:
        for known in needles:
            for text in known.texts:
                yield from _found(layer.joined, text)
            # guard: escapes are read -> yield from ()
            yield from _found(layer.hexed, known.hexed)


def _found(view: _View, needle: bytes) -> Iterator[Span]:
    at = view.text.find(needle)
    while at >= 0:
        yield view.span(at, at + len(needle))
        at = view.text.find(needle, at + 1)


def _replaced(content: bytes, spans: Sequence[Span]) -> bytes:
    """The content with HIDDEN in place of each span; those that overlap are one."""
    if not spans:
        return content
    parts, at = [], 0
    for start, stop in _merged(spans):
        parts += [content[at:start], HIDDEN.encode()]
        at = stop
    return b"".join([*parts, content[at:]])


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, stop in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


# ---------------------------------------------------------------- what is secret


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a key or a password."""
    return _SECRET_NAME.search(name) is not None


def secrets_in_url(url: str) -> Iterator[str]:
    """The password of a URL, its user (unless that is a plain word beside a password), and the keys in its query.

    Each is given as it is written and as it is meant. A URL that cannot be taken apart has its user part searched all
    the same.
    """
    parts = _split(url)
    if parts is None or "@" in f"{parts.path}?{parts.query}#{parts.fragment}":  # a raw / ? or # in the password
        authority = url.partition("://")[2].rpartition("@")[0]
    else:
        authority = parts.netloc.rpartition("@")[0]
    user, _, password = authority.partition(":")
    yield from _as_meant(password if unquote(password) != unquote(user) else "")
    yield from _as_meant(user if not password or not user.isalpha() else "")
    for name, value in parse_qsl(parts.query if parts else url.partition("?")[2]):
        if is_secret_name(name):
            yield from _as_meant(value)


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _as_meant(written: str) -> Iterator[str]:
    yield from dict.fromkeys(filter(None, (written, unquote(written))))
