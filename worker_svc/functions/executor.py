"""A function of an app as an executor."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path

import structlog

from signoff.app import Function
from signoff.manifest.manifest import MANIFEST_TYPE
from signoff.service.logs import log_location
from signoff.v1 import execution_pb2
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Offer, Report, Result
from worker_svc.files.opening import FilesRefused
from worker_svc.files.outputs import manifest_of_outputs
from worker_svc.files.scratch import new_folder
from worker_svc.functions.calling import Callee
from worker_svc.functions.job import Broken, Made, Outcome, Written
from worker_svc.functions.jobs import job_for
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.functions.to_report import ReportLine
from worker_svc.gist import gist_of
from worker_svc.known_makers import code_of
from worker_svc.uncut import to_its_end

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
        if assignment.task.output.files:
            return await self._with_files(assignment, report)
        outcome = await self._outcome(assignment, report)
        if isinstance(outcome, Made):
            return CandidateResult(content=outcome.content, media_type=outcome.media_type, maker=self._maker)
        return self._failed(outcome, assignment)

    async def _outcome(self, assignment: Assignment, report: Report, outputs: Path | None = None) -> Outcome:
        job = await job_for(assignment, outputs)
        return job if isinstance(job, Broken) else await self._places.run(self._callee, job, ReportLine(report))

    async def _with_files(self, assignment: Assignment, report: Report) -> Result:
        """Makes a candidate of what the function writes into a folder, which is removed in any case."""
        try:
            folder = await asyncio.to_thread(new_folder)
        except OSError as error:
            problem = f"no folder for the files of {self._callee.name} can be made on this machine: {error}"
            return FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message=problem)
        try:
            outcome = await self._outcome(assignment, report, folder)
            if not isinstance(outcome, Written):
                return self._failed(outcome, assignment)
            content = await manifest_of_outputs(folder, assignment, report)
            return CandidateResult(content=content, media_type=MANIFEST_TYPE, maker=self._maker)
        except FilesRefused as problem:
            message, gist = f"the files of {self._callee.name}: {problem}", gist_of("files", str(problem))
            return FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message=message, gist=gist)
        except OSError as error:
            message = f"the files of {self._callee.name} could not be read: {error}"
            return FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message=message)
        finally:
            await to_its_end(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    def _failed(self, outcome: Outcome, assignment: Assignment) -> FailureResult:
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
