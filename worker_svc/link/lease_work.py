"""The work under one lease: fetches the inputs, calls the handler, and makes a result of any failure."""

from __future__ import annotations

from contextlib import AsyncExitStack

import structlog

from signoff.errors import SignoffError, StaleLease
from signoff.v1 import execution_pb2, worker_pb2
from worker_svc.assignment import (
    Assignment,
    Bytes,
    Handler,
    LeaseEnded,
    Result,
    no_result,
    result_of_bug,
)
from worker_svc.link.codec import Fetch, assignment_from_proto
from worker_svc.link.held_lease import HeldLease
from worker_svc.link.input_files import has_files, with_files

log = structlog.get_logger(__name__)


async def result_of(held: HeldLease, handler: Handler) -> Result | None:
    """Returns the result of the work; None: the runner has taken the lease back, and expects none."""
    try:
        return await _worked(held, handler)
    except LeaseEnded:
        log.info("lease_stale", lease=held.lease_id)
        return None
    except Exception as error:
        log.error("handler_failed", lease=held.lease_id, exc_info=error)
        # guard: a lease ends with a result whatever happens -> raise
        return result_of_bug(held.assign.phase, error)


async def _worked(held: HeldLease, handler: Handler) -> Result | None:
    phase = held.assign.phase
    try:
        assignment = await assignment_from_proto(held.assign, _fetch_with_progress(held))
    except StaleLease:
        log.info("lease_stale", lease=held.lease_id)
        # guard: stale lease of an input -> return no_result(phase, execution_pb2.FAILURE_KIND_TRANSIENT, "stale")
        return None
    except SignoffError as error:
        log.warning("input_not_fetched", lease=held.lease_id, problem=str(error))
        problem = f"an input could not be fetched: {error}"
        return no_result(phase, execution_pb2.FAILURE_KIND_TRANSIENT, problem)
    if has_files(assignment):
        return await _with_its_files(assignment, held, handler)
    return await _handle(assignment, held, handler)


async def _with_its_files(assignment: Assignment, held: HeldLease, handler: Handler) -> Result | None:
    """Handles the work while the files of its inputs lie on the disk."""
    async with AsyncExitStack() as files:
        try:
            whole = await files.enter_async_context(
                with_files(assignment, held.files.files(), lambda: held.report.tokens(0))
            )
        except StaleLease:
            log.info("lease_stale", lease=held.lease_id)
            return None
        except SignoffError as error:
            log.warning("files_not_fetched", lease=held.lease_id, problem=str(error))
            problem = f"the files of an input could not be fetched: {error}"
            return no_result(assignment.phase, execution_pb2.FAILURE_KIND_TRANSIENT, problem)
        return await _handle(whole, held, handler)


def _fetch_with_progress(held: HeldLease) -> Fetch:
    """Reports each input that has come: to fetch many takes longer than a runner waits for a sign of progress."""

    fetch_one: Fetch | None = None

    async def fetch(artifact: worker_pb2.InputArtifact) -> Bytes:
        nonlocal fetch_one
        fetch_one = fetch_one or held.files.inputs()  # once, for all share a channel; most work fetches nothing
        content = await fetch_one(artifact)
        held.report.tokens(0)
        return content

    return fetch


async def _handle(assignment: Assignment, held: HeldLease, handler: Handler) -> Result:
    result = await handler(assignment, held.report)
    if not isinstance(result, Result):
        raise TypeError(f"expected the handler to return a Result, but got {type(result).__name__}")
    return result
