"""The parts of a backup, read page by page while the runner works. In memory are one page, or a piece of a content."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator

import structlog

from runner_svc.contents import LARGE_BYTES, Contents
from runner_svc.store.port import Row, Store
from signoff.errors import StorageFailed
from signoff.rpc.backed_up import tells_of_loss
from signoff.rpc.frames import runs
from signoff.v1 import checkpoint_pb2
from signoff.v1 import runner_pb2 as pb

log = structlog.get_logger(__name__)

EVENTS_AT_ONCE, CONTENTS_AT_ONCE, MAPS_AT_ONCE = 500, 500, 100
PIECE_BYTES = 3 * 1024 * 1024  # of the body of a row, at most: a message holds it, with what else it says
OF_ANY_AGE = -3_600.0  # seconds: older than an hour ahead

Part = pb.BackUpResponse


async def parts_of(store: Store, contents: Contents, events: int) -> AsyncIterator[Part]:
    """Yields the parts of a backup. No prune may be at work meanwhile.

    `events`: how many there are. Of those that come meanwhile, few are in it: a runner that writes faster than a client
    reads would never come to an end.
    """
    end = pb.BackedUpEnd()
    async for part in _executions(store, end):
        yield part
    async for part in _events(store, events, end):
        yield part
    async for part in _contents(store, contents, end):
        yield part
    async for part in _maps(store, end):
        yield part
    yield Part(end=end)


def _cut(rows: Iterable[Row]) -> Iterator[Row]:
    """Yields rows, those that no message can hold in pieces: one behind another, with the name of their row."""
    for row in rows:
        # guard: a row that no message holds is cut -> size = len(row.body)
        size = PIECE_BYTES
        for start in range(0, max(len(row.body), 1), max(size, 1)):
            yield Row(row.journal, row.sequence, row.body[start : start + size])


async def _executions(store: Store, end: pb.BackedUpEnd) -> AsyncIterator[Part]:
    """Yields the executions that have no journal, and their tasks."""
    found = (await store.checkpointed()).executions
    bodies = [(checkpoint_pb2.ExecutionCheckpoint.FromString(body).execution, body) for body in found]
    pruned = [(execution.execution_id, body) for execution, body in bodies if execution.HasField("pruned_at")]
    end.executions = len(pruned)
    rows = _cut(Row(name, 0, body) for name, body in pruned)
    for run in runs(pb.BackedUpExecution(execution_id=row.journal, body=row.body) for row in rows):
        yield Part(executions=pb.BackedUpExecutions(executions=run))
    for name, _ in pruned:
        tasks = await store.checkpointed_tasks(name)
        pieces = _cut(Row(name, number, body) for number, body in tasks)
        page = (pb.BackedUpTask(execution_id=name, number=row.sequence, body=row.body) for row in pieces)
        for tasks_run in runs(page):
            yield Part(tasks=pb.BackedUpTasks(tasks=tasks_run))


async def _events(store: Store, events: int, end: pb.BackedUpEnd) -> AsyncIterator[Part]:
    """Yields the events of all journals up to a moment."""
    position = 0
    while end.events < events:
        rows, position = await store.everything(position, EVENTS_AT_ONCE)
        end.events += len(rows)
        page = (pb.BackedUpEvent(execution_id=row.journal, sequence=row.sequence, body=row.body) for row in _cut(rows))
        for run in runs(page):
            yield Part(events=pb.BackedUpEvents(events=run))
        if not rows:
            return


async def _contents(store: Store, contents: Contents, end: pb.BackedUpEnd) -> AsyncIterator[Part]:
    after = ""
    while page := await store.sizes(after, CONTENTS_AT_ONCE, OF_ANY_AGE):
        after = page[-1][0]
        for digest, size in page:
            async for content in _content(contents, digest, size):
                end.contents += content.last and not tells_of_loss(content)
                yield Part(content=content)


async def _content(contents: Contents, digest: str, size: int) -> AsyncIterator[pb.BackedUpContent]:
    """Yields the pieces of a content. One that is lost or damaged comes without its bytes."""
    left = size
    try:
        async for piece in _pieces(contents, digest, size):
            left -= len(piece)
            yield pb.BackedUpContent(digest=digest, piece=piece, last=not left)
    except StorageFailed as failure:
        # guard (2 lines): a lost content keeps no backup from being made -> raise
        if not failure.is_lost or left < size:
            raise
        log.warning("content_not_backed_up", digest=digest, error=str(failure))
        size = 0
    if not size:
        yield pb.BackedUpContent(digest=digest, last=True)


async def _pieces(contents: Contents, digest: str, size: int) -> AsyncIterator[bytes]:
    """Yields the pieces of a content. One that is lost or damaged raises StorageFailed before its first piece.

    A large one is read twice for that, since its bytes are not kept.
    """
    if size > LARGE_BYTES:
        # guard: half a damaged content is in no backup -> pass
        await contents.read_through(digest)
    async for piece in contents.stream(digest):
        yield piece


async def _maps(store: Store, end: pb.BackedUpEnd) -> AsyncIterator[Part]:
    after = ""
    while keys := await store.maps(after, MAPS_AT_ONCE):
        after = keys[-1]
        for key in keys:
            end.maps += 1
            number = -1
            while (found := await store.map_part(key, number)) is not None:
                number, body = found
                yield Part(map_part=pb.BackedUpMapPart(key=key, body=body))
