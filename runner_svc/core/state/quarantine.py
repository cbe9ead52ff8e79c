"""Quarantine: the runner leaves an execution alone because it met a bug in it. All others go on.

An execution is quarantined when it throws while its journal is replayed, when it throws as time passes or as work is
given out, and when messages of two workers about it threw. Its journal and its overview stay as they are.
`ResumeExecution` builds it anew and tries again; so does a restart of the runner.
"""

from __future__ import annotations

from dataclasses import replace

from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.values import ExecutionId, Settings
from runner_svc.core.state.overview import Overview
from signoff.errors import ExecutionQuarantined

MOST_REASON = 500  # characters


def quarantined(overview: Overview, why: str) -> Overview:
    """Returns the overview of an execution in quarantine, with the reason."""
    reason = why if len(why) <= MOST_REASON else f"{why[:MOST_REASON]}…"
    return replace(overview, state=ExecutionState.QUARANTINED, reason=reason)


def unreadable(execution: ExecutionId, plan_id: str, map_digest: str, created_at: float, sequence: int) -> Overview:
    """Returns the overview of an execution when little more than its id is known."""
    return Overview(
        id=execution,
        plan_id=plan_id,
        map_digest=map_digest,
        idea="",
        settings=Settings(),
        state=ExecutionState.QUARANTINED,
        reason="",
        sequence=sequence,
        created_at=created_at,
        started_at=None,
        ended_at=None,
        active_since=None,
        outages=(),
        counts=(0,) * 7,
        awaiting_person=0,
        usage=(),
        currency="",
        budgets=(),
        largest=(),
        candidates=0,
        canaries_given=0,
        canaries=(),
        requests=(),
    )


def refusal(overview: Overview) -> ExecutionQuarantined:
    """Returns the error that answers every request about a quarantined execution except a resume."""
    return ExecutionQuarantined(
        f"expected an execution that the runner can work on, but {overview.id} of {overview.plan_id} is quarantined: "
        f"{overview.reason}; resume it to try again"
    )
