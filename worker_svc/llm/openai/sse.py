"""Reads server-sent events from the bytes of a body: the data of each, as it comes, within bounds.

The client's library has no bounds: it would keep a line without an end, and make objects of any event.
"""

from __future__ import annotations

from collections.abc import Iterator

from worker_svc.llm.openai.bounds import Bounds, TooMuch

_MOST_WHOLE = 16 * 1024 * 1024  # bytes of an answer that comes as one JSON: reading it holds the loop


class WholeBody:
    """A body that is one JSON instead of a stream of events: an error, or a whole answer."""

    def __init__(self, bounds: Bounds, *, is_it: bool) -> None:
        self.is_it = is_it
        self._most = min(bounds.body_bytes, _MOST_WHOLE)
        self._pieces: list[bytes] = []
        self._size = 0

    @classmethod
    def begun_by(cls, piece: bytes, bounds: Bounds) -> WholeBody:
        """Decides by the first piece of the body, not by its content type: no event begins with a bracket."""
        return cls(bounds, is_it=piece.lstrip()[:1] in (b"{", b"["))

    def add(self, piece: bytes) -> None:
        """Adds a piece. Raises TooMuch."""
        self._size += len(piece)
        if self._size > self._most:
            raise TooMuch(f"sent a JSON of more than {self._most} bytes")
        self._pieces.append(piece)

    @property
    def data(self) -> bytes:
        return b"".join(self._pieces)


class Events:
    """The events of one body."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._line: list[bytes] = []  # pieces of a line that has no end yet
        self._data: list[bytes] = []  # lines of an event that has no end yet
        self._size = 0  # bytes of both
        self._bytes = self._events = 0
        self._ends_in_cr = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yields the data of the events that end in this piece. Raises TooMuch."""
        self._bytes += len(piece)
        if self._bytes > self._bounds.body_bytes:
            raise TooMuch(f"sent more than {self._bounds.body_bytes} bytes")
        for line in self._lines(piece):
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
                self._size += len(line)
            elif not line:
                yield from self._ended()
            self._check()

    def end(self) -> Iterator[bytes]:
        """Yields the data of the last event, which the end of the body ends."""
        yield from self.feed(b"\n\n")

    def _lines(self, piece: bytes) -> Iterator[bytes]:
        """Yields the lines that end in this piece; a line ends in CR, LF, or both."""
        if self._ends_in_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        self._ends_in_cr = piece.endswith(b"\r")
        first, *others = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._line.append(first)
        self._size += len(first)
        for other in others:
            line = b"".join(self._line)
            self._size += len(other) - len(line)
            self._line = [other]
            yield line
        self._check()

    def _ended(self) -> Iterator[bytes]:
        """Ends an event at an empty line; one without data is no event."""
        self._events += 1
        if self._events > self._bounds.events:
            raise TooMuch(f"sent more than {self._bounds.events} events")
        if self._data:
            data, self._data, self._size = b"\n".join(self._data), [], sum(map(len, self._line))
            yield data

    def _check(self) -> None:
        # guard: an event is bounded -> if False:
        if self._size > self._bounds.event_bytes:
            raise TooMuch(f"sent an event of more than {self._bounds.event_bytes} bytes")
