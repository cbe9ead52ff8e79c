"""WatchExecution: history or a snapshot first, then every event as it is committed, in one sequence."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

from runner_svc.codec.journal.entries import event_for_watchers
from runner_svc.core.decide.turn import State
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.overview import Overview
from runner_svc.engine import Engine
from runner_svc.publish.feed import Span, Watcher, answers_of
from runner_svc.services.hub import Hub
from runner_svc.services.snapshots import Snapshot
from runner_svc.services.task_journal import check_is_there, readable
from runner_svc.store.port import Row, Store
from signoff.errors import ExecutionPruned, SequenceAhead
from signoff.rpc.concurrency import ConcurrencyLimit
from signoff.rpc.frames import runs
from signoff.states import is_at_rest
from signoff.v1 import execution_pb2, runner_pb2

EVENTS_A_BATCH = 1000  # events read from the store at once
FEW_TASKS = 2_000  # tasks of an execution with a small snapshot: larger snapshots take turns

Answer = runner_pb2.WatchExecutionResponse
Item = execution_pb2.Event | runner_pb2.Thinking


async def watch(
    engine: Engine,
    store: Store,
    hub: Hub,
    execution_id: ExecutionId,
    request: runner_pb2.WatchExecutionRequest,
    snapshots: ConcurrencyLimit,
) -> AsyncGenerator[bytes, None]:
    """Yields the answers of WatchExecution, serialized: many watchers receive the same bytes.

    The watcher subscribes first and asks for the state afterwards. Events committed in between arrive twice, in the
    first answers and through the feed; the sequence tells which ones to pass over.
    """
    watcher = engine.feed.subscribe(execution_id, thinking=request.thinking)
    if request.thinking:
        hub.attention_changed(execution_id)
    try:
        async for answer in _watch(engine, store, execution_id, request, watcher, snapshots):
            yield answer
    finally:
        engine.feed.unsubscribe(execution_id, watcher)
        if request.thinking:
            hub.attention_changed(execution_id)


async def _watch(
    engine: Engine,
    store: Store,
    execution_id: ExecutionId,
    request: runner_pb2.WatchExecutionRequest,
    watcher: Watcher,
    snapshots: ConcurrencyLimit,
) -> AsyncIterator[bytes]:
    wanted = _filter(request.task_ids)
    if request.HasField("after_sequence"):
        head, resting = await engine.ask(_head(execution_id, request.after_sequence))
        async for answer in _history(store, execution_id, request.after_sequence, head, wanted):
            yield answer
    else:
        with contextlib.closing(Snapshot(request.task_ids, engine.now())) as snapshot:
            is_large = not request.task_ids and await engine.ask(_is_large(execution_id))
            async with snapshots.slot() if is_large else contextlib.nullcontext():
                shown = await engine.ask(lambda state: snapshot.begin(state, execution_id))
                head, resting = shown.sequence, is_at_rest(shown.state)
                # guard: a watcher is excused while its snapshot is written -> with contextlib.nullcontext():
                with watcher.excused():
                    parts = await _parts(snapshot, watcher)
                while parts:
                    yield parts.popleft()  # what is sent is held no more
    # guard: a watcher subscribes before it asks ->
    #     watcher.place = watcher.log.end
    #     if resting or not request.follow:
    if resting or not request.follow:
        return
    async for news in watcher.news():
        if not isinstance(news, Span):
            for pieces in runs(piece for piece in news if wanted(piece)):
                yield Answer(thinking=runner_pb2.ThinkingBatch(thinking=pieces)).SerializeToString()
            continue
        for answer in _answers_of_span(news, head, wanted if request.task_ids else None):
            yield answer
        if news.is_rest and news.events[-1].sequence > head:
            return


def _is_large(execution_id: ExecutionId) -> Callable[[State], bool]:
    def is_large(state: State) -> bool:
        execution = state.executions.get(execution_id)
        return execution is not None and execution.map.task_count > FEW_TASKS

    return is_large


async def _parts(snapshot: Snapshot, watcher: Watcher) -> deque[bytes]:
    """Writes all of a snapshot before any of it is sent, so that a slow client does not prolong it.

    Raises the watcher's error when it is cut off meanwhile.
    """
    parts = deque[bytes]()
    while True:
        parts += [Answer(snapshot=part).SerializeToString() for part in snapshot.written()]
        if snapshot.is_whole:
            return parts
        await asyncio.sleep(0)
        if watcher.ended is not None:
            raise watcher.ended


def _filter(task_ids: Sequence[str]) -> Callable[[Item], bool]:
    names = frozenset(task_ids)
    return lambda item: not names or item.task_id in names


def _head(execution_id: ExecutionId, after: int) -> Callable[[State], tuple[int, bool]]:
    def head(state: State) -> tuple[int, bool]:
        execution = state.overview(execution_id)
        if after > execution.sequence:
            raise SequenceAhead(f"expected after_sequence up to {execution.sequence}, but got {after}")
        if after < execution.sequence:
            check_has_history(execution)
        return execution.sequence, execution.state.is_at_rest

    return head


def check_has_history(execution: Overview) -> None:
    """Raises ExecutionPruned for an execution of which only the artifacts were kept."""
    if execution.pruned_at is not None:
        raise ExecutionPruned(
            f"expected an execution that has its history, but {execution.id} of {execution.plan_id} was pruned to its "
            f"artifacts at {datetime.fromtimestamp(execution.pruned_at, UTC):%Y-%m-%d %H:%M} UTC: its events, "
            "candidates and prompts are gone"
        )


async def _history(
    store: Store, execution_id: ExecutionId, after: int, head: int, wanted: Callable[[Item], bool]
) -> AsyncIterator[bytes]:
    while after < head:
        rows = await store.read(execution_id, after, min(EVENTS_A_BATCH, head - after))
        # guard: a reader of what is pruned is told so -> (removed)
        check_is_there(rows, execution_id)
        answers, after = _answers_of_rows(rows, wanted)
        while answers:
            yield answers.popleft()


def _answers_of_rows(rows: Sequence[Row], wanted: Callable[[Item], bool]) -> tuple[deque[bytes], int]:
    """Returns the answers with the wanted events of some rows, and the sequence of the last row."""
    events = [readable(row) for row in rows]
    return deque(answers_of(event_for_watchers(event) for event in events if wanted(event))), rows[-1].sequence


def _answers_of_span(span: Span, head: int, wanted: Callable[[Item], bool] | None) -> Sequence[bytes]:
    """Returns the answers with a span's events after `head`: the shared bytes when the watcher wants all of them."""
    # guard (3 lines): a watcher passes over what it was told ->
    #     if wanted is None:
    #         return span.answers
    #     new = span.events
    if span.events[0].sequence > head and wanted is None:
        return span.answers
    new = (event for event in span.events if event.sequence > head)
    return answers_of(event for event in new if wanted is None or wanted(event))
