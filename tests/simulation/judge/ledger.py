"""An oracle of the journal: what each row may say after the rows before it. It shares no code with what it checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import (
    NO_TASK,
    RUNNER,
    ExecutionId,
    FailureKind,
    LeaseId,
    Outcome,
    Phase,
    VerdictBy,
    WorkerName,
)
from tests.simulation.judge.asked import Asked
from tests.simulation.judge.kept import Kept
from tests.simulation.players import liar
from tests.simulation.players.models import ESTIMATED
from tests.simulation.scenario import PERSON
from tests.simulation.tries import Tries

_RESULTS = (
    events.CandidateStored,
    events.AttemptFailed,
    events.VerdictPassed,
    events.VerdictFailed,
    events.JudgeFailed,
    events.OutageMet,
    events.CanaryJudged,
    events.PersonAsked,
)
_AWAY = (FailureKind.OUTAGE, FailureKind.RATE_LIMITED, FailureKind.BUDGET)
_MET_BEFORE = 5  # outages that a task was the first to meet; one more is its own failure
_CANDIDATES = (events.CandidateStored, events.CandidateReused, events.OrphanAdopted)
_MADE = (events.CandidateStored, events.VerdictPassed, events.VerdictFailed)
_ENDS = (*_RESULTS, events.LeaseLost, events.LeaseReturned)


class Ledger:
    """The oracle. It raises AssertionError for the first row that breaks a promise."""

    def __init__(self, plans: Sequence[Map], *, lossy: bool) -> None:
        self.settled: set[LeaseId] = set()  #: leases whose results are in the journal
        self.tries = Tries()
        self._plan = plans[0]  # all editions have the same tasks, which wait for the same
        self._kept = Kept(plans)
        self._asked = Asked(plans[0])
        self._lossy = lossy
        self._requests: set[str] = set()
        self._workers: dict[LeaseId, WorkerName] = {}
        self._held: dict[tuple[ExecutionId, int], LeaseId] = {}
        self._done: defaultdict[ExecutionId, set[int]] = defaultdict(set)
        self.said: defaultdict[LeaseId, list[int]] = defaultdict(list)  #: tokens that its worker has reported, in order
        self._spent: Counter[tuple[LeaseId, str]] = Counter()  # tokens, by lease and model
        self._told: set[LeaseId] = set()  # whose workers have been heard
        self._booked: dict[tuple[LeaseId, str], int] = {}  # tokens, of workers that had said nothing
        self._commits: set[tuple[object, ...]] = set()
        self._met: Counter[tuple[ExecutionId, int]] = Counter()
        self._candidates: Counter[ExecutionId] = Counter()
        self._canaries: Counter[ExecutionId] = Counter()

    @staticmethod
    def read(body: bytes, event: events.Event) -> None:
        """Checks that no forged result is in the journal, but as an orphan."""
        if not isinstance(event, events.OrphanStored):
            assert not any(mark in body for mark in liar.MARKS), f"forged, and in the journal: {event}"

    def enter(self, entry: events.Entry) -> None:
        event = entry.event
        self._request(getattr(event, "request_id", ""))
        if entry.execution != RUNNER:
            self.tries.enter(entry.execution, event)
            self._kept.enter(entry.execution, event)
            self._asked.enter(entry.execution, event, self._done[entry.execution])
        if entry.execution == RUNNER or event.task == NO_TASK:
            return
        if isinstance(event, events.TaskAssigned):
            self._assigned(entry.execution, event)
            self._workers[event.lease] = event.worker
        elif isinstance(event, _ENDS) and not _is_persons(event):
            self._ended(entry.execution, event.task, event.lease)
        if isinstance(event, events.UsageRecorded):
            self._cost(event)
        if isinstance(event, _MADE) and not (self._lossy or _is_persons(event)):
            spent, said = self._spent_under(event.lease), self.said[event.lease][-1:] or [0]
            assert spent == said[0], f"{event} came before all that it cost: {spent} of {said[0]} tokens are recorded"
        if isinstance(event, (*_RESULTS, events.OrphanAdopted)):
            self.settled.add(event.lease)
        self._outage(entry.execution, event)
        self._canary(entry.execution, event)
        self._commit(entry.execution, event)
        self._move(entry.execution, event)

    def _request(self, request_id: str) -> None:
        """Checks that a command counts once, however often it is repeated."""
        assert not request_id or request_id not in self._requests, f"{request_id} counted twice"
        self._requests.add(request_id)

    def _assigned(self, execution: ExecutionId, event: events.TaskAssigned) -> None:
        """Checks that a task has one lease at a time, and all its dependencies are done."""
        assert (execution, event.task) not in self._held, f"{event} though {self._held[execution, event.task]} is out"
        self._held[execution, event.task] = event.lease
        if event.phase is Phase.EXECUTE:
            missing = set(self._plan.producers(event.task)) - self._done[execution]
            assert not missing, f"{self._plan.name(event.task)} was assigned before {missing} were done"

    def _cost(self, event: events.UsageRecorded) -> None:
        """Checks that a lease's usage is what its worker reported at some time; before, that it is the prompt's."""
        key = (event.lease, event.model)
        self._spent[key] += event.usage.tokens
        said = self.said[event.lease]
        if not event.usage.requests and key not in self._booked and self._spent_under(event.lease) > ESTIMATED:
            assert not said or event.lease not in self._told, f"booked beside what was said: {event}"
            self._booked[key] = self._spent[key]
        if event.usage.requests:
            self._told.add(event.lease)
        known = {0, self._booked.get(key, 0), *said}
        assert self._spent[key] in known, f"expected one of {known} tokens, but {event} makes them {self._spent[key]}"

    def _spent_under(self, lease: LeaseId) -> int:
        return sum(tokens for (of, _), tokens in self._spent.items() if of == lease)

    def end(self) -> None:
        """Checks that the estimates of workers that have reported in the end are gone."""
        for (lease, model), tokens in self._booked.items():
            if lease in self._told:
                assert self._spent_under(lease) in self.said[lease], f"{tokens} tokens of {lease} to {model} are left"

    def _ended(self, execution: ExecutionId, task: int, lease: LeaseId) -> None:
        """Checks that only the lease that is held ends, or brings a result."""
        held = self._held.pop((execution, task), None)
        assert held == lease, f"a result under {lease} though {held} is held"

    def _outage(self, execution: ExecutionId, event: events.Event) -> None:
        """Checks that an outage is no failure of a task, unless the model answers others meanwhile."""
        key = (execution, event.task)
        if isinstance(event, events.OutageMet):
            self._met[key] += event.away.tries == 1
        elif isinstance(event, events.AttemptFailed) and event.kind in _AWAY:
            assert self._met[key] >= _MET_BEFORE, f"a model was away, and it counts as a failure: {event}"
        if isinstance(event, _RESULTS) and not isinstance(event, events.OutageMet | events.CanaryJudged):
            self._met[key] = 0

    def _canary(self, execution: ExecutionId, event: events.Event) -> None:
        """Checks that there are never more canaries than candidates."""
        self._candidates[execution] += isinstance(event, _CANDIDATES)
        self._canaries[execution] += isinstance(event, events.TaskAssigned) and event.canary > 0
        assert self._canaries[execution] <= self._candidates[execution], f"one canary too many: {event}"

    def _commit(self, execution: ExecutionId, event: events.Event) -> None:
        """Checks that an attempt has at most one candidate and one verdict, which does not contradict itself."""
        if isinstance(event, _CANDIDATES):
            commit: tuple[object, ...] = (execution, event.task, event.content.attempt, "candidate")
        elif isinstance(event, events.VerdictPassed | events.VerdictFailed):
            commit = (execution, event.task, event.attempt, "verdict")
        else:
            return
        assert commit not in self._commits, f"twice: {commit}"
        self._commits.add(commit)
        if isinstance(event, events.VerdictPassed):
            assert all(result.outcome is Outcome.PASS for result in event.results)
            told = any(result.criterion_number or result.check_number for result in event.results)
            assert told or not event.lease, f"passed without a word by {event.lease}"  # a person's has no lease
        if isinstance(event, events.VerdictPassed | events.VerdictFailed):
            self._named(event)

    def _named(self, event: events.VerdictPassed | events.VerdictFailed) -> None:
        """Checks that a verdict names its giver, and that a task that asks for a person is signed off by one."""
        by = VerdictBy(PERSON, is_person=True) if _is_persons(event) else VerdictBy(self._workers[event.lease], False)
        assert event.by == by, f"expected a verdict of {by}, but got {event}"
        is_asked = self._plan.requirements_of(event.task).human
        assert is_asked or not by.is_person, f"no person was asked: {event}"
        if is_asked and isinstance(event, events.VerdictPassed):
            assert by.is_person, f"no person has passed it: {event}"

    def _move(self, execution: ExecutionId, event: events.Event) -> None:
        if isinstance(event, events.VerdictPassed | events.ArtifactKept | events.ArtifactReused):
            self._done[execution].add(event.task)
        elif isinstance(event, events.TaskRolledBack | events.TaskRetried):
            self._done[execution].discard(event.task)


def _is_persons(event: events.Event) -> bool:
    """Tells whether it is a person's verdict, which comes by a command."""
    return isinstance(event, events.VerdictPassed | events.VerdictFailed) and not event.lease
