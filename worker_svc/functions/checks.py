"""Functions of an app as checks of a candidate, and their influence on a validator's verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from signoff.service.logs import log_location
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.assignment import Assignment, Handler, Offer, Report, Result, VerdictResult
from worker_svc.functions.calling import Callee
from worker_svc.functions.executor import log_failure
from worker_svc.functions.job import Broken, Judged
from worker_svc.functions.jobs import job_for
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.functions.to_report import CallCosts, ReportLine
from worker_svc.link.codec import plain

CriterionResult = execution_pb2.CriterionResult
Outcome: TypeAlias = execution_pb2.Outcome.ValueType


@dataclass(slots=True)
class CallNotes:
    """Notes about the function calls under one lease, beside their results."""

    costs: CallCosts = field(default_factory=CallCosts)
    is_hopeless: bool = False  #: a function said that another attempt makes no sense


class FunctionChecks:
    """An assignment.CheckRunner for checks of the kind `function`."""

    def __init__(self, validators: Mapping[str, Callee], places: CallPlaces) -> None:
        self._validators = validators
        self._places = places
        self._notes: dict[str, CallNotes] = {}

    async def __call__(self, check: plan_pb2.Check, assignment: Assignment, report: Report) -> CriterionResult:
        name = check.function.name
        callee = self._validators.get(name)
        if callee is None:
            offered = ", ".join(self._validators) or "none"
            reason = f"expected one of this validator's functions ({offered}), but got {name}"
            return _result(name, execution_pb2.OUTCOME_ERROR, reason)
        notes = self._notes.get(assignment.lease_id, CallNotes())
        job, line = await job_for(assignment), ReportLine(report, notes.costs)
        outcome = job if isinstance(job, Broken) else await self._places.run(callee, job, line)
        match outcome:
            case Judged():
                notes.is_hopeless |= not (outcome.is_pass or outcome.retry)
                return _result(name, _outcome(outcome), "" if outcome.is_pass else outcome.reason or f"{name} says no")
            case Broken():
                log_failure(outcome, callee, assignment)
                return _result(name, execution_pb2.OUTCOME_ERROR, outcome.message_with(log_location()))
        raise TypeError(f"expected a judgement of {name}, but got {outcome}")

    async def close(self) -> None:
        await self._places.close()

    def begin(self, lease_id: str) -> CallNotes:
        """Keeps notes about this lease until `end`."""
        return self._notes.setdefault(lease_id, CallNotes())

    def end(self, lease_id: str) -> None:
        self._notes.pop(lease_id, None)


class FinalFailureAware:
    """Wraps a validator: when a function says that another attempt makes no sense, so does the verdict."""

    def __init__(self, validator: Handler, checks: FunctionChecks) -> None:
        self._validator = validator
        self._checks = checks

    @property
    def offer(self) -> Offer:
        return self._validator.offer

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        notes = self._checks.begin(assignment.lease_id)
        try:
            result = await self._validator(assignment, report)
        finally:
            self._checks.end(assignment.lease_id)
        if notes.is_hopeless and isinstance(result, VerdictResult) and result.outcome == execution_pb2.OUTCOME_FAIL:
            return replace(result, retry_worthwhile=False)
        return result

    async def close(self) -> None:
        await self._validator.close()
        await self._checks.close()


def _outcome(judged: Judged) -> Outcome:
    return execution_pb2.OUTCOME_PASS if judged.is_pass else execution_pb2.OUTCOME_FAIL


def _result(name: str, outcome: Outcome, reason: str) -> CriterionResult:
    criterion = f"passes the function {name}"
    return CriterionResult(criterion=criterion, outcome=outcome, reason=plain(reason), deterministic=True)
