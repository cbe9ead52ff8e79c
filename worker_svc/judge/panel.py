"""Asks the judge about a candidate, as often as the plan says and all at once, and counts the votes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from signoff.v1 import execution_pb2
from worker_svc.judge.answer import BrokenAnswer, Opinion, Shown, opinions_in
from worker_svc.judge.votes import Rule, counted, rule_of
from worker_svc.llm.port import Model, ModelAnswer, ModelFailure, ModelRequest, OnDelta
from worker_svc.progress import DeltaReporter
from worker_svc.prompts import JUDGE_SCHEMA, judge_messages, judged_text, made_aside
from worker_svc.work import Artifact, Assignment, Report

_READ_HERE_CHARS = 16_000  # of an answer and of what it may quote; longer ones are read in a thread

Vote = tuple[Opinion, ...] | ModelFailure  # one opinion a criterion, or why there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the judges make of a candidate."""

    results: tuple[execution_pb2.CriterionResult, ...]  #: one a criterion, in their order
    retry_worthwhile: bool
    retry_after: timedelta | None  #: as the provider asked of a judge that gave no answer
    failure_kind: execution_pb2.FailureKind.ValueType = execution_pb2.FAILURE_KIND_UNSPECIFIED  #: of the first of those


NOT_ASKED = Judgement(results=(), retry_worthwhile=True, retry_after=None)


def not_judged(criteria: tuple[str, ...], reason: str) -> Judgement:
    """Of criteria that nobody can judge."""
    undecided = Opinion(outcome=execution_pb2.OUTCOME_ERROR, reason=reason)
    return Judgement(
        results=tuple(_result(criterion, undecided) for criterion in criteria), retry_worthwhile=True, retry_after=None
    )


async def judgement(
    model: Model, assignment: Assignment, candidate: Artifact, criteria: tuple[str, ...], report: Report
) -> Judgement:
    """Raises ModelFailure when no judge gave an answer that can be read."""
    rule, shown = rule_of(assignment.task.validation.judge), Shown(judged_text(candidate))
    request = await made_aside(lambda: judge_request(assignment, candidate, criteria), assignment)
    cost = _Cost(report, model.maker_parts(request.model)[0])
    deltas = DeltaReporter(report)
    listeners: list[OnDelta] = [deltas, *[deltas.counted] * (rule.votes - 1)]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_vote(model, request, shown, cost, listener)) for listener in listeners]
    return _counted([task.result() for task in asked], criteria, rule)


def judge_request(assignment: Assignment, candidate: Artifact, criteria: tuple[str, ...]) -> ModelRequest:
    return ModelRequest(
        messages=judge_messages(assignment, candidate, criteria),
        assignment=assignment,
        json_object_wanted=True,
        schema=JUDGE_SCHEMA,
        strict=True,
        criteria=criteria,
        model=assignment.model,
    )


async def _vote(model: Model, request: ModelRequest, shown: Shown, cost: _Cost, on_delta: OnDelta) -> Vote:
    try:
        answer = await model.complete(request, on_delta)
    except ModelFailure as failure:
        cost.add(failure)
        return failure
    cost.add(answer)
    try:
        if len(answer.text) + shown.size <= _READ_HERE_CHARS:
            return opinions_in(answer.text, len(request.criteria), shown)
        return await asyncio.to_thread(opinions_in, answer.text, len(request.criteria), shown)
    except BrokenAnswer as error:
        return ModelFailure.transient(f"the judge's answer cannot be read: {error}")


def _counted(votes: list[Vote], criteria: tuple[str, ...], rule: Rule) -> Judgement:
    failures = [vote for vote in votes if isinstance(vote, ModelFailure)]
    retry_after = max((failure.retry_after for failure in failures if failure.retry_after), default=None)
    if len(failures) == len(votes):
        first = failures[0].message
        message = first if rule.votes == 1 else f"none of {rule.votes} judges answered; the first: {first}"
        raise ModelFailure(failures[0].kind, message, retry_after=retry_after)
    ballots = [[None if isinstance(vote, ModelFailure) else vote[n] for vote in votes] for n in range(len(criteria))]
    told = [counted(ballot, rule) for ballot in ballots]
    failed = [opinion for opinion in told if opinion.outcome == execution_pb2.OUTCOME_FAIL]
    return Judgement(
        results=tuple(map(_result, criteria, told)),
        retry_worthwhile=not failed or any(opinion.retry_worthwhile for opinion in failed),
        retry_after=retry_after,
        failure_kind=failures[0].kind if failures else execution_pb2.FAILURE_KIND_UNSPECIFIED,
    )


def _result(criterion: str, opinion: Opinion) -> execution_pb2.CriterionResult:
    return execution_pb2.CriterionResult(criterion=criterion, outcome=opinion.outcome, reason=opinion.reason)


class _Cost:
    """What all votes have cost so far."""

    def __init__(self, report: Report, model: str) -> None:
        self._report = report
        self._model = model
        self._input_tokens = self._output_tokens = self._requests = 0

    def add(self, told: ModelAnswer | ModelFailure) -> None:
        """An answer, or a failure that has cost something all the same."""
        if not told.requests:
            return
        self._input_tokens += told.input_tokens
        self._output_tokens += told.output_tokens
        self._requests += told.requests
        self._report.usage(
            self._model,
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
            requests=self._requests,
        )
