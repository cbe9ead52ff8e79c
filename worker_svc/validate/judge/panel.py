"""Asks the judge about a candidate, as often as the plan says and all at once, and counts the votes.

Each request has its own nonce, which the answer must carry. When a judge's evidence was not found, the judge is asked
once more and told which. A candidate that is too long for one request is judged part by part (parts.py).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from signoff.v1 import execution_pb2
from worker_svc.assignment import Artifact, Assignment, Report
from worker_svc.llm.port import Model, ModelFailure, ModelRequest, OnDelta
from worker_svc.progress import DeltaReporter, tell_prompt
from worker_svc.prompts.candidate_files import CandidateFiles
from worker_svc.prompts.messages import MAX_TOTAL_CHARS, NONCE_CHARS, Asking, judge_messages, judge_schema, made_aside
from worker_svc.spent import Meter
from worker_svc.validate.judge.answer import JudgeRequest, Opinion, opinions_in
from worker_svc.validate.judge.files import NO_PICTURES, NOTHING_TO_READ, readable
from worker_svc.validate.judge.parts import MOST_PARTS, merged, parts_of
from worker_svc.validate.judge.repeats import ShownCandidate
from worker_svc.validate.judge.votes import Rule, counted, rule_of

_READ_HERE_CHARS = 16_000  # of an answer and of the text that it may quote; longer ones are read in a thread

NO_FAILURE = execution_pb2.FAILURE_KIND_UNSPECIFIED

Vote = tuple[Opinion, ...] | ModelFailure  # one opinion a criterion, or the reason why there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The judges' decision on a candidate."""

    results: tuple[execution_pb2.CriterionResult, ...]  #: one a criterion, in their order
    retry_worthwhile: bool
    retry_after: timedelta | None  #: asked by the provider of a judge that gave no answer
    failure_kind: execution_pb2.FailureKind.ValueType = NO_FAILURE  #: of the first judge that gave no answer
    opinions: tuple[Opinion, ...] = ()  #: the same as the results


NOT_ASKED = Judgement(results=(), retry_worthwhile=True, retry_after=None)


def not_judged(criteria: tuple[str, ...], reason: str) -> Judgement:
    """Returns the judgement of criteria that cannot be judged."""
    undecided = Opinion(outcome=execution_pb2.OUTCOME_ERROR, reason=reason)
    return Judgement(
        results=tuple(_result(criterion, undecided) for criterion in criteria), retry_worthwhile=True, retry_after=None
    )


async def judgement(
    model: Model, assignment: Assignment, candidate: Artifact, criteria: tuple[str, ...], report: Report
) -> Judgement:
    """Asks about the candidate, in parts when it is too long for one request.

    Raises ModelFailure when no judge gave an answer that can be read.
    """
    if candidate.manifest is not None:
        return await _judgement_of_files(model, assignment, candidate, criteria, report)
    texts = await made_aside(lambda: parts_of(candidate.whole()), assignment)
    if not texts:
        return not_judged(criteria, f"it is longer than {MOST_PARTS} parts of {MAX_TOTAL_CHARS} characters")
    panel_report = PanelReport(report, Meter(report, model.maker_parts(assignment.model)[0]))
    # guard: all of a candidate is judged -> if texts:
    if len(texts) == 1:
        return await _Sitting(model, assignment, candidate, criteria, panel_report).judgement(texts[0])
    judgements = []
    for part, text in enumerate(texts, 1):
        shown = replace(candidate, content=text.encode())
        about = replace(assignment, candidate=shown)
        sitting = _Sitting(model, about, shown, criteria, panel_report, CandidatePart(part, len(texts)))
        judgements.append(await sitting.judgement(text))
    whole = candidate.whole().decode("utf-8", errors="replace")
    return await asyncio.to_thread(_merge, judgements, criteria, whole)


