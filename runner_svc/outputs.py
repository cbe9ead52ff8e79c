"""db/{plan_id}/{task_id}/output.json: the artifacts as files, for people.

Written after the commit, withdrawn with the artifact, and made again from the journal when the runner starts: nothing
reads them but people. The newest execution of a plan owns its files.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from runner_svc.contents import Contents
from runner_svc.core import events as e
from runner_svc.core.execution import Execution
from runner_svc.core.turn import State
from runner_svc.core.values import RUNNER, Content, ExecutionId
from signoff.errors import StorageFailed
from signoff.files import write_atomically

log = structlog.get_logger(__name__)

_MADE = (e.VerdictPassed, e.ArtifactKept)
_WITHDRAWN = (e.TaskRolledBack, e.TaskRetried)

Key = tuple[str, str]  # plan id, task id


@dataclass(frozen=True, slots=True)
class _Output:
    """What a file should say."""

    execution: ExecutionId
    plan_id: str
    task_id: str
    artifact: str
    content: Content


class OutputFiles:
    """Implements the engine's Observer; `run` writes.

    What is to be written is kept by task, the last wish winning: it cannot grow beyond the number of tasks.
    """

    def __init__(self, folder: Path, contents: Contents) -> None:
        self._folder = folder
        self._contents = contents
        self._pending: dict[Key, _Output | None] = {}
        self._unwritten: set[Key] = set()  # what is being written, or could not be
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def committed(self, state: State, entries: Sequence[e.Entry]) -> None:
        for entry in entries:
            if isinstance(entry.event, _MADE + _WITHDRAWN) and entry.execution != RUNNER:
                execution = state.executions[entry.execution]
                if state.newest[execution.map.plan_id] == execution.id:
                    self._wish(execution, entry.event.task)

    def rebuilt(self, state: State) -> None:
        """Wishes for every file that the newest execution of each plan in memory should have and has not."""
        for execution in state.executions.values():
            if state.newest[execution.map.plan_id] == execution.id:
                self._complete(execution)

    def _complete(self, execution: Execution) -> None:
        for task, record in execution.records.items():
            path = self.path(execution.map.plan_id, execution.map.task_ids[task])
            if record.artifact is not None and not path.exists():
                self._wish(execution, task)

    def is_settled(self, plan_id: str) -> bool:
        """Whether every file of a plan is as it should be."""
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
            while self._pending:
                key = next(iter(self._pending))
                await self._write(key, self._pending.pop(key))
            self._idle.set()

    async def drained(self) -> None:
        """Returns when everything that was wished for is written."""
        await self._idle.wait()

    async def _write(self, key: Key, wish: _Output | None) -> None:
        path = self.path(*key)
        self._unwritten.add(key)
        try:
            if wish is None:
                await asyncio.to_thread(path.unlink, missing_ok=True)
            else:
                body = _document(wish, await self._contents.get(wish.content.digest))
                await asyncio.to_thread(write_atomically, path, body, durable=False)
        except (OSError, StorageFailed) as error:
            log.error("output_not_written", plan=key[0], task=key[1], error=str(error))
        else:
            self._unwritten.discard(key)


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
