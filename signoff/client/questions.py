"""Questions to a runner: executions, tasks, workers, layouts, contents. They change nothing."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import suppress
from datetime import datetime

from signoff.client.runner_connection import RunnerConnection
from signoff.client.values import Artifact, Candidate, ExecutionMap, Layout, Prompt, Ref
from signoff.errors import ExecutionPruned, ExecutionQuarantined, LayoutNotFound, Unavailable
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2

PAGE = 1_000
MOST_DESCRIPTION = 200  # characters


def check_tasks_are_known(execution: execution_pb2.Execution) -> None:
    """Raises ExecutionQuarantined for an execution of whose tasks the runner knows nothing."""
    # guard: nothing is told of tasks in quarantine -> if False:
    if execution.state == execution_pb2.EXECUTION_STATE_QUARANTINED:
        raise ExecutionQuarantined(
            f"expected an execution whose tasks are known, but {execution.plan_id or execution.execution_id} is "
            f"quarantined: {execution.reason}"
        )


class RunnerQuestions:
    """The part of the client that asks how things stand."""

    _runner: RunnerConnection

    async def get(self, ref: Ref) -> execution_pb2.Execution:
        request = runner_pb2.GetExecutionRequest(ref=ref)
        return (await self._runner.ask(lambda runner: runner.GetExecution, request)).execution

    async def output_files(self, ref: Ref) -> runner_pb2.OutputFiles | None:
        """Returns how far an execution's results are written as files on the runner's disk.

        None: a newer execution of its plan owns these files, or the runner is of a version that does not tell.
        """
        request = runner_pb2.GetExecutionRequest(ref=ref)
        answer = await self._runner.ask(lambda runner: runner.GetExecution, request)
        return answer.output_files if answer.HasField("output_files") else None

    async def tasks(
        self, ref: Ref, *, unfinished: bool = False, task_ids: Sequence[str] = ()
    ) -> tuple[execution_pb2.TaskState, ...]:
        """Returns the states of all tasks, of the unfinished ones, or of those named; in natural order."""
        selection = runner_pb2.TASK_SELECTION_UNFINISHED if unfinished else runner_pb2.TASK_SELECTION_ALL
        if task_ids:
            selection = runner_pb2.TASK_SELECTION_NAMED
        request = runner_pb2.GetExecutionRequest(ref=ref, tasks=selection, task_ids=task_ids, page_size=PAGE)
        tasks: list[execution_pb2.TaskState] = []
        while True:
            answer = await self._runner.ask(lambda runner: runner.GetExecution, request)
            tasks.extend(answer.tasks)
            if not answer.next_page_token:
                return tuple(tasks)
            request.page_token = answer.next_page_token

    async def task(self, ref: Ref, task_id: str) -> execution_pb2.TaskState:
        """Returns the state of one task. Raises ExecutionQuarantined when nothing is known of it."""
        named = runner_pb2.TASK_SELECTION_NAMED
        request = runner_pb2.GetExecutionRequest(ref=ref, tasks=named, task_ids=(task_id,))
        answer = await self._runner.ask(lambda runner: runner.GetExecution, request)
        check_tasks_are_known(answer.execution)
        (task,) = answer.tasks
        return task

    async def list(
        self,
        plan_id: str = "",
        *,
        at_most: int = PAGE,
        states: Sequence[execution_pb2.ExecutionState.ValueType] = (),
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        awaiting: Sequence[runner_pb2.ExecutionNeed.ValueType] = (),
        text: str = "",
    ) -> tuple[execution_pb2.Execution, ...]:
        """Returns executions, newest first: of one plan or of all, in any of these states, created in this time.

        `created_after` is part of the time, `created_before` is not. `awaiting`: those that wait for one of these.
        `text`: those with it in their id, their plan's id or the beginning of the idea.
        """
        request = runner_pb2.ListExecutionsRequest(
            plan_id=plan_id, page_size=min(at_most, PAGE), states=states, awaiting=awaiting, text=text
        )
        if created_after is not None:
            request.created_after.FromDatetime(created_after)
        if created_before is not None:
            request.created_before.FromDatetime(created_before)
        executions: list[execution_pb2.Execution] = []
        while True:
            answer = await self._runner.ask(lambda runner: runner.ListExecutions, request)
            executions.extend(answer.executions)
            if not answer.next_page_token or len(executions) >= at_most:
                return tuple(executions[:at_most])
            request.page_token = answer.next_page_token

    async def workers(self) -> tuple[runner_pb2.Worker, ...]:
        return tuple((await self.workforce()).workers)

    async def workforce(self) -> runner_pb2.ListWorkersResponse:
        """Returns the workers, and how each pool of validators judged canaries, in all executions together."""
        return await self._runner.ask(lambda runner: runner.ListWorkers, runner_pb2.ListWorkersRequest())

    async def layout(self, plan_id: str = "") -> Layout:
        """Returns the layout of a plan that was set, or of the last one set."""
        return await self._layout(runner_pb2.GetLayoutRequest(plan_id=plan_id))

    async def _layout(self, request: runner_pb2.GetLayoutRequest) -> Layout:
        header, whole = plan_pb2.MapHeader(), plan_pb2.LayoutPart()
        async for answer in self._runner.answers(lambda runner: runner.GetLayout, request):
            header.MergeFrom(answer.part.header)
            whole.MergeFrom(answer.part.layout)
        return Layout(header=header, layout=whole)

    async def map_of(self, ref: Ref) -> ExecutionMap:
        """Returns the map that an execution runs: the one it was started with, whatever its plan has become since."""
        header, whole = plan_pb2.MapHeader(), plan_pb2.LayoutPart()
        groups, tasks = list[plan_pb2.MapGroup](), list[plan_pb2.MapTask]()
        request = runner_pb2.GetLayoutRequest(execution=ref, tasks=True)
        async for answer in self._runner.answers(lambda runner: runner.GetLayout, request):
            header.MergeFrom(answer.part.header)
            whole.MergeFrom(answer.part.layout)
            groups.extend(answer.part.groups.groups)
            tasks.extend(answer.part.tasks.tasks)
        return ExecutionMap(header=header, groups=tuple(groups), tasks=tuple(tasks), layout=whole)

    async def layout_of(self, ref: Ref) -> Layout:
        """Returns the layout of the map that an execution runs, without the map's tasks."""
        return await self._layout(runner_pb2.GetLayoutRequest(execution=ref))

    async def descriptions(self, ref: Ref, task_ids: Collection[str]) -> dict[str, str]:
        """Returns the beginnings of the descriptions of some tasks; none when the map is not kept any more."""
        found = dict[str, str]()
        if not task_ids:
            return found
        request = runner_pb2.GetLayoutRequest(execution=ref, tasks=True)
        with suppress(LayoutNotFound, ExecutionPruned):
            async for answer in self._runner.answers(lambda runner: runner.GetLayout, request):
                for task in answer.part.tasks.tasks:
                    if task.spec.task_id in task_ids:
                        found[task.spec.task_id] = task.spec.description[:MOST_DESCRIPTION]
        return found

    async def thinking(self, ref: Ref, task_id: str) -> runner_pb2.GetThinkingResponse:
        """Returns the end of what the worker at work on a task has thought aloud; without a phase, no worker is."""
        request = runner_pb2.GetThinkingRequest(ref=ref, task_id=task_id)
        return await self._runner.ask(lambda runner: runner.GetThinking, request)

    async def back_up(self) -> AsyncGenerator[runner_pb2.BackUpResponse, None]:
        """Yields the parts of a backup; the last one is its end."""
        async for part in self._runner.answers(lambda runner: runner.BackUp, runner_pb2.BackUpRequest()):
            yield part

    # ------------------------------------------------------------ contents

    async def artifact(self, ref: Ref, task_id: str) -> Artifact:
        """Returns the artifact of a signed-off task."""
        info, chunks = execution_pb2.ArtifactInfo(), list[bytes]()
        request = runner_pb2.GetArtifactRequest(ref=ref, task_id=task_id)
        async for answer in self._runner.answers(lambda runner: runner.GetArtifact, request):
            info.MergeFrom(answer.info)
            chunks.append(answer.chunk)
        return Artifact(info=info, content=_whole(f"the artifact of {task_id}", info, chunks))

    async def candidate(self, ref: Ref, task_id: str, attempt: int = 0, *, info_only: bool = False) -> Candidate:
        """Returns the candidate of an attempt, in any state; with `attempt` 0, of the last attempt that made one.

        Raises CandidateNotFound, which says which attempts made one.
        """
        request = runner_pb2.GetCandidateRequest(ref=ref, task_id=task_id, attempt=attempt, info_only=info_only)
        info, chunks = execution_pb2.CandidateInfo(), list[bytes]()
        async for answer in self._runner.answers(lambda runner: runner.GetCandidate, request):
            info.MergeFrom(answer.info)
            chunks.append(answer.chunk)
        what = f"the candidate of attempt {info.artifact.attempt} of {task_id}"
        return Candidate(info=info, content=b"" if info_only else _whole(what, info.artifact, chunks))

    async def prompts(
        self,
        ref: Ref,
        task_id: str,
        attempt: int = 0,
        phase: execution_pb2.Phase.ValueType = execution_pb2.PHASE_UNSPECIFIED,
    ) -> tuple[runner_pb2.PromptInfo, ...]:
        """Returns what is kept of the prompts of a task: of one attempt or of all, of one phase or of both."""
        request = runner_pb2.ListPromptsRequest(ref=ref, task_id=task_id, attempt=attempt, phase=phase)
        return tuple((await self._runner.ask(lambda runner: runner.ListPrompts, request)).prompts)

    async def prompt(self, ref: Ref, task_id: str, digest: str) -> Prompt:
        """Returns a prompt that `prompts` tells of. Raises PromptNotFound."""
        info, chunks = runner_pb2.PromptInfo(), list[bytes]()
        request = runner_pb2.GetPromptRequest(ref=ref, task_id=task_id, digest=digest)
        async for answer in self._runner.answers(lambda runner: runner.GetPrompt, request):
            info.MergeFrom(answer.info)
            chunks.append(answer.chunk)
        return Prompt(info=info, content=_whole(f"a prompt of attempt {info.attempt} of {task_id}", info, chunks))


def _whole(what: str, info: execution_pb2.ArtifactInfo | runner_pb2.PromptInfo, chunks: Sequence[bytes]) -> bytes:
    """Joins the chunks of a content. Raises Unavailable when its digest is another one."""
    content = b"".join(chunks)
    if hashlib.sha256(content).hexdigest() != info.digest:
        raise Unavailable(f"{what} arrived damaged: {len(content)} of {info.size_bytes} bytes")
    return content
