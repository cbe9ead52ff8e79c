"""A function of an app as an executor."""

from __future__ import annotations

import hashlib

import structlog

from signoff.app import Function
from signoff.service.logs import log_location
from signoff.v1 import execution_pb2
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Offer, Report, Result
from worker_svc.functions.calling import Callee
from worker_svc.functions.job import Broken, Made
from worker_svc.functions.jobs import job_for
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.functions.to_report import ReportLine
from worker_svc.known_makers import code_of

log = structlog.get_logger(__name__)

MOST_VERSION_CHARS = 64


class FunctionExecutor:
    """An assignment.Handler that calls one function."""

    def __init__(self, callee: Callee, places: CallPlaces) -> None:
        self._callee = callee
        self._places = places
        self._maker = maker_of(callee.function)

    @property
    def offer(self) -> Offer:
        known = code_of(self._callee.name, self._maker, version_of(self._callee.function))
        return Offer(handlers=(self._callee.name,), makers=(self._maker,), known_makers=(known,))

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        job = await job_for(assignment)
        outcome = job if isinstance(job, Broken) else await self._places.run(self._callee, job, ReportLine(report))
        if isinstance(outcome, Made):
            return CandidateResult(content=outcome.content, media_type=outcome.media_type, maker=self._maker)
        if not isinstance(outcome, Broken):
            raise TypeError(f"expected a candidate of {self._callee.name}, but got {outcome}")
        log_failure(outcome, self._callee, assignment)
        return FailureResult(
            kind=execution_pb2.FAILURE_KIND_PERMANENT if outcome.is_permanent else execution_pb2.FAILURE_KIND_TRANSIENT,
            message=outcome.message_with(log_location()),
            retry_after=outcome.retry_after,
            gist=outcome.gist,
        )

    async def close(self) -> None:
        await self._places.close()


def maker_of(function: Function) -> str:
    """Returns the SHA-256 in hex of a function's name and version: the maker of its candidates."""
    return hashlib.sha256("\x00".join(("function", function.name, function.version)).encode()).hexdigest()


def version_of(function: Function) -> str:
    """Returns the version of a function that a runner compares: as its app has it, or the digest of a long one."""
    if len(function.version) <= MOST_VERSION_CHARS:
        return function.version
    return hashlib.sha256(function.version.encode()).hexdigest()


def log_failure(broken: Broken, callee: Callee, assignment: Assignment) -> None:
    """Logs a failure with its traceback, which is not sent; the message that is sent names the log."""
    more = {"exception": broken.traceback.rstrip()} if broken.traceback else {}
    log.warning(
        "function_failed",
        function=callee.name,
        task=assignment.task.task_id,
        lease=assignment.lease_id,
        problem=broken.message,
        **more,
    )
