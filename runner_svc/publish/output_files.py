"""Artifacts as files for people: db/{plan_id}/{task_id}/output.json, and the folder files for a result of several.

A file is written after the commit, and removed when the artifact is withdrawn. A runner that starts looks for missing
files and makes them again from the journal. The newest execution of a plan owns its files; no program reads them.

A file that cannot be written is logged and left out; no content and no name ends the writing of the others.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from runner_svc.core.decide.turn import State
from runner_svc.core.model import events
from runner_svc.core.model.states import DONE
from runner_svc.core.model.values import RUNNER
from runner_svc.core.state.execution import Execution
from runner_svc.publish.output_document import Output, document_of, document_of_files
from runner_svc.publish.result_folders import ContentReader, remove_files, write_files
from signoff.errors import StorageFailed
from signoff.files.data_directory import OUTPUT_JSON
from signoff.files.trees import InsideTrees
from signoff.manifest.manifest import BadManifest, Manifest, is_manifest, manifest_from_json
from signoff.plan.ids import is_plan_id, is_task_id

log = structlog.get_logger(__name__)

_MADE = (events.VerdictPassed, events.ArtifactKept, events.ArtifactReused)
_WITHDRAWN = (events.TaskRolledBack, events.TaskRetried)

Key = tuple[str, str]  # plan id, task id

BATCH, BATCH_BYTES = 200, 8 * 1024 * 1024  # files, and bytes of artifacts, that are written in one go
LOOK = 1000  # files that are looked for in one go
LINGER = 1.0  # seconds that the first change may wait for a lull in commits
GIVE_WAY = 9.0  # times the length of a batch to wait while there are commits: new files make their fsync slower
QUIET = 0.05  # seconds without a commit, after which files are written


@dataclass(frozen=True, slots=True)
class _Unchecked:
    """Files of some done tasks that may be missing after a start."""

    state: State
    execution: Execution
    tasks: Sequence[int]


@dataclass(frozen=True, slots=True)
class FilesOfPlan:
    """How far the files of a plan's newest execution are written, as numbers of results."""

    pending: int  #: still to be written, or removed
    failed: int  #: could not be written


_Job = tuple[Key, Output | None, bytes | None]  # None: the file is to be removed


