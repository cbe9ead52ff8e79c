"""Executions that cannot be built from what is stored, and what is still known of them.

The journal of each is left as it is. Its request ids count on, so that a command which is repeated later still counts
once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import structlog

from runner_svc.codec.checkpoints import overview_from_proto
from runner_svc.codec.journal.rows import RowDamaged, event_of
from runner_svc.codec.times import seconds_of
from runner_svc.core.decide.turn import State
from runner_svc.core.model.values import AcceptedRequest, ExecutionId
from runner_svc.core.state.overview import Overview
from runner_svc.core.state.quarantine import unreadable
from runner_svc.store.port import Listed, Row
from signoff.v1 import checkpoint_pb2

log = structlog.get_logger(__name__)


def restore_pruned(state: State, bodies: Iterable[bytes]) -> None:
    """Takes in the executions that were pruned to their artifacts. They have no journal to be built from."""
    for body in bodies:
        try:
            overview = overview_from_proto(checkpoint_pb2.ExecutionCheckpoint.FromString(body))
        except Exception as error:  # noqa: BLE001 - any bug: the others are still good
            log.error("checkpoint_unreadable", error=str(error))
        else:
            if overview.pruned_at is not None:
                state.restore(overview)


def overview_of_damaged(state: State, execution: ExecutionId, row: Row, listed: Listed | None) -> Overview:
    """Returns the overview of an execution that has thrown at a row, as far as it is known.

    `listed`: its row in the index, which tells what its journal may not.
    """
    known = state.executions.get(execution) or state.archived.get(execution)
    try:
        if known is not None:
            return replace(known if isinstance(known, Overview) else known.overview(), sequence=row.sequence)
        event = event_of(row)
    except Exception as error:  # noqa: BLE001 - any bug: then little more than its id is known
        log.error("execution_unreadable", execution=execution, error=str(error))
        return overview_of_listed(execution, listed, row.sequence)
    created = event.execution_created
    if not created.plan_id:  # the row that tells the plan is missing
        return overview_of_listed(execution, listed, row.sequence)
    return unreadable(execution, created.plan_id, created.map_digest, seconds_of(event.at), row.sequence)


def overview_of_listed(execution: ExecutionId, listed: Listed | None, sequence: int) -> Overview:
    """Returns the overview of an execution of which only its row in the index is known, if that is."""
    # guard: the index tells the plan -> if True:
    if listed is None:
        return unreadable(execution, "", "", 0.0, sequence)
    return unreadable(execution, listed.plan_id, "", listed.created_at, sequence)


def pass_over(state: State, row: Row) -> None:
    """Counts a row of a quarantined execution, and keeps its request id."""
    execution = ExecutionId(row.journal)
    state.quarantined[execution] = replace(state.quarantined[execution], sequence=row.sequence)
    keep_request_of(state, row)


def keep_request_of(state: State, row: Row) -> None:
    """Keeps the request id of a row that is not applied: its command still counts once."""
    try:
        message = event_of(row)
    except RowDamaged:
        return  # the execution is in quarantine for it; nothing is known of this row
    kind = message.WhichOneof("kind")
    request_id = getattr(getattr(message, kind), "request_id", "") if kind is not None else ""
    if request_id:
        accepted = AcceptedRequest(id=request_id, execution=ExecutionId(row.journal))
        state.requests.setdefault(request_id, accepted)


def reason_of(error: Exception) -> str:
    """Returns the reason for a quarantine."""
    told = str(error) if isinstance(error, RowDamaged) else f"{type(error).__name__}: {error}"
    return f"its journal could not be read: {told}"


def log_bug(execution: ExecutionId, sequence: int, error: Exception) -> None:
    """Logs what an execution threw when its journal was read, with where."""
    whose = execution or "the runner's own"
    if isinstance(error, RowDamaged):  # no bug of ours, and told in a line
        log.error("journal_damaged", execution=whose, sequence=sequence, error=str(error))
    else:
        log.error("bug_in_replay", execution=whose, sequence=sequence, exc_info=error)
