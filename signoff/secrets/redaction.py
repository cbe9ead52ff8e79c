"""Finds secrets in texts that leave a process, however they are written, and puts `[secret]` in their place.

A text is searched as it is, and again with its escapes read, layer by layer: percent-encoding, the escapes of JSON and
of programming languages, HTML's entities. Each layer is searched for the secret itself, for its base64 (both alphabets,
at each of the three places where a group may begin) and for its hex. Line breaks inside, and separators inside hex, do
not hide it. Not found are parts of a secret, ciphers, compression, and secrets shorter than SHORTEST.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from signoff.secrets.layers import (
    ALL_ESCAPES,
    EACH_ESCAPE,
    ESCAPE_MARKS,
    Escapes,
    Span,
    layers_of,
    spans_in,
)
from signoff.secrets.names import PLACEHOLDERS, secrets_in_url
from signoff.secrets.needles import Needles
from signoff.secrets.stream import HIDDEN, SHORTEST, Beginnings, SecretStream, merged, replaced

WINDOW = 64 * 1024  # bytes that are searched at once: well under a turn of an event loop, escapes included


class Secrets:
    """The secrets that must not leave. More may be added at any time; streams that have begun do not see them."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._needles: dict[str, Needles] = {}
        self._escapes: Escapes = (ALL_ESCAPES,)
        self._begins: Beginnings | None = None  # made when a stream first needs them
        for secret in known:
            self.add(secret)

    def __len__(self) -> int:
        return len(self._needles)

    def add(self, secret: str) -> None:
        """Adds a secret. Ignores one that is too short, or only a placeholder for a key."""
        plain = secret.strip()
        if len(plain.encode(errors="surrogatepass")) >= SHORTEST and plain not in PLACEHOLDERS:
            self._needles.setdefault(plain, Needles.of(plain))
            self._begins = None
            if ESCAPE_MARKS.search(plain.encode(errors="surrogatepass")):
                self._escapes = EACH_ESCAPE  # what looks like an escape may be the secret's own

    def add_url(self, url: str) -> None:
        """Adds the password, the user and the keys in a URL."""
        for secret in secrets_in_url(url):
            self.add(secret)

    def without(self, text: str) -> str:
        """Returns the text without secrets; the very same object when it has none."""
        if not self._needles or len(text) < SHORTEST:
            return text
        given = text.encode(errors="surrogatepass")
        cleaned = self.without_in(given)
        return text if cleaned is given else cleaned.decode(errors="surrogatepass")

    def without_in(self, content: bytes) -> bytes:
        """Returns the bytes without secrets; the very same object when they have none."""
        return replaced(content, [span for window in self._windows(content) for span in window])

    async def cleaned(self, content: bytes) -> bytes:
        """Returns what `without_in` does, for contents of any size: other work of the event loop goes on meanwhile."""
        spans: list[Span] = []
        for window in self._windows(content):
            spans += window
            if len(content) > WINDOW:
                await asyncio.sleep(0)
        return replaced(content, spans)

    def found_in(self, size: int, read: Callable[[int, int], bytes]) -> Iterator[list[Span]]:
        """Yields the places of secrets in a content of any size, window by window.

        `read` returns the bytes from a place up to another one.
        """
        return self._windows_of(size, read)

    def pieces_without(self, size: int, read: Callable[[int, int], bytes], spans: Iterable[Span]) -> Iterator[bytes]:
        """Yields such a content in pieces, without the secrets that were found in it."""
        at = 0
        for start, stop in merged(spans):
            yield from (read(begin, min(begin + WINDOW, start)) for begin in range(at, start, WINDOW))
            yield HIDDEN.encode()
            at = stop
        yield from (read(begin, min(begin + WINDOW, size)) for begin in range(at, size, WINDOW))

    def has_plainly(self, pieces: Iterable[bytes], tick: Callable[[], None] = lambda: None) -> bool:
        """Tells whether bytes in pieces hold a secret as it is, in base64 or in hex; escapes are not read."""
        needles = tuple(self._needles.values())
        texts = [text for known in needles for text in known.texts]
        hexed = [known.hexed for known in needles]
        overlap, before = max(map(len, [*texts, *hexed]), default=0), b""
        for piece in pieces:
            tick()
            looked_at = before + piece
            lowered = looked_at.lower()
            if any(text in looked_at for text in texts) or any(text in lowered for text in hexed):
                return True
            before = looked_at[-overlap:]
        return False

    def stream(self) -> SecretStream:
        """Returns a filter for a text that comes in pieces."""
        needles = tuple(self._needles.values())
        if self._begins is None:
            self._begins = Beginnings.of(needles)
        return SecretStream(needles, self._escapes, self._begins)

    def _windows(self, content: bytes) -> Iterator[list[Span]]:
        return self._windows_of(len(content), lambda begin, end: content[begin:end])

    def _windows_of(self, size: int, read: Callable[[int, int], bytes]) -> Iterator[list[Span]]:
        """Yields the places of secrets, window by window. Windows overlap so far that no secret is cut."""
        needles = tuple(self._needles.values())
        overlap, begin = max((known.longest for known in needles), default=0), 0
        while needles and begin < size:
            part = read(begin, min(begin + WINDOW + overlap, size))
            yield [(begin + start, begin + stop) for start, stop in spans_in(layers_of(part, self._escapes), needles)]
            begin += WINDOW
