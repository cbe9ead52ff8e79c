"""Scripted models: an executor that fails, a judge that errs and is down for minutes. All by the seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from signoff.v1 import execution_pb2
from worker_svc.work import Assignment, CandidateMade, Report, Result, VerdictGiven, WorkFailed


@dataclass(slots=True)
class Mood:
    """How well the models do at the moment; all zero is a good day."""

    failing: float = 0.0
    hanging: float = 0.0
    raising: float = 0.0
    rejecting: float = 0.0
    judge_down: bool = False


class ScriptedModel:
    """A handler for either role."""

    def __init__(self, chance: random.Random, mood: Callable[[], Mood], maker: str) -> None:
        self._chance = chance
        self._mood = mood
        self._maker = maker

    @property
    def models(self) -> tuple[str, ...]:
        return ("scripted",)

    @property
    def maker(self) -> str:
        return self._maker

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        mood, chance = self._mood(), self._chance
        await asyncio.sleep(chance.uniform(0.1, 8.0))
        report.tokens(1)
        if chance.random() < mood.hanging:
            await asyncio.sleep(10_000.0)
        if chance.random() < mood.raising:
            raise RuntimeError("a bug in the handler")
        await asyncio.sleep(chance.uniform(0.1, 8.0))
        if assignment.phase == execution_pb2.PHASE_VALIDATE:
            return self._judge(mood)
        return self._make(assignment, mood)

    async def close(self) -> None:
        """It has nothing open."""

    def _make(self, assignment: Assignment, mood: Mood) -> Result:
        if self._chance.random() < mood.failing:
            return WorkFailed(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message="the model failed")
        told = ",".join(f"{given.task_id}={given.content.decode()}" for given in assignment.inputs)
        text = f"{assignment.task.task_id}({told}){self._chance.choice('ab')}"
        return CandidateMade(content=text.encode()[:200], media_type="text/plain", maker=self._maker)

    def _judge(self, mood: Mood) -> Result:
        if mood.judge_down:
            return VerdictGiven(outcome=execution_pb2.OUTCOME_ERROR, results=(), feedback="the judge is down")
        bad = self._chance.random() < mood.rejecting
        outcome = execution_pb2.OUTCOME_FAIL if bad else execution_pb2.OUTCOME_PASS
        result = execution_pb2.CriterionResult(criterion="is good", outcome=outcome)
        return VerdictGiven(outcome=outcome, results=(result,), feedback="not good" if bad else "")