class OutputFiles:
    """An observer of the engine that keeps the files up to date; `run` writes them.

    Pending changes are kept by task, and a later one replaces an earlier one: there are no more than tasks.
    """

    def __init__(self, folder: Path, contents: ContentReader) -> None:
        self._folder = folder
        self._contents = contents
        self._pending: dict[Key, Output | None] = {}
        self._writing: set[Key] = set()
        self._failed: set[Key] = set()  # could not be written; until a later change, or the next start
        self._unchecked: deque[_Unchecked] = deque()  # the first is being checked
        self._committed_at = 0.0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        self._committed_at = time.monotonic()
        for entry in entries:
            if isinstance(entry.event, _MADE + _WITHDRAWN) and entry.execution != RUNNER:
                execution = state.executions[entry.execution]
                if state.created.newest[execution.map.plan_id] == execution.id:
                    self._wish(execution, entry.event.task)

    def rebuilt(self, state: State) -> None:
        """Has `run` look for the files of the newest execution of each plan in memory."""
        newest = [ex for ex in state.executions.values() if state.created.newest[ex.map.plan_id] == ex.id]
        self._unchecked = deque(_Unchecked(state, ex, tasks) for ex in newest for tasks in _done_tasks(ex))
        if self._unchecked:
            self._idle.clear()
            self._wake.set()

    def is_settled(self, plan_id: str) -> bool:
        """Tells whether every file of a plan is up to date."""
        if any(unchecked.execution.map.plan_id == plan_id for unchecked in self._unchecked):
            return False
        return all(key[0] != plan_id for key in (*self._pending, *self._writing, *self._failed))

    def of_plan(self, plan_id: str) -> FilesOfPlan:
        """Returns how far the files of a plan are."""
        unchecked = (len(each.tasks) for each in self._unchecked if each.execution.map.plan_id == plan_id)
        waiting = sum(key[0] == plan_id for key in {*self._pending, *self._writing})
        failed = sum(key[0] == plan_id for key in self._failed if key not in self._pending)
        return FilesOfPlan(waiting + sum(unchecked), failed)

    def path(self, plan_id: str, task_id: str) -> Path:
        return self._folder / plan_id / task_id / OUTPUT_JSON

    def _wish(self, execution: Execution, task: int) -> None:
        plan = execution.map
        key = (plan.plan_id, plan.task_ids[task])
        artifact = execution.records[task].artifact
        wish = None if artifact is None else Output(execution.id, *key, plan.makes[task], artifact)
        self._pending[key] = wish
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Writes until it is cancelled. A file that cannot be written is logged and left for the next start."""
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
        """Has the missing files written, unless the state was rebuilt meanwhile."""
        execution = unchecked.execution
        plan = execution.map
        paths = {task: self.path(plan.plan_id, plan.task_ids[task]) for task in unchecked.tasks}
        missing = await asyncio.to_thread(_missing, paths)
        if not self._unchecked or self._unchecked[0] is not unchecked:
            return
        self._unchecked.popleft()
        if unchecked.state.created.newest.get(plan.plan_id) == execution.id:  # it may have been pruned meanwhile
            for task in missing:
                self._wish(execution, task)

    async def _give_way(self, seconds: float) -> None:
        """Leaves the disk to the journal for so many seconds, or until commits pause."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < min(until, self._committed_at + QUIET):  # noqa: ASYNC110 - what it waits for is that nothing happens
            await asyncio.sleep(min(until - now, QUIET))

    def _batch(self) -> list[tuple[Key, Output | None]]:
        """Removes and returns some pending changes, the oldest first: one thread call writes many small files."""
        batch: list[tuple[Key, Output | None]] = []
        size = 0
        while self._pending and len(batch) < BATCH and size < BATCH_BYTES:
            key = next(iter(self._pending))
            wish = self._pending.pop(key)
            batch.append((key, wish))
            size += wish.content.size if wish is not None else 0
        return batch

    async def drained(self) -> None:
        """Returns when no change is pending."""
        await self._idle.wait()

    async def _write(self, batch: Sequence[tuple[Key, Output | None]]) -> None:
        self._writing = {key for key, _ in batch}
        self._failed -= self._writing
        try:
            await self._write_batch(batch)
        finally:
            self._failed |= self._writing
            self._writing = set()

    async def _write_batch(self, batch: Sequence[tuple[Key, Output | None]]) -> None:
        """Writes what can be written; the rest stays in `_writing`."""
        jobs: list[_Job] = []
        with_files: list[tuple[Key, Output, Manifest]] = []
        for key, wish in batch:
            if not (is_task_id(key[1]) and is_plan_id(key[0])):
                _log_failure(key, ValueError("expected ids that can be the names of folders"))
                continue
            try:
                body = None if wish is None else await self._contents.get(wish.content.digest)
            except StorageFailed as error:
                _log_failure(key, error)
                continue
            manifest = await _manifest(wish, body)
            if wish is not None and manifest is not None:
                with_files.append((key, wish, manifest))
            else:
                jobs.append((key, wish, body))
        self._writing.difference_update(await asyncio.to_thread(_write_all, self._folder, jobs))
        for key, output, manifest in with_files:
            await self._write_files(key, output, manifest)

    async def _write_files(self, key: Key, output: Output, manifest: Manifest) -> None:
        """Writes the files of one result; one that cannot be written is logged."""
        try:
            await write_files(self._folder, key, manifest, self._contents, document_of_files(output, manifest))
        except Exception as error:  # noqa: BLE001 - one result that has no form must not cost the others theirs
            _log_failure(key, error)
        else:
            self._writing.discard(key)


async def _manifest(wish: Output | None, body: bytes | None) -> Manifest | None:
    """Returns the files of a result; None for one content, and for what only says that it is a manifest."""
    if wish is None or body is None or not is_manifest(wish.content.media_type):
        return None
    try:
        return await asyncio.to_thread(manifest_from_json, body)
    except BadManifest as error:
        _log_failure((wish.plan_id, wish.task_id), error)
        return None


def _done_tasks(execution: Execution) -> Iterator[Sequence[int]]:
    """Yields the done tasks, at most LOOK at a time."""
    done = [task for task, status in enumerate(execution.status) if status == DONE]
    return (done[start : start + LOOK] for start in range(0, len(done), LOOK))


def _missing(paths: Mapping[int, Path]) -> list[int]:
    """Returns the tasks whose file is missing."""
    return [task for task, path in paths.items() if not os.path.exists(path)]  # noqa: PTH110 - half the time of exists()


def _write_all(folder: Path, jobs: Sequence[_Job]) -> list[Key]:
    """Writes and removes files; returns the keys of those that are up to date now."""
    written = []
    with InsideTrees(folder, hidden=False) as inside:
        for key, wish, body in jobs:
            try:
                if wish is None or body is None:
                    inside.remove(*key, OUTPUT_JSON)
                else:
                    inside.write(*key, OUTPUT_JSON, body=document_of(wish, body))
                # guard: files of results that are withdrawn go -> pass
                remove_files(inside, key)
            except Exception as error:  # noqa: BLE001 - one artifact that has no form must not cost the others theirs
                _log_failure(key, error)
            else:
                written.append(key)
    return written


def _log_failure(key: Key, error: Exception) -> None:
    log.error("output_not_written", plan=key[0], task=key[1], error=str(error))
