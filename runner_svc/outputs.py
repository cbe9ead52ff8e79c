"""db/{plan_id}/{task_id}/output.json: the artifacts as files, for people.

Written after the commit and withdrawn with the artifact. Once the runner has started it looks for those that are
missing, and makes them again from the journal: nothing reads them but people. The newest execution of a plan owns its
files.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from runner_svc.contents import Contents
from runner_svc.core import events as e
from runner_svc.core.execution import Execution
from runner_svc.core.states import DONE
from runner_svc.core.turn import State
from runner_svc.core.values import RUNNER, Content, ExecutionId
from signoff.errors import StorageFailed
from signoff.files import write_atomically

log = structlog.get_logger(__name__)

_MADE = (e.VerdictPassed, e.ArtifactKept)
_WITHDRAWN = (e.TaskRolledBack, e.TaskRetried)

Key = tuple[str, str]  # plan id, task id

BATCH, BATCH_BYTES = 200, 8 * 1024 * 1024  # files, and bytes of artifacts, that are written in one go
LOOK = 1000  # files that are looked for in one go
LINGER = 1.0  # seconds that wishes may wait for a lull before the first is written
GIVE_WAY = 9.0  # times as long as a batch took, while there are commits: new files make their fsync slower
QUIET = 0.05  # seconds without a commit, after which nothing is in the way


@dataclass(frozen=True, slots=True)
class _Output:
    """What a file should say."""

    execution: ExecutionId
    plan_id: str
    task_id: str
    artifact: str
    content: Content


@dataclass(frozen=True, slots=True)
class _Unchecked:
    """Files that should be there, and may not be: those of some done tasks, as of a start."""

    state: State
    execution: Execution
    tasks: Sequence[int]


_Job = tuple[Key, Path, _Output | None, bytes | None]  # None: the file is to be removed


class OutputFiles:
    """Implements the engine's Observer; `run` writes.

    What is to be written is kept by task, the last wish winning: it cannot grow beyond the number of tasks.
    """

    def __init__(self, folder: Path, contents: Contents) -> None:
        self._folder = folder
        self._contents = contents
        self._pending: dict[Key, _Output | None] = {}
        self._unwritten: set[Key] = set()  # what is being written, or could not be
        self._unchecked: deque[_Unchecked] = deque()  # the first is being looked for
        self._committed_at = 0.0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def committed(self, state: State, entries: Sequence[e.Entry]) -> None:
        self._committed_at = time.monotonic()
        for entry in entries:
            if isinstance(entry.event, _MADE + _WITHDRAWN) and entry.execution != RUNNER:
                execution = state.executions[entry.execution]
                if state.newest[execution.map.plan_id] == execution.id:
                    self._wish(execution, entry.event.task)

    def rebuilt(self, state: State) -> None:
        """Has `run` look for every file that the newest execution of each plan in memory should have."""
        newest = [ex for ex in state.executions.values() if state.newest[ex.map.plan_id] == ex.id]
        self._unchecked = deque(_Unchecked(state, ex, tasks) for ex in newest for tasks in _done_tasks(ex))
        if self._unchecked:
            self._idle.clear()
            self._wake.set()

    def is_settled(self, plan_id: str) -> bool:
        """Whether every file of a plan is as it should be."""
        if any(unchecked.execution.map.plan_id == plan_id for unchecked in self._unchecked):
            return False
        return all(key[0] != plan_id for key in (*self._pending, *self._unwritten))

    def path(self, plan_id: str, task_id: str) -> Path:
        return self._folder / plan_id / task_id / "output.json"

    def _wish(self, execution: Execution, task: int) -> None:
        plan = execution.map
        key = (plan.plan_id, plan.task_ids[task])
        artifact = execution.records[task].artifact
        wish = None if artifact is None else _Output(execution.id, *key, plan.makes[task], artifact)
        self._pending[key] = wish
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Writes until cancelled. A file that cannot be written is logged and left for the next start."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._give_way(LINGER)
            while self._pending or self._unchecked:
                begun = time.monotonic()
                if self._pending:
                    await self._write(self._batch())
                else:
                    await self._check(self._unchecked[0])
                await self._give_way((time.monotonic() - begun) * GIVE_WAY)
            self._idle.set()

    async def _check(self, unchecked: _Unchecked) -> None:
        """Wishes for the files that are missing, as the state is by then; for none when it was rebuilt meanwhile."""
        execution = unchecked.execution
        plan = execution.map
        paths = {task: self.path(plan.plan_id, plan.task_ids[task]) for task in unchecked.tasks}
        missing = await asyncio.to_thread(_missing, paths)
        if not self._unchecked or self._unchecked[0] is not unchecked:
            return
        self._unchecked.popleft()
        if unchecked.state.newest[plan.plan_id] == execution.id:
            for task in missing:
                self._wish(execution, task)

    async def _give_way(self, seconds: float) -> None:
        """Leaves the disk to the journal for so long, or until nothing is committed any more."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < min(until, self._committed_at + QUIET):  # noqa: ASYNC110 - what it waits for is that nothing happens
            await asyncio.sleep(min(until - now, QUIET))

    def _batch(self) -> list[tuple[Key, _Output | None]]:
        """Takes out some wishes, the oldest first: a thread is asked once for many small files."""
        batch: list[tuple[Key, _Output | None]] = []
        size = 0
        while self._pending and len(batch) < BATCH and size < BATCH_BYTES:
            key = next(iter(self._pending))
            wish = self._pending.pop(key)
            batch.append((key, wish))
            size += wish.content.size if wish is not None else 0
        return batch

    async def drained(self) -> None:
        """Returns when everything that was wished for is written."""
        await self._idle.wait()

    async def _write(self, batch: Sequence[tuple[Key, _Output | None]]) -> None:
        self._unwritten.update(key for key, _ in batch)
        jobs: list[_Job] = []
        for key, wish in batch:
            try:
                body = None if wish is None else await self._contents.get(wish.content.digest)
            except StorageFailed as error:
                _log_failure(key, error)
            else:
                jobs.append((key, self.path(*key), wish, body))
        self._unwritten.difference_update(await asyncio.to_thread(_write_all, jobs))


