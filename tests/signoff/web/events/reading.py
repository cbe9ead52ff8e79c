"""A reader of event streams, as a browser's EventSource is one: whole messages, the last id, and cuts anywhere."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Received:
    """One message."""

    event: str
    data: dict[str, Any]
    id: str


@dataclass(slots=True)
class Reader:
    """Reads a stream, as often as it is cut, and goes on from its last id."""

    client: httpx.Client
    executions: tuple[str, ...]
    last_id: str = ""
    events: dict[str, list[int]] = field(default_factory=dict)  #: sequences, as they came
    begun: dict[str, int] = field(default_factory=dict)  #: sequence of the snapshot, or of the first cursor

    def read(self, *, cut_after: int | None = None, **params: str) -> Generator[Received, None, None]:
        """Yields whole messages until the reader stops, or until so many bytes have come."""
        query: list[tuple[str, str | int | float | bool | None]] = [
            *(("execution", name) for name in self.executions),
            *params.items(),
        ]
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        with self.client.stream("GET", "events", params=query, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            rest, left = b"", cut_after
            for piece in answer.iter_raw():
                taken = piece if left is None else piece[:left]
                left = None if left is None else left - len(taken)
                *whole, rest = (rest + taken).split(b"\n\n")
                for text in whole:
                    received = _message(text.decode())
                    if received is not None:
                        self._take(received)
                        yield received
                if left == 0:
                    return

    def _take(self, received: Received) -> None:
        self.last_id = received.id or self.last_id
        if received.event == "events":
            sequences = [int(event["sequence"]) for event in received.data["events"]]
            self.events.setdefault(received.data["executionId"], []).extend(sequences)
        if received.event == "snapshot" and received.data.get("last"):
            execution = received.data["execution"]
            self.begun[execution["executionId"]] = int(execution["sequence"])

    def check(self, execution_id: str, last: int) -> None:
        """Checks that every event came once and in order, up to the last."""
        assert self.events.get(execution_id, []) == list(range(self.begun.get(execution_id, 0) + 1, last + 1))


def _message(text: str) -> Received | None:
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        fields[name] = value.removeprefix(" ")
    if "event" not in fields:
        return None  # a comment, or the time to wait before a reconnect
    return Received(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
