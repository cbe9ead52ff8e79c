"""Commands to a runner: layouts, the life of executions, budgets, a person's verdict.

Each command carries a request id of its own, so the runner carries out a command that is repeated only once.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from signoff.client.inputs import ResolvedInputs
from signoff.client.runner_connection import RunnerConnection
from signoff.client.values import Ref
from signoff.errors import ConfigurationError
from signoff.rpc.channel import CHUNK_BYTES
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2

ASKED_AT_ONCE = 1_000  # digests of one question


class RunnerCommands:
    """The part of the client that changes something."""

    _runner: RunnerConnection

    async def set_layout(self, plan_id: str) -> plan_pb2.MapHeader:
        """Makes a compiled plan the runner's current layout."""
        request = runner_pb2.SetLayoutRequest(request_id=_new_request_id(), plan_id=plan_id)
        return (await self._runner.ask(lambda runner: runner.SetLayout, request)).header

    async def start(
        self,
        plan_id: str = "",
        settings: execution_pb2.ExecutionSettings | None = None,
        warn: Callable[[str], None] | None = None,
        *,
        inputs: Sequence[execution_pb2.GivenInput] = (),
    ) -> execution_pb2.Execution:
        """Starts an execution of a plan, or of the last layout set. `warn` gets the runner's warnings.

        `inputs`: those that the plan declares, whose files were uploaded before.
        """
        request = runner_pb2.StartExecutionRequest(
            request_id=_new_request_id(), plan_id=plan_id, settings=settings, inputs=inputs
        )
        answer = await self._runner.ask(lambda runner: runner.StartExecution, request)
        return _warned(answer, warn)

    async def preview(
        self,
        plan_id: str = "",
        settings: execution_pb2.ExecutionSettings | None = None,
        *,
        at_most: int = 1000,
        inputs: Sequence[execution_pb2.GivenInput] = (),
    ) -> runner_pb2.PreviewExecutionResponse:
        """Returns what a start would keep, and what it would do, with at most so many tasks. Changes nothing."""
        request = runner_pb2.PreviewExecutionRequest(
            plan_id=plan_id, settings=settings, max_tasks=at_most, inputs=inputs
        )
        return await self._runner.ask(lambda runner: runner.PreviewExecution, request)

    async def upload(self, inputs: ResolvedInputs) -> None:
        """Uploads the files of inputs that the runner does not have. Raises ConfigurationError for one that changed."""
        digests = list(inputs.files)
        for start in range(0, len(digests), ASKED_AT_ONCE):
            request = runner_pb2.ListMissingContentsRequest(digests=digests[start : start + ASKED_AT_ONCE])
            answer = await self._runner.ask(lambda runner: runner.ListMissingContents, request)
            for digest in answer.digests:
                await self.upload_content(await asyncio.to_thread(_read_again, inputs.files[digest], digest))

    async def upload_content(self, content: bytes) -> str:
        """Uploads the bytes of an input's file, and returns their digest."""
        digest = hashlib.sha256(content).hexdigest()
        await self._runner.send(lambda runner: runner.UploadContent, lambda: _upload_requests(content, digest))
        return digest

    async def pause(self, ref: Ref, reason: str = "") -> execution_pb2.Execution:
        request = runner_pb2.PauseExecutionRequest(request_id=_new_request_id(), ref=ref, reason=reason)
        return (await self._runner.ask(lambda runner: runner.PauseExecution, request)).execution

    async def resume(self, ref: Ref, warn: Callable[[str], None] | None = None) -> execution_pb2.Execution:
        """Resumes an execution after a pause or a stop. `warn` gets the runner's warnings."""
        request = runner_pb2.ResumeExecutionRequest(request_id=_new_request_id(), ref=ref)
        answer = await self._runner.ask(lambda runner: runner.ResumeExecution, request)
        return _warned(answer, warn)

    async def stop(self, ref: Ref, reason: str = "") -> execution_pb2.Execution:
        request = runner_pb2.StopExecutionRequest(request_id=_new_request_id(), ref=ref, reason=reason)
        return (await self._runner.ask(lambda runner: runner.StopExecution, request)).execution

    async def retry(self, ref: Ref, task_id: str) -> execution_pb2.Execution:
        """Runs a task again, with everything downstream of it."""
        request = runner_pb2.RetryTaskRequest(request_id=_new_request_id(), ref=ref, task_id=task_id)
        return (await self._runner.ask(lambda runner: runner.RetryTask, request)).execution

    async def set_budget(
        self, ref: Ref, task_id: str = "", *, tokens: int | None = None, cost_nanos: int | None = None
    ) -> execution_pb2.Execution:
        """Sets what a task, a group or, without `task_id`, the execution may spend; None is unlimited."""
        budget = plan_pb2.Budget(tokens=tokens, cost_nanos=cost_nanos)
        request = runner_pb2.SetBudgetRequest(request_id=_new_request_id(), ref=ref, task_id=task_id, budget=budget)
        return (await self._runner.ask(lambda runner: runner.SetBudget, request)).execution

    async def prune(
        self, older_than: timedelta, *, keep_last: int = 0, keep_artifacts: bool = False, dry_run: bool = False
    ) -> AsyncGenerator[runner_pb2.PruneExecutionsResponse, None]:
        """Removes executions that came to rest long ago. Yields the sums so far; the last ones have `done`.

        The prune ends when the reader stops, and a later one goes on.
        """
        request = runner_pb2.PruneExecutionsRequest(keep_last=keep_last, keep_artifacts=keep_artifacts, dry_run=dry_run)
        request.older_than.FromTimedelta(older_than)
        async for sums in self._runner.answers(lambda runner: runner.PruneExecutions, request):
            yield sums

    async def judge(
        self,
        ref: Ref,
        task_id: str,
        *,
        passes: bool,
        reason: str = "",
        person: str = "",
        seen: execution_pb2.CandidateInfo | None = None,
    ) -> execution_pb2.Execution:
        """Gives a person's verdict on a candidate that waits for one. `reason` is required to reject.

        `seen` is the candidate that the person looked at. Raises CandidateChanged when another one waits by now.
        """
        request = runner_pb2.JudgeTaskRequest(
            request_id=_new_request_id(),
            ref=ref,
            task_id=task_id,
            outcome=execution_pb2.OUTCOME_PASS if passes else execution_pb2.OUTCOME_FAIL,
            reason=reason,
            person=person,
            digest=seen.artifact.digest if seen is not None else "",
            attempt=seen.artifact.attempt if seen is not None else 0,
        )
        return (await self._runner.ask(lambda runner: runner.JudgeTask, request)).execution


def _warned(
    answer: runner_pb2.StartExecutionResponse | runner_pb2.ResumeExecutionResponse, warn: Callable[[str], None] | None
) -> execution_pb2.Execution:
    """Hands the warnings of an answer on, and returns its execution."""
    if warn is not None:
        for warning in answer.warnings:
            warn(warning)
    return answer.execution


def _upload_requests(content: bytes, digest: str) -> Iterator[runner_pb2.UploadContentRequest]:
    yield runner_pb2.UploadContentRequest(digest=digest, chunk=content[:CHUNK_BYTES])
    for start in range(CHUNK_BYTES, len(content), CHUNK_BYTES):
        yield runner_pb2.UploadContentRequest(chunk=content[start : start + CHUNK_BYTES])


def _read_again(file: Path, digest: str) -> bytes:
    """Returns the bytes of a file that was read for its digest before."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"expected a file, but {file} cannot be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise ConfigurationError(f"expected {file} to stay as it is while it is uploaded, but it has changed")
    return content


def _new_request_id() -> str:
    return uuid.uuid4().hex
