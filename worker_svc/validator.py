"""The validator: code decides first, then a model judges each criterion; only a pass on all of them is a pass.

    any check fails                        FAIL, and no model is asked
    any check could not be carried out     ERROR
    any criterion fails                    FAIL
    any criterion could not be told,
    or the judge broke                     ERROR: counts neither for nor against the candidate
    everything else                        PASS

The judge is asked once per candidate, for all criteria, in a structured answer. An answer that does not parse, misses a
criterion or names one twice is a broken judge and never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.v1 import execution_pb2, plan_pb2
from worker_svc import checks
from worker_svc.check_process import CheckProcess
from worker_svc.llm.json_text import object_in
from worker_svc.llm.port import Model, ModelFailure, ModelRequest
from worker_svc.progress import DeltaReporter, report_usage
from worker_svc.prompts import JUDGE_OUTCOMES, JUDGE_SCHEMA, JUDGE_VERSION, judge_messages, maker_digest
from worker_svc.work import Artifact, Assignment, CheckRunner, Offer, Report, VerdictGiven

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR

_SMALL_BYTES = 64 * 1024  # a linear check of this much is done in a millisecond; larger ones leave the event loop alone
_MAX_REASON_CHARS = 2_000  # of one criterion: a verdict must fit its frame

CriterionResult = execution_pb2.CriterionResult


class Validator:
    """A work.Handler that signs candidates off, or says why not."""

    def __init__(
        self,
        model: Model | None,
        *,
        check_process: CheckProcess | None = None,
        runners: Mapping[str, CheckRunner] | None = None,
        functions: tuple[str, ...] = (),
    ) -> None:
        self._model = model
        self._check_process = check_process or CheckProcess()
        self._runners = runners or {}
        self._functions = functions
        self._judge = maker_digest(model.name, JUDGE_VERSION, model.settings) if model else ""

    @property
    def offer(self) -> Offer:
        handlers = (*(("judge",) if self._model else ()), *(set(self._runners) & {"command"}), *self._functions)
        # "checks", for no handlers at all would stand for a judge.
        return Offer(handlers=handlers or ("checks",), models=(self._model.name,) if self._model else ())

    async def __call__(self, assignment: Assignment, report: Report) -> VerdictGiven:
        if assignment.candidate is None:
            raise ValueError(f"expected a candidate to judge under lease {assignment.lease_id}, but got none")
        results = await self._decided_by_code(assignment, assignment.candidate.content, report)
        criteria = criteria_of(assignment.task)
        if criteria and all(result.outcome == PASS for result in results):
            try:
                results += await self._judged(assignment, assignment.candidate, criteria, report)
            except ModelFailure as failure:
                return self._broke(results, failure)
        return self._verdict(results)

    async def close(self) -> None:
        await self._check_process.close()
        for runner in self._runners.values():
            await runner.close()
        if self._model is not None:
            await self._model.close()

    async def _decided_by_code(self, assignment: Assignment, content: bytes, report: Report) -> list[CriterionResult]:
        task = assignment.task
        results = checks.implicit_results(content, task.output)
        if any(result.outcome != PASS for result in results):
            return results  # what the plan asks of an empty or unreadable candidate would only repeat it
        for check in task.validation.checks:
            if runner := self._runners.get(check.WhichOneof("kind") or ""):
                results.append(await runner(check, assignment, report))
            elif checks.is_bounded(check) and len(content) <= _SMALL_BYTES:
                results.append(checks.check_result(check, content))
            else:
                results.append(await self._check_process.check_result(check, content))
        return results

    async def _judged(
        self, assignment: Assignment, candidate: Artifact, criteria: tuple[str, ...], report: Report
    ) -> list[CriterionResult]:
        if self._model is None:
            raise ModelFailure.permanent("this validator has no model to ask")
        request = ModelRequest(
            messages=judge_messages(assignment, candidate, criteria),
            assignment=assignment,
            json_object_wanted=True,
            schema=JUDGE_SCHEMA,
            strict=True,
            criteria=criteria,
        )
        answer = await self._model.complete(request, DeltaReporter(report))
        report_usage(report, self._model.name, answer)
        return judged_results(answer.text, criteria)

    def _verdict(self, results: list[CriterionResult]) -> VerdictGiven:
        outcome = overall(results)
        feedback = feedback_of(results, outcome) if outcome != PASS else ""
        return VerdictGiven(outcome=outcome, results=tuple(results), feedback=feedback, judge=self._judge)

    def _broke(self, results: list[CriterionResult], failure: ModelFailure) -> VerdictGiven:
        return VerdictGiven(
            outcome=ERROR,
            results=tuple(results),
            feedback=f"the judge gave no verdict: {failure.message}",
            retry_after=failure.retry_after,
            judge=self._judge,
        )


def criteria_of(task: plan_pb2.TaskSpec) -> tuple[str, ...]:
    """What a model is to judge: the plan's criteria, else its description of the validation, else the output itself.

    A plan that gives structured checks and nothing else is content with code.
    """
    validation = task.validation
    if validation.criteria:
        return tuple(validation.criteria)
    if validation.description:
        return (validation.description,)
    return () if validation.checks else (output_criterion(task.output),)


def output_criterion(output: plan_pb2.TaskOutput) -> str:
    """The criterion of a task that states none: that the output is what the plan says it is."""
    described = output.description.strip().rstrip(".") or "what the task asks for"
    return f"The output is: {described}. Format: {output.format}" if output.format else f"The output is: {described}."


def overall(results: list[CriterionResult]) -> execution_pb2.Outcome.ValueType:
    """One failure fails the whole; without one, anything that is not a pass leaves it undecided."""
    outcomes = {result.outcome for result in results}
    if FAIL in outcomes:
        return FAIL
    return PASS if outcomes == {PASS} else ERROR


def feedback_of(results: list[CriterionResult], outcome: execution_pb2.Outcome.ValueType) -> str:
    """The reasons of what stands in the way of a pass, one line each."""
    return "\n".join(f"{result.criterion}: {result.reason}" for result in results if result.outcome == outcome)


def judged_results(text: str, criteria: tuple[str, ...]) -> list[CriterionResult]:
    """The judge's answer as one result a criterion, in their order.

    Raises ModelFailure when the answer is not one verdict for each criterion.
    """
    try:
        verdicts = object_in(text).get("verdicts")
        by_number = _by_number(verdicts, len(criteria))
        return [_judged_result(criterion, by_number[n]) for n, criterion in enumerate(criteria, 1)]
    except ValueError as error:
        raise ModelFailure.transient(f"the judge's answer cannot be read: {error}") from error


def _by_number(verdicts: object, count: int) -> dict[int, dict[str, Any]]:
    if not isinstance(verdicts, list) or not all(isinstance(verdict, dict) for verdict in verdicts):
        raise ValueError('expected "verdicts" to be an array of objects')
    numbers = [str(verdict.get("criterion")) for verdict in verdicts]  # small models write "1" for 1
    if sorted(numbers) != sorted(map(str, range(1, count + 1))):
        raise ValueError(f"expected one verdict for each of the criteria 1 to {count}, but got them for {numbers}")
    return {int(number): verdict for number, verdict in zip(numbers, verdicts, strict=True)}


def _judged_result(criterion: str, verdict: dict[str, Any]) -> CriterionResult:
    stated = verdict.get("outcome")
    outcome = JUDGE_OUTCOMES.get(stated) if isinstance(stated, str) else None
    if outcome is None:
        raise ValueError(f"expected an outcome of {', '.join(JUDGE_OUTCOMES)}, but got {stated!r}")
    reason, evidence = str(verdict.get("reason") or ""), str(verdict.get("evidence") or "")
    if outcome != PASS and not reason:
        reason = "the judge gave no reason"
    told = f"{reason} (evidence: “{evidence}”)" if evidence else reason
    return CriterionResult(criterion=criterion, outcome=outcome, reason=told[:_MAX_REASON_CHARS])
