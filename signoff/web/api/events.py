"""The endpoint of server-sent events."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.responses import Response

from signoff.client.values import by_execution
from signoff.errors import InvalidField, SequenceAhead, Unavailable
from signoff.web.events.cursor import positions_of
from signoff.web.events.stream import EventStream
from signoff.web.safety.refusals import TooManyEventStreams
from signoff.web.wire.calls import Call, Endpoint
from signoff.web.wire.parameters import flag, text
from signoff.web.wire.streamed import Streamed

MOST_EXECUTIONS = 50  # of one stream
MOST_STREAMS = 200  # of all clients
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def get_events(call: Call) -> Response:
    """Streams what happens in some executions; a client that lost the stream goes on from its last id."""
    names = list(dict.fromkeys(call.query.texts("execution")))
    if not 0 < len(names) <= MOST_EXECUTIONS:
        raise InvalidField("execution", f"1 to {MOST_EXECUTIONS} ids of executions", f"{len(names)}")
    positions = {name: place for name, place in _given(call).items() if name in names}
    for name in names:
        await _check(call, name, positions.get(name))
    open_streams: OpenStreams = call.request.app.state.streams
    stream = EventStream(
        upstream=call.upstream,
        executions=names,
        positions=positions,
        thinking=call.query.flag("thinking"),
        task_ids=tuple(call.query.texts("task")),
        closing=call.request.app.state.closing,
    )
    return Streamed(open_streams.counted(stream), headers=HEADERS, media_type="text/event-stream")


def _given(call: Call) -> dict[str, int]:
    """Returns the positions that the client has: those of Last-Event-ID, else those of `after`."""
    header = call.request.headers.get("last-event-id", "")
    if header:
        return positions_of(header, "Last-Event-ID")
    return positions_of(call.query.text("after")) if call.query.text("after") else {}


async def _check(call: Call, name: str, after: int | None) -> None:
    """Raises for an unknown execution and for a position ahead of it. A runner that is away is told by the stream."""
    with contextlib.suppress(Unavailable):
        execution = await call.upstream.get(by_execution(name))
        if after is not None and after > execution.sequence:
            raise SequenceAhead(f"expected at most sequence {execution.sequence} of {name}, but got {after}")


@dataclass(slots=True)
class OpenStreams:
    """The number of streams that are open."""

    count: int = 0

    def counted(self, stream: EventStream) -> AsyncGenerator[bytes, None]:
        """Returns the stream's bytes. Raises TooManyEventStreams when as many as fit are open."""
        # guard: event streams are bounded -> pass
        self._require_room()
        return self._counted(stream)

    def _require_room(self) -> None:
        if self.count >= MOST_STREAMS:
            raise TooManyEventStreams(f"expected at most {MOST_STREAMS} event streams at once: close some tabs")

    async def _counted(self, stream: EventStream) -> AsyncGenerator[bytes, None]:
        self.count += 1
        try:
            async with contextlib.aclosing(stream.frames()) as frames:
                async for piece in frames:
                    yield piece
        finally:
            self.count -= 1


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/events",
        handler=get_events,
        name="get_events",
        group="events",
        about="Server-sent events of some executions: a snapshot or what came after the cursor, then all that happens.",
        query=(
            text("execution", "An execution's id.", repeated=True),
            text("after", "A cursor: the id of the last message. The header Last-Event-ID wins."),
            flag("thinking", "Also what workers think, as it comes."),
            text("task", "Only events of these tasks.", repeated=True),
        ),
        answers="text/event-stream",
        errors=(400, 404, 409),
    ),
)
