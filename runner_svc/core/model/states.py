"""The states of tasks and executions, and the table of what moves a task.

The numbers are those of execution.proto, so that crossing the border costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, unique
from types import MappingProxyType

from runner_svc.core.model import events


class _Labelled(IntEnum):
    @property
    def label(self) -> str:
        """Returns the name as people read it, such as "execution-failed"."""
        return self.name.lower().replace("_", "-")


@unique
class TaskStatus(_Labelled):
    UNDONE = 1  #: waits for dependencies, a worker, or a retry time; an assignment moves it
    DOING = 2  #: an executor holds a lease; its candidate, its failure or the loss of the lease moves it
    VALIDATING = 3  #: a candidate is stored; only a verdict moves it, a broken judge does not
    DONE = 4  #: signed off; only a rollback or a retry moves it
    EXECUTION_FAILED = 5  #: the executor failed; a scheduled retry moves it, or it is the end
    VALIDATION_FAILED = 6  #: the verdict was fail; a scheduled retry moves it, or it is the end


@unique
class ExecutionState(_Labelled):
    READY = 1  #: created, not started
    RUNNING = 2  #: tasks are assigned as they become ready
    PAUSED = 3  #: no new assignments; what runs goes on
    STOPPED = 4  #: leases were cancelled; a resume goes on from here
    SUCCEEDED = 5  #: every task is done
    FAILED = 6  #: a task failed for good and all else that could run has ended
    QUARANTINED = 7  #: the runner met a bug in it and leaves it alone; only a resume, which tries again, moves it

    @property
    def is_final(self) -> bool:
        """Tells whether only a retry of a task moves the execution."""
        return self in (ExecutionState.SUCCEEDED, ExecutionState.FAILED)

    @property
    def is_at_rest(self) -> bool:
        """Tells whether nothing happens in the execution until a client commands it."""
        return self.is_final or self in (ExecutionState.STOPPED, ExecutionState.QUARANTINED)


UNDONE, DOING, VALIDATING, DONE, EXECUTION_FAILED, VALIDATION_FAILED = TaskStatus

#: The events that may come in any status, and leave it as it is.
_ALWAYS = (events.OrphanStored, events.UsageRecorded)

_MOVES: Mapping[TaskStatus, Mapping[type[events.Event], TaskStatus]] = {
    UNDONE: {
        events.TaskAssigned: DOING,
        events.ArtifactKept: DONE,
        events.ArtifactReused: DONE,
        events.CandidateReused: VALIDATING,
        events.OrphanAdopted: VALIDATING,
        events.TaskFailed: EXECUTION_FAILED,
        events.TaskRetried: UNDONE,
    },
    DOING: {
        events.CandidateStored: VALIDATING,
        events.AttemptFailed: EXECUTION_FAILED,
        events.OutageMet: UNDONE,
        events.LeaseLost: UNDONE,
        events.LeaseReturned: UNDONE,
        events.CheckpointStored: DOING,
        events.PromptKept: DOING,
    },
    VALIDATING: {
        events.TaskAssigned: VALIDATING,
        events.VerdictPassed: DONE,
        events.PersonAsked: VALIDATING,
        events.VerdictFailed: VALIDATION_FAILED,
        events.JudgeFailed: VALIDATING,
        events.OutageMet: VALIDATING,
        events.CanaryJudged: VALIDATING,
        events.PromptKept: VALIDATING,
        events.LeaseLost: VALIDATING,
        events.LeaseReturned: VALIDATING,
        events.TaskRolledBack: UNDONE,
        events.TaskRetried: UNDONE,
    },
    DONE: {
        events.TaskRolledBack: UNDONE,
        events.TaskRetried: UNDONE,
    },
    EXECUTION_FAILED: {
        events.RetryScheduled: UNDONE,
        events.TaskFailed: EXECUTION_FAILED,
        events.TaskRolledBack: UNDONE,
        events.TaskRetried: UNDONE,
    },
    VALIDATION_FAILED: {
        events.RetryScheduled: UNDONE,
        events.TaskFailed: VALIDATION_FAILED,
        events.TaskRolledBack: UNDONE,
        events.TaskRetried: UNDONE,
    },
}

#: The next status of a task by its status and the event. A pair that is not listed is refused and changes nothing.
TRANSITIONS: Mapping[int, Mapping[type[events.Event], TaskStatus]] = MappingProxyType(
    {status: {**moves, **dict.fromkeys(_ALWAYS, status)} for status, moves in _MOVES.items()}
)
