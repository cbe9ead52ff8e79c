"""One execution: its state, as the fold of its journal.

`apply` is the only way anything here changes, live and at restart alike; so a replayed journal gives the live state.
The ready queues are an index over that state: they may hold entries that no longer count, which are dropped when they
are popped.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence

from runner_svc.core.fleet.outages import Away
from runner_svc.core.model import events
from runner_svc.core.model.map import Map, Place
from runner_svc.core.model.requirements import ANY_EXECUTOR, ANY_VALIDATOR, Requirement
from runner_svc.core.model.states import (
    DOING,
    DONE,
    TRANSITIONS,
    UNDONE,
    VALIDATING,
    ExecutionState,
    TaskStatus,
)
from runner_svc.core.model.usage import NOTHING, Totals, add, in_order
from runner_svc.core.model.values import (
    NO_TASK,
    WHOLE,
    AcceptedRequest,
    ExecutionId,
    ModelAt,
    OnFailure,
    Phase,
    Role,
    Settings,
)
from runner_svc.core.spending.budgets import NOTHING_KEPT, ledger_of
from runner_svc.core.spending.expectations import AttemptSize, size_of
from runner_svc.core.state import lifecycle
from runner_svc.core.state import task_record as records
from runner_svc.core.state.canaries import Canaries, together
from runner_svc.core.state.overview import Overview, Spending
from runner_svc.core.state.task_record import TaskRecord


class IllegalEvent(Exception):
    """A bug: an event that the table of transitions, or the order of the journal, does not allow."""


class Execution:
    """The state of one execution. Tasks are named by their numbers in the map."""

    def __init__(self, execution_id: ExecutionId, settings: Settings, plan: Map) -> None:
        self.id = execution_id
        self.map = plan
        self.settings = settings
        self.state = ExecutionState.READY
        self.reason = ""
        self.sequence = 0
        self.created_at = 0.0
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.active_since: float | None = None  #: its start or last resume
        self.outages: dict[ModelAt, Away] = {}  #: models that its tasks could not ask, and that have not answered since
        self.requests: list[AcceptedRequest] = []  #: commands about it that have a request id
        self.status = bytearray([UNDONE]) * plan.task_count
        self.records: MutableMapping[int, TaskRecord] = {}
        self.counts = [0, plan.task_count, 0, 0, 0, 0, 0]  # by TaskStatus
        #: of each task: how many of the nodes it waits for are not done
        self.waiting = plan.waits[:]
        #: of each node: how many nodes directly below it are not done
        self.unfinished = plan.member_counts[:]
        #: undone tasks that wait for nothing but a worker or a retry time
        self.ready_count = sum(map(len, plan.first.values()))
        self.failed: set[int] = set()  #: tasks that failed for good
        self.stuck: set[int] = set()  #: validating tasks whose judges keep breaking: they wait for a resume
        self.awaiting: set[int] = set()  #: validating tasks that wait for a person's verdict
        self.put_off: set[int] = set()  #: validating tasks whose judge has failed, until it is time to try again
        #: by role, then by what is wanted of a worker: heaps of (minus tail, task)
        self.queued: dict[Role, dict[Requirement, list[Place]]] = {
            Role.EXECUTOR: {wants: list(places) for wants, places in plan.first.items()},
            Role.VALIDATOR: {},
        }
        self.usage: Totals = {}  #: of all tasks
        self.currency = ""  #: that costs are counted in
        self.ledger = ledger_of(plan, settings.budget)  #: None: nothing has a budget
        self.canaries = Canaries()
        self.changed: set[int] = set()  #: tasks whose records are not in the last checkpoint
        #: are told of a task before it changes: who writes down a state of the execution while it goes on
        self.onlookers: list[Callable[[int], None]] = []

    @classmethod
    def created_by(cls, entry: events.Entry, plan: Map) -> Execution:
        """Returns an execution before its first event, which says its settings. Raises IllegalEvent for another one."""
        if not isinstance(entry.event, events.ExecutionCreated):
            raise IllegalEvent(f"{entry.execution}: expected ExecutionCreated first, but got {entry.event}")
        return cls(entry.execution, entry.event.settings, plan)

    def count_anew(self) -> None:
        """Derives everything that counts and queues from the statuses and the records, which somebody has put here."""
        for task, record in self.unfinished_records():
            self._index(task, self.task_status(task), record, 0.0)
        for task, status in enumerate(self.status):
            if status != UNDONE:
                self.counts[UNDONE] -= 1
                self.counts[status] += 1
            if status == DONE:
                self._finish(task)
        ready = [task for task, status in enumerate(self.status) if status == UNDONE and not self.waiting[task]]
        self.ready_count = len(ready)
        self.queued[Role.EXECUTOR].clear()
        self.enqueue_all(ready)
        for task, record in self.unfinished_records():
            if self.status[task] == VALIDATING and _is_free(record):
                self.enqueue(task)

    def overview(self) -> Overview:
        return Overview(
            id=self.id,
            plan_id=self.map.plan_id,
            map_digest=self.map.digest,
            idea=self.map.idea,
            settings=self.settings,
            state=self.state,
            reason=self.reason,
            sequence=self.sequence,
            created_at=self.created_at,
            started_at=self.started_at,
            ended_at=self.ended_at,
            active_since=self.active_since,
            outages=tuple(self.outages.values()),
            counts=tuple(self.counts),
            awaiting_person=len(self.awaiting),
            usage=in_order(self.usage),
            currency=self.currency,
            budgets=self._budgets(),
            largest=tuple(self.ledger.largest.items()) if self.ledger is not None else (),
            candidates=self.canaries.candidates,
            canaries_given=self.canaries.given,
            canaries=together(self.canaries.tallies.items()),
            requests=tuple(self.requests),
        )

    def _budgets(self) -> tuple[Spending, ...]:
        """The execution's first."""
        if self.ledger is None:
            return ()
        spent, kept = self.ledger.spent, self.ledger.kept
        return tuple(
            Spending(
                node=node,
                name="" if node == WHOLE else self.map.name(node),
                budget=self.ledger.limits[node],
                spent=spent.get(node, NOTHING),
                kept=kept.get(node, NOTHING_KEPT),
            )
            for node in sorted(self.ledger.limits)
        )

    def record(self, task: int) -> TaskRecord:
        """The record of a task; an empty one that is not kept when there is none."""
        return self.records.get(task) or TaskRecord()

    def unfinished_records(self) -> Iterator[tuple[int, TaskRecord]]:
        """Of the touched tasks that are not done: a done one has no lease, no retry time and has not given up."""
        return ((task, self.records[task]) for task in self.records if self.status[task] != DONE)

    def task_status(self, task: int) -> TaskStatus:
        return TaskStatus(self.status[task])

    @property
    def open_count(self) -> int:
        """Tasks that something will happen to: by itself, or once a person has looked at a candidate."""
        return self.ready_count + self.counts[DOING] + self.unjudged_count + len(self.awaiting)

    @property
    def unjudged_count(self) -> int:
        """Candidates that validators can judge, now or later, or are judging."""
        return self.counts[VALIDATING] - len(self.stuck) - len(self.awaiting)

    @property
    def backlog(self) -> int:
        """Candidates that validators can judge now, or are judging."""
        # guard: a judge that is to be tried later holds no other up -> return self.unjudged_count
        return self.unjudged_count - len(self.put_off)

    def retry(self, task: int, at: float) -> None:
        """Queues a task whose retry time has come, unless it has moved on meanwhile."""
        if self.status[task] not in (UNDONE, VALIDATING):
            return
        if self.record(task).retry_at <= at:
            self.put_off.discard(task)
        self.enqueue(task)

    def is_ready(self, task: int, at: float) -> bool:
        """Whether an executor may have the task now."""
        return (
            self.status[task] == UNDONE
            and not self.waiting[task]
            and (task not in self.records or self.records[task].retry_at <= at)
        )

    def is_unjudged(self, task: int, at: float) -> bool:
        """Whether a validator may have the task's candidate now."""
        if self.status[task] != VALIDATING:
            return False
        record = self.records[task]
        return _is_free(record) and record.retry_at <= at

    def enqueue(self, task: int) -> None:
        """Puts a task in its queue: it is ready, or its candidate is to be judged, or its retry time has come."""
        role = Role.VALIDATOR if self.status[task] == VALIDATING else Role.EXECUTOR
        queue = self.queued[role].setdefault(self.wants(task, role), [])
        heapq.heappush(queue, (-self.map.tails[task], task))

    def is_free(self, task: int, at: float) -> bool:
        """Whether any worker may have the task now."""
        return self.is_ready(task, at) or self.is_unjudged(task, at)

    def next_phase(self, task: int) -> Phase:
        """What is to be done with an open task."""
        return Phase.VALIDATE if self.status[task] == VALIDATING else Phase.EXECUTE

    def enqueue_all(self, tasks: Iterable[int]) -> None:
        """Those among them that are still to be done; the others have moved on meanwhile."""
        tails, more = self.map.tails, dict[tuple[Role, Requirement], list[Place]]()
        for task in tasks:
            if self.status[task] in (UNDONE, VALIDATING):
                role = Role.VALIDATOR if self.status[task] == VALIDATING else Role.EXECUTOR
                more.setdefault((role, self.wants(task, role)), []).append((-tails[task], task))
        for (role, wants), places in more.items():
            _push_all(self.queued[role].setdefault(wants, []), places)

    def may_have(self, task: int, role: Role, at: float) -> bool:
        """Whether a worker of a role may have the task now."""
        return self.is_ready(task, at) if role is Role.EXECUTOR else self.is_unjudged(task, at)

    # ------------------------------------------------------------ what a task's spec says

    def wants(self, task: int, role: Role) -> Requirement:
        """What a worker must have to be given the task's next phase."""
        terms = self.map.terms.get(task)
        if terms is None:
            return ANY_VALIDATOR if role is Role.VALIDATOR else ANY_EXECUTOR
        record = self.record(task)
        return terms.wants(role, record.failures, record.too_small)

    def is_outgrown(self, task: int) -> bool:
        """Whether no model is left that was not too small for the task."""
        return self.wants(task, Role.EXECUTOR).model in self.record(task).too_small

    def on_failure(self, task: int) -> OnFailure:
        """What becomes of the rest when the task fails for good."""
        # guard: a task says what its own failure does -> return self.settings.on_failure or OnFailure.CONTINUE
        return self.map.terms_of(task).on_failure or self.settings.on_failure or OnFailure.CONTINUE

    def max_failures(self, task: int) -> int:
        return self.map.terms_of(task).max_failures or self.settings.max_failures

    def run_timeout(self, task: int, phase: Phase) -> float:
        """Seconds; what a task's spec says of it is about executing alone."""
        own = self.map.terms_of(task).run_timeout if phase is Phase.EXECUTE else None
        return own or self.settings.run_timeout

    def outage_patience(self, task: int) -> float:
        """Seconds that a task waits for a model that is away; what its spec says is about executing alone."""
        own = self.map.terms_of(task).outage_patience if self.status[task] == UNDONE else None
        return self.settings.outage_patience if own is None else own

    def idle_timeout(self, task: int, phase: Phase) -> float:
        own = self.map.terms_of(task).idle_timeout if phase is Phase.EXECUTE else None
        return own or self.settings.idle_timeout

    # ------------------------------------------------------------ the fold

    def apply(self, entry: events.Entry) -> None:
        """Takes one event in. Raises IllegalEvent, with nothing changed, when it cannot come next."""
        event = entry.event
        if entry.sequence != self.sequence + 1:
            raise IllegalEvent(f"{self.id}: expected event {self.sequence + 1}, but got {entry.sequence}: {event}")
        to = None
        if event.task != NO_TASK:
            to = TRANSITIONS[self.status[event.task]].get(type(event))
            if to is None:
                status = self.task_status(event.task).label
                raise IllegalEvent(f"{self.id}: task {self.map.name(event.task)} is {status}: {event} cannot happen")
        self.sequence = entry.sequence
        if to is None:
            lifecycle.apply(self, event)
        else:
            self.changed.add(event.task)
            # guard: a task is written down before it changes -> if False:
            if self.onlookers:
                self.about_to_change(event.task)
            record = self.records.get(event.task)
            if record is None:
                record = self.records[event.task] = TaskRecord()
            if self.ledger is not None:
                self._learn(event, record)
            records.apply(record, event, self.settings)
            if event.task in self.map.canaries:
                self.canaries.apply(event)
            if isinstance(event, events.OutageMet):
                self.outages[event.away.model] = event.away
            if isinstance(event, events.UsageRecorded):
                add(self.usage, event.phase, event.model, event.usage)
                if self.ledger is not None:
                    self.ledger.spend(event.task, event.usage)
                return
            self._move(event.task, to, record, event.at)
            self._index(event.task, to, record, event.at)

    def _learn(self, event: events.Event, record: TaskRecord) -> None:
        """Has the ledger learn what an attempt costs that ends with the event, or whose provider has counted all."""
        lease = record.lease
        if self.ledger is None or lease is None or event.task == NO_TASK:
            return
        usage = record.cost_of(lease.id)
        if isinstance(event, events.UsageRecorded):
            usage += event.usage
            asks_a_model = self.wants(event.task, lease.phase.role).asks_a_model
            # guard: experience is not booked ahead -> is_over = event.lease == lease.id and asks_a_model
            is_over = event.lease == lease.id and usage.is_counted and asks_a_model
        else:
            is_over = isinstance(event, events.RESULTS) or (isinstance(event, events.FAULTS) and usage != NOTHING)
        if is_over and next(self.ledger.scopes(event.task), None) is not None:
            self.ledger.learn(self.size_of_attempt(event.task, lease.phase, lease.canary), usage)

    def size_of_attempt(self, task: int, phase: Phase, canary: int = 0) -> AttemptSize:
        """How large the task's next attempt is, or the one under way. `canary`: as in TaskAssigned."""
        return size_of(self.map, self.records, task, phase, self.wants(task, phase.role), canary)

    def about_to_change(self, task: int) -> None:
        for tell in self.onlookers:
            tell(task)

    def _index(self, task: int, status: TaskStatus, record: TaskRecord, at: float) -> None:
        if record.given_up:
            (self.stuck if status == VALIDATING else self.failed).add(task)
        else:
            self.stuck.discard(task)
            self.failed.discard(task)
        if record.awaits_person:
            self.awaiting.add(task)
        else:
            self.awaiting.discard(task)
        if status == VALIDATING and _is_free(record) and record.retry_at > at:
            self.put_off.add(task)
        else:
            self.put_off.discard(task)

    def _move(self, task: int, to: TaskStatus, record: TaskRecord, at: float) -> None:
        was = self.status[task]
        if was == to:
            if (to == VALIDATING and _is_free(record)) or (to == UNDONE and not self.waiting[task]):
                self.enqueue(task)
            return
        record.changed_at = at
        self.status[task] = to
        self.counts[was] -= 1
        self.counts[to] += 1
        if was == UNDONE and not self.waiting[task]:
            self.ready_count -= 1
        if was == DONE:
            self._reopen(task)
        if to == DONE:
            self._finish(task)
        elif to == VALIDATING:
            self.enqueue(task)
        elif to == UNDONE and not self.waiting[task]:
            self._became_ready(task)

    def _became_ready(self, task: int) -> None:
        self.ready_count += 1
        self.enqueue(task)

    def _finish(self, task: int) -> None:
        """A task is done: what waits for it waits for one node less, and the groups above may be done too."""
        for node in self.map.with_groups(task):
            if node != task:
                self.unfinished[node] -= 1
                if self.unfinished[node]:
                    return
            for waiter in self.map.waiters[node]:
                self.waiting[waiter] -= 1
                if not self.waiting[waiter] and self.status[waiter] == UNDONE:
                    self._became_ready(waiter)

    def _reopen(self, task: int) -> None:
        """Undoes what _finish did."""
        for node in self.map.with_groups(task):
            if node != task:
                self.unfinished[node] += 1
                if self.unfinished[node] != 1:
                    return
            for waiter in self.map.waiters[node]:
                if not self.waiting[waiter] and self.status[waiter] == UNDONE:
                    self.ready_count -= 1
                self.waiting[waiter] += 1


def _push_all(queue: list[Place], places: Sequence[Place]) -> None:
    """A hundred thousand at once are not pushed one by one, nor is a long queue ordered anew for a few."""
    if len(places) * 16 < len(queue):
        for place in places:
            heapq.heappush(queue, place)
    else:
        queue += places
        heapq.heapify(queue)


def _is_free(record: TaskRecord) -> bool:
    """Whether a candidate may be offered to validators."""
    return record.lease is None and not record.given_up and not record.awaits_person
