"""The parts of a backup, read page by page while the runner works. In memory are one page, or a piece of a content."""

from __future__ import annotations

from collections.abc import AsyncIterator

from runner_svc.contents import Contents
from runner_svc.store.port import Store
from signoff.rpc.frames import runs
from signoff.v1 import checkpoint_pb2
from signoff.v1 import runner_pb2 as pb

EVENTS_AT_ONCE, CONTENTS_AT_ONCE, MAPS_AT_ONCE = 500, 500, 100
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


async def _executions(store: Store, end: pb.BackedUpEnd) -> AsyncIterator[Part]:
    """Yields the executions that have no journal, and their tasks."""
    found = (await store.checkpointed()).executions
    bodies = [(checkpoint_pb2.ExecutionCheckpoint.FromString(body).execution, body) for body in found]
    pruned = [(execution.execution_id, body) for execution, body in bodies if execution.HasField("pruned_at")]
    end.executions = len(pruned)
    for run in runs(pb.BackedUpExecution(execution_id=name, body=body) for name, body in pruned):
        yield Part(executions=pb.BackedUpExecutions(executions=run))
    for name, _ in pruned:
        tasks = await store.checkpointed_tasks(name)
        for tasks_run in runs(pb.BackedUpTask(execution_id=name, number=n, body=body) for n, body in tasks):
            yield Part(tasks=pb.BackedUpTasks(tasks=tasks_run))


async def _events(store: Store, events: int, end: pb.BackedUpEnd) -> AsyncIterator[Part]:
    """Yields the events of all journals up to a moment."""
    position = 0
    while end.events < events:
        rows, position = await store.everything(position, EVENTS_AT_ONCE)
        end.events += len(rows)
        page = (pb.BackedUpEvent(execution_id=row.journal, sequence=row.sequence, body=row.body) for row in rows)
        for run in runs(page):
            yield Part(events=pb.BackedUpEvents(events=run))
        if not rows:
            return


async def _contents(store: Store, contents: Contents, end: pb.BackedUpEnd) -> AsyncIterator[Part]:
    after = ""
    while page := await store.sizes(after, CONTENTS_AT_ONCE, OF_ANY_AGE):
        after = page[-1][0]
        for digest, size in page:
            end.contents += 1
            left = size
            if not size:
                yield Part(content=pb.BackedUpContent(digest=digest, last=True))
            async for piece in contents.stream(digest):
                left -= len(piece)
                yield Part(content=pb.BackedUpContent(digest=digest, piece=piece, last=not left))


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
