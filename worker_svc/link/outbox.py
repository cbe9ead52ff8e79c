"""The messages that wait for the stream.

Reports are not queued: the outbox remembers which leases have something new to report, and asks each for it when the
stream has room. A result stays with its lease until the runner acknowledges it; the outbox remembers which are due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from signoff.v1 import worker_pb2
from worker_svc.link.codec import Limits, messages_of
from worker_svc.link.held_lease import HeldLease
from worker_svc.link.lease_report import Message


class Outbox:
    """Collects messages until the stream takes them. Calls `wake` whenever there is something to send."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._answers: list[Message] = []  # of this stream: credit, declined, abandon, pong
        self._accepted: dict[str, None] = {}  # leases to accept on this stream, unless their results are there
        self._results: list[str] = []  # leases whose result is to be sent on this stream
        self._reporting: dict[str, None] = {}  # leases with something new to report

    def say(self, message: Message) -> None:
        """Queues an answer."""
        self._answers.append(message)
        self._wake()

    def accept(self, lease_id: str) -> None:
        self._accepted[lease_id] = None
        self._wake()

    def send_report(self, lease_id: str) -> None:
        self._reporting[lease_id] = None
        self._wake()

    def send_result(self, lease_id: str) -> None:
        """Queues a result, which also says that the lease was accepted."""
        self._accepted.pop(lease_id, None)
        self._results.append(lease_id)
        self._wake()

    def forget(self, lease_id: str) -> None:
        """Drops the messages about a lease."""
        self._reporting.pop(lease_id, None)
        self._accepted.pop(lease_id, None)

    def stream_lost(self) -> None:
        """Drops the messages for the old stream: Welcome and Keep on the next one make them due again."""
        # guard (2 lines): answers belong to a stream -> (removed)
        self._answers, self._results = [], []
        self._accepted.clear()

    def messages(self, held: Mapping[str, HeldLease], limits: Limits) -> Iterator[Message]:
        """Yields all messages that are due, each once on this stream.

        Answers come first, and between the pieces of a large result or prompt too: a Pong that waits for megabytes is
        too late.
        """
        yield from self._take_answers()
        reporting, self._reporting = self._reporting, {}
        for lease_id in reporting:
            for message in held[lease_id].report.take(limits) if lease_id in held else ():
                yield message
                if message.HasField("prompt_chunk"):
                    yield from self._take_answers()
        results, self._results = self._results, []
        for lease_id in results:
            result = held[lease_id].result if lease_id in held else None
            for message in messages_of(lease_id, result, limits) if result is not None else ():
                yield message
                yield from self._take_answers()

    def _take_answers(self) -> Iterator[Message]:
        answers, self._answers = self._answers, []
        accepted, self._accepted = self._accepted, {}
        yield from answers
        for lease_id in accepted:
            yield Message(accepted=worker_pb2.Accepted(lease_id=lease_id))