async def _judgement_of_files(
    model: Model, assignment: Assignment, candidate: Artifact, criteria: tuple[str, ...], report: Report
) -> Judgement:
    """Does the same for a candidate with files."""
    images = assignment.task.validation.judge.images
    found = await asyncio.to_thread(lambda: readable(candidate, images=images))
    if not found.is_readable:
        return not_judged(criteria, NO_PICTURES if images else NOTHING_TO_READ)
    if not found.parts:
        return not_judged(criteria, f"its texts are longer than {MOST_PARTS} parts of {MAX_TOTAL_CHARS} characters")
    panel_report = PanelReport(report, Meter(report, model.maker_parts(assignment.model)[0]))
    judgements = []
    for number, part in enumerate(found.parts, 1):
        shown = replace(candidate, content=part.text.encode(), manifest=None, folder=None, media_type="text/plain")
        about = replace(assignment, candidate=shown)
        place = CandidatePart(number, len(found.parts), part.files)
        judgements.append(await _Sitting(model, about, shown, criteria, panel_report, place).judgement(part.text))
    if len(judgements) == 1:
        return judgements[0]
    return await asyncio.to_thread(_merge, judgements, criteria, found.text)


def _merge(judgements: Sequence[Judgement], criteria: tuple[str, ...], text: str) -> Judgement:
    """Merges the judgements of all parts of a text."""
    opinions = [
        merged(criterion, [part.opinions[number] for part in judgements], text)
        for number, criterion in enumerate(criteria)
    ]
    failures = [part.failure_kind for part in judgements if part.failure_kind != NO_FAILURE]
    retry_after = max((part.retry_after for part in judgements if part.retry_after), default=None)
    return _judgement(criteria, opinions, retry_after, failures)


@dataclass(frozen=True, slots=True)
class PanelReport:
    """Takes the progress of the judges, and their costs."""

    report: Report
    meter: Meter


@dataclass(frozen=True, slots=True)
class CandidatePart:
    """The number of a part of a candidate, and the number of parts."""

    part: int = 1
    parts: int = 1
    files: CandidateFiles | None = None  #: what the request shows of a candidate with files


class _Sitting:
    """The votes on one text: the candidate, or a part of it."""

    def __init__(
        self,
        model: Model,
        assignment: Assignment,
        candidate: Artifact,
        criteria: tuple[str, ...],
        report: PanelReport,
        part: CandidatePart = CandidatePart(),
    ) -> None:
        self._model = model
        self._assignment = assignment
        self._candidate = candidate
        self._criteria = criteria
        self._report = report
        self._part = part

    async def judgement(self, text: str) -> Judgement:
        """Asks for all votes and counts them. Raises ModelFailure when no judge gave an answer that can be read."""
        has_pictures = self._part.files is not None and bool(self._part.files.pictures)
        shown = ShownCandidate(text, has_pictures=has_pictures)
        rule = rule_of(self._assignment.task.validation.judge)
        request = await made_aside(self._request, self._assignment)
        deltas = DeltaReporter(self._report.report)
        listeners: list[OnDelta] = [deltas, *[deltas.counted] * (rule.votes - 1)]
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._vote(request, shown, listener)) for listener in listeners]
        return _counted([task.result() for task in asked], self._criteria, rule)

    def _request(self, not_found: tuple[str, ...] = ()) -> ModelRequest:
        """Returns a request without its nonce: each vote gets its own."""
        part = self._part
        asking = Asking(nonce="", part=part.part, parts=part.parts, not_found=not_found, files=part.files)
        return judge_request(self._assignment, self._candidate, self._criteria, asking)

    async def _vote(self, request: ModelRequest, shown: ShownCandidate, on_delta: OnDelta) -> Vote:
        """Asks, and asks again when evidence of a pass was not found: the second answer counts for those criteria."""
        first = await self._answer(request, shown, on_delta)
        # guard: evidence is asked for once more -> if isinstance(first, ModelFailure) or True:
        if isinstance(first, ModelFailure) or not any(opinion.unproven for opinion in first):
            return first
        not_found = tuple(
            f"criterion {number}: {opinion.unproven}" for number, opinion in enumerate(first, 1) if opinion.unproven
        )
        again = await made_aside(lambda: self._request(not_found), self._assignment)
        second = await self._answer(again, shown, on_delta)
        if isinstance(second, ModelFailure):
            return first
        return tuple(new if old.unproven else old for old, new in zip(first, second, strict=True))

    async def _answer(self, request: ModelRequest, shown: ShownCandidate, on_delta: OnDelta) -> Vote:
        # guard (2 lines): a nonce is not kept ->
        #     request = _with_nonce(request)
        #     await tell_prompt(self._report.report, request.messages)
        await tell_prompt(self._report.report, request.messages)
        request = _with_nonce(request)
        try:
            answer = await self._model.complete(request, on_delta, self._report.meter.account())
        except ModelFailure as failure:
            return failure
        asked = JudgeRequest(criteria=request.criteria, nonce=request.nonce, shown=shown)
        try:
            if len(answer.text) + shown.size <= _READ_HERE_CHARS:
                return opinions_in(answer.text, asked)
            return await asyncio.to_thread(opinions_in, answer.text, asked)
        # guard: an answer that cannot be read is one vote -> except UnicodeError as error:
        except ValueError as error:  # a BrokenAnswer, or what any reader raises: the other votes count all the same
            return ModelFailure.transient(f"the judge's answer cannot be read: {error}")


