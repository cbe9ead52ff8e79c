"""The mock model: a Model that needs no network, no key and no chance.

Everything it does follows from its seed, the task and the attempt: the same run gives the same failures again, and the
next attempt of a task may go better. As a judge it also counts the calls for one attempt, so that a broken judgement
does not break for ever.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from worker_svc.assignment import Assignment
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelRequest, OnDelta
from worker_svc.mock.instructions import answer, instructions_of
from worker_svc.mock.judging import verdicts
from worker_svc.mock.options import MockOptions, mock_options
from worker_svc.mock.writing import candidate_text, rejectable_text
from worker_svc.spent import OnSpent, Spent, unheard

_CHARS_PER_TOKEN = 4  # a common rule of thumb; the mock has no tokenizer
_PIECES = 4  # of a streamed answer
_REMEMBERED_ATTEMPTS = 4096  # whose judge calls are counted; older ones begin at 0 again


class MockModel:
    """A Model for offline use; see docs/reference/mock.md for its options."""

    def __init__(self, options: MockOptions | None = None) -> None:
        self._options = options or MockOptions()
        self._judged: dict[tuple[str, str, int], int] = {}

    @classmethod
    def of(cls, spec: str) -> MockModel:
        """Reads a model name such as "mock:fail=0.3,seed=7". Raises ConfigurationError."""
        return cls(mock_options(spec))

    @property
    def name(self) -> str:
        return "mock"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def settings(self) -> Mapping[str, str]:
        return self._options.behaviour

    def maker_parts(self, model: str) -> tuple[str, Mapping[str, str]]:
        return self.name, self.settings

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        instructions = instructions_of(request.assignment.task)
        if instructions is not None:
            text = await answer(instructions, request, on_delta)
        else:
            text = await self._answer(request, on_delta)
        read = sum(len(message.content) for message in request.messages)
        counted = Spent(
            requests=1, input_tokens=read // _CHARS_PER_TOKEN, output_tokens=len(text) // _CHARS_PER_TOKEN + 1
        )
        on_spent(counted)
        return ModelAnswer(text=text, finish_reason="stop")

    async def close(self) -> None:
        """Does nothing: the mock holds no connection."""

    async def _answer(self, request: ModelRequest, on_delta: OnDelta) -> str:
        thinking, text = self._judgement(request) if request.criteria else self._work(request.assignment)
        for piece in (*thinking, *((text,) if request.criteria else _pieces(text))):
            if self._options.delay:
                await asyncio.sleep(self._options.delay)
            on_delta(piece)
        self._fail_if_asked(request)
        return text

    def _work(self, assignment: Assignment) -> tuple[tuple[str, ...], str]:
        """Returns the executor's thinking, and the candidate."""
        names = ", ".join(artifact.name or artifact.task_id for artifact in assignment.inputs)
        thinking = (f"The task is: {assignment.task.description}\n", f"I am given: {names or 'no artifacts'}.\n")
        rejected = self._chance("reject", assignment) < self._options.reject
        return thinking, rejectable_text(assignment) if rejected else candidate_text(assignment)

    def _judgement(self, request: ModelRequest) -> tuple[tuple[str, ...], str]:
        """Returns the judge's thinking, and the verdicts."""
        candidate = request.assignment.candidate
        content = candidate.whole().decode("utf-8", errors="replace") if candidate else ""
        judged = verdicts(request.criteria, content, sees_pictures=any(each.pictures for each in request.messages))
        thinking = (f"I read {len(content)} characters.\n", *map(_sentence, request.criteria, judged))
        return thinking, json.dumps({"nonce": request.nonce, "verdicts": judged}, ensure_ascii=False)

    def _fail_if_asked(self, request: ModelRequest) -> None:
        """Fails when the options ask for it, after the last piece: real failures also come late."""
        assignment, options = request.assignment, self._options
        where = f"task {assignment.task.task_id}, attempt {assignment.attempt}"
        if request.criteria:
            if self._chance("judge", assignment, self._times_judged(assignment)) < options.judge_error:
                raise ModelFailure.transient(
                    f"the mock judge broke, as judge_error={options.judge_error:g} asks ({where})"
                )
        elif self._chance("fail", assignment) < options.fail:
            raise ModelFailure.transient(f"the mock model failed, as fail={options.fail:g} asks ({where})")

    def _times_judged(self, assignment: Assignment) -> int:
        """Returns how often this attempt was judged here before."""
        key = (assignment.execution_id, assignment.task.task_id, assignment.attempt)
        before = self._judged.pop(key, 0)
        self._judged[key] = before + 1
        if len(self._judged) > _REMEMBERED_ATTEMPTS:
            del self._judged[next(iter(self._judged))]
        return before

    def _chance(self, purpose: str, assignment: Assignment, time: int = 0) -> float:
        """Returns a number in [0, 1) that is the same for the same seed, task and attempt."""
        said = f"{self._options.seed}\x00{purpose}\x00{assignment.task.task_id}\x00{assignment.attempt}\x00{time}"
        return int.from_bytes(hashlib.sha256(said.encode()).digest()[:7]) / 2**56


def _sentence(criterion: str, verdict: Mapping[str, Any]) -> str:
    return f"{criterion}: {verdict['outcome']}, {verdict['reason']}.\n"


def _pieces(text: str) -> Iterator[str]:
    size = max(1, -(-len(text) // _PIECES))
    return (text[at : at + size] for at in range(0, len(text), size))