def _done_tasks(execution: Execution) -> Iterator[Sequence[int]]:
    """The done tasks, at most LOOK at a time."""
    done = [task for task, status in enumerate(execution.status) if status == DONE]
    return (done[start : start + LOOK] for start in range(0, len(done), LOOK))


def _missing(paths: Mapping[int, Path]) -> list[int]:
    """The tasks whose file is not there."""
    return [task for task, path in paths.items() if not os.path.exists(path)]  # noqa: PTH110 - half the time of exists()


def _write_all(jobs: Sequence[_Job]) -> list[Key]:
    """Writes and removes files; returns the keys of those that are now as they should be."""
    written = []
    for key, path, wish, body in jobs:
        try:
            if wish is None or body is None:
                path.unlink(missing_ok=True)
            else:
                write_atomically(path, _document(wish, body), durable=False)
        except OSError as error:
            _log_failure(key, error)
        else:
            written.append(key)
    return written


def _log_failure(key: Key, error: Exception) -> None:
    log.error("output_not_written", plan=key[0], task=key[1], error=str(error))


def _document(output: _Output, body: bytes) -> bytes:
    document = {
        "plan_id": output.plan_id,
        "task_id": output.task_id,
        "artifact": output.artifact,
        "execution_id": output.execution,
        "attempt": output.content.attempt,
        "media_type": output.content.media_type,
        "digest": output.content.digest,
        **_content(output.content.media_type, body),
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def _content(media_type: str, body: bytes) -> dict[str, Any]:
    """JSON as JSON, text as a string, anything else in base64."""
    try:
        if media_type == "application/json":
            return {"content": json.loads(body)}
        return {"content": body.decode()}
    except ValueError:
        return {"content_base64": base64.b64encode(body).decode()}
