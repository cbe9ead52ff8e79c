"""An oracle of a task's tries: what each may be told and lead to, by the rows before, without the code it checks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from runner_svc.core.model import events
from runner_svc.core.model.values import ExecutionId, FailureKind, LeaseId, OnFailure, Phase, RollbackScope, Settings
from signoff.v1 import execution_pb2, worker_pb2
from tests.simulation.players.models import LARGER

Key = tuple[ExecutionId, int]
SHOWN = 9  # lines of earlier attempts


@dataclass(slots=True)
class Tried:
    """The tries of a task so far."""

    reasons: list[str] = field(default_factory=list)
    too_small: set[str] = field(default_factory=set)  #: models
    fingerprint: str = ""
    is_alike: bool = False  #: the last try failed as the one before it
    is_outgrown: bool = False  #: the last try failed because its model was too small, and brought no candidate
    is_given_up: bool = False

    def forget(self) -> None:
        self.reasons, self.too_small, self.fingerprint = [], set(), ""


class Tries:
    """The oracle. It raises AssertionError for the first row, or message to a worker, that breaks a promise."""

    def __init__(self) -> None:
        self._settings: dict[ExecutionId, Settings] = {}
        self._tried: defaultdict[Key, Tried] = defaultdict(Tried)
        self._stopped: set[ExecutionId] = set()  # by a task that failed for good
        self._told: dict[LeaseId, tuple[list[str], set[str]]] = {}  # what was known when it was given out

    def enter(self, execution: ExecutionId, event: events.Event) -> None:
        if isinstance(event, events.ExecutionCreated):
            self._settings[execution] = event.settings
        elif isinstance(event, events.ExecutionResumed):
            self._stopped.discard(execution)
        elif isinstance(event, events.TaskAssigned):
            self._assigned(execution, event)
        else:
            self._moved(execution, self._tried[execution, event.task], event)

    def _assigned(self, execution: ExecutionId, event: events.TaskAssigned) -> None:
        assert execution not in self._stopped, f"a task failed for good and all was to stop: {event}"
        if event.phase is Phase.EXECUTE:
            tried = self._tried[execution, event.task]
            self._told[event.lease] = (list(tried.reasons), set(tried.too_small))

    def _moved(self, execution: ExecutionId, tried: Tried, event: events.Event) -> None:
        if isinstance(event, events.AttemptFailed):
            tried.reasons.append(event.message)
            tried.is_alike = event.fingerprint != "" and event.fingerprint == tried.fingerprint
            tried.fingerprint = event.fingerprint
            tried.is_outgrown = event.kind is FailureKind.TOO_SMALL
            if event.kind is FailureKind.TOO_SMALL:
                tried.too_small.add(event.model)
        elif isinstance(event, events.VerdictFailed):
            tried.reasons.append(event.feedback)
        elif isinstance(event, events.CandidateStored | events.OrphanAdopted):
            tried.fingerprint, tried.is_alike, tried.is_outgrown = "", False, False
        elif isinstance(event, events.RetryScheduled):
            assert not tried.is_alike, f"it failed in the same way twice, and is tried again: {event}"
        elif isinstance(event, events.TaskFailed):
            assert not tried.is_outgrown or LARGER in tried.too_small, f"a larger model was left to ask: {event}"
            tried.is_given_up = True
            if self._settings[execution].on_failure is OnFailure.STOP:
                self._stopped.add(execution)
        elif isinstance(event, events.VerdictPassed):
            tried.forget()
        elif isinstance(event, events.TaskRolledBack | events.TaskRetried):
            self._began_anew(execution, tried, event)

    def _began_anew(
        self, execution: ExecutionId, tried: Tried, event: events.TaskRolledBack | events.TaskRetried
    ) -> None:
        tried.is_alike = False
        if isinstance(event, events.TaskRetried):
            reasons = tried.reasons if tried.is_given_up else []
            tried.forget()
            tried.reasons, tried.is_given_up = reasons, False
        elif event.cause != event.task:
            tried.forget()
        elif self._settings[execution].rollback_scope is RollbackScope.PRODUCERS:
            tried.too_small.clear()

    def heard(self, assign: worker_pb2.Assign) -> None:
        """Checks that an executor is told every earlier try, and is not asked for a model that was too small."""
        if assign.phase != execution_pb2.PHASE_EXECUTE:
            return
        reasons, too_small = self._told[LeaseId(assign.lease_id)]
        assert assign.model not in too_small, f"{assign.model} is asked again, though it was too small"
        assert assign.HasField("feedback") == bool(reasons)
        if not reasons:
            return
        assert assign.feedback.summary == reasons[-1]
        earlier = [line.partition(": ")[2] for line in assign.feedback.earlier if line.startswith("attempt ")]
        expected = [reason or "no reason was given" for reason in reasons[:-1]]
        assert earlier == expected[-SHOWN:], f"expected to be told of {expected}, but got {earlier}"