def judge_request(
    assignment: Assignment, candidate: Artifact, criteria: tuple[str, ...], asking: Asking
) -> ModelRequest:
    """Returns the request to a judge."""
    return ModelRequest(
        messages=judge_messages(assignment, candidate, criteria, asking),
        assignment=assignment,
        json_object_wanted=True,
        schema=judge_schema(len(criteria)),
        strict=True,
        criteria=criteria,
        nonce=asking.nonce,
        model=assignment.model,
    )


def _with_nonce(request: ModelRequest) -> ModelRequest:
    """Puts a fresh nonce at the very end, so that votes and retries share the whole text before it."""
    # guard: each request has a nonce of its own -> nonce = "0" * NONCE_CHARS
    nonce = secrets.token_hex(NONCE_CHARS // 2)
    *before, last = request.messages
    return replace(request, messages=(*before, replace(last, content=last.content + nonce)), nonce=nonce)


def _counted(votes: list[Vote], criteria: tuple[str, ...], rule: Rule) -> Judgement:
    failures = [vote for vote in votes if isinstance(vote, ModelFailure)]
    retry_after = max((failure.retry_after for failure in failures if failure.retry_after), default=None)
    if len(failures) == len(votes):
        first = failures[0].message
        message = first if rule.votes == 1 else f"none of {rule.votes} judges answered; the first: {first}"
        raise ModelFailure(failures[0].kind, message, retry_after=retry_after)
    ballots = [[None if isinstance(vote, ModelFailure) else vote[n] for vote in votes] for n in range(len(criteria))]
    opinions = [counted(ballot, rule) for ballot in ballots]
    return _judgement(criteria, opinions, retry_after, [failure.kind for failure in failures])


def _judgement(
    criteria: tuple[str, ...],
    opinions: Sequence[Opinion],
    retry_after: timedelta | None,
    failures: Sequence[execution_pb2.FailureKind.ValueType],
) -> Judgement:
    failed = [opinion for opinion in opinions if opinion.outcome == execution_pb2.OUTCOME_FAIL]
    return Judgement(
        results=tuple(map(_result, criteria, opinions)),
        retry_worthwhile=not failed or any(opinion.retry_worthwhile for opinion in failed),
        retry_after=retry_after,
        failure_kind=failures[0] if failures else NO_FAILURE,
        opinions=tuple(opinions),
    )


def _result(criterion: str, opinion: Opinion) -> execution_pb2.CriterionResult:
    return execution_pb2.CriterionResult(criterion=criterion, outcome=opinion.outcome, reason=opinion.reason)
