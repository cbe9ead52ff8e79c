"""The state of one execution, as the fold of its journal.

Only `fold.apply` changes it, live and at a restart alike, so a replayed journal gives the live state. The agenda and
the followed changes belong to the running runner, and are kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence

from runner_svc.core.model.inputs import GivenInput, digest_of
from runner_svc.core.model.map import Map, Place
from runner_svc.core.model.requirements import ANY_EXECUTOR, ANY_VALIDATOR, Requirement
from runner_svc.core.model.selection import wanted_tasks
from runner_svc.core.model.states import (
    DOING,
    DONE,
    UNDONE,
    VALIDATING,
    ExecutionState,
    TaskStatus,
)
from runner_svc.core.model.tallies import sum_tallies
from runner_svc.core.model.usage import NOTHING, Totals, in_order
from runner_svc.core.model.values import (
    WHOLE,
    AcceptedRequest,
    Away,
    ExecutionId,
    ModelAt,
    OnFailure,
    Phase,
    Role,
    Settings,
)
from runner_svc.core.spending.budgets import Ledger, ledger_of
from runner_svc.core.spending.commitments import NOTHING_KEPT, Commitments
from runner_svc.core.spending.expectations import AttemptSize, size_of
from runner_svc.core.state.agenda import Agenda
from runner_svc.core.state.canaries import Canaries
from runner_svc.core.state.changes import Changes
from runner_svc.core.state.overview import Overview, Spending
from runner_svc.core.state.task_record import TaskRecord


class Execution:
    """The state of one execution. Tasks are named by their numbers in the map."""

    def __init__(
        self, execution_id: ExecutionId, settings: Settings, plan: Map, inputs: tuple[GivenInput, ...] = ()
    ) -> None:
        self.id = execution_id
        self.inputs, self.inputs_digest = inputs, digest_of(inputs)  #: of the plan
        self.map = plan = plan.bound(inputs)
        self.settings = settings
        self.state = ExecutionState.READY
        self.reason = ""
        self.sequence = 0
        self.created_at = 0.0
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.active_since: float | None = None  #: its start or last resume
        self.pruned_at: float | None = None  #: when it was pruned to its artifacts; it has no journal since
        self.outages: dict[ModelAt, Away] = {}  #: models its tasks could not ask and that have not answered since
        self.requests: list[AcceptedRequest] = []  #: commands about it that have a request id
        self.status = bytearray([UNDONE]) * plan.task_count
        self.records: MutableMapping[int, TaskRecord] = {}
        self.counts = [0, plan.task_count, 0, 0, 0, 0, 0]  # by TaskStatus
        #: by task: how many of the nodes it waits for are not done
        self.waiting = plan.waits[:]
        #: the tasks that it is asked for; None: all
        self.wanted = wanted_tasks(plan, settings)
        #: by node: how many nodes directly below it are not done
        self.unfinished = plan.member_counts[:]
        #: undone tasks that wait only for a worker or a retry time
        self.ready_count = sum(map(len, self.first.values()))
        self.failed: set[int] = set()  #: tasks that failed for good
        self.stuck: set[int] = set()  #: validating tasks whose judges keep breaking: they wait for a resume
        self.awaiting: set[int] = set()  #: validating tasks that wait for a person's verdict
        self.agenda = Agenda(self)
        self.usage: Totals = {}  #: of all tasks
        self.currency = ""  #: that costs are counted in
        self.ledger: Ledger | None = None  #: None: nothing has a budget
        self.set_ledger(ledger_of(plan, settings.budget))
        self.canaries = Canaries()
        self.changes = Changes()

    def set_ledger(self, ledger: Ledger | None) -> None:
        """Gives the execution its budgets; nothing is committed of them yet."""
        self.ledger = ledger
        self.agenda.commitments = Commitments(ledger) if ledger is not None else None

    def overview(self) -> Overview:
        not_asked = self.map.task_count - self.wanted_count
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
            counts=(not_asked, self.counts[UNDONE] - not_asked, *self.counts[DOING:]),
            awaiting_person=len(self.awaiting),
            usage=in_order(self.usage),
            currency=self.currency,
            budgets=self._budgets(),
            largest=tuple(self.ledger.largest.items()) if self.ledger is not None else (),
            candidates=self.canaries.candidates,
            canaries_given=self.canaries.given,
            canaries=sum_tallies(self.canaries.tallies.items()),
            requests=tuple(self.requests),
            pruned_at=self.pruned_at,
            inputs=self.inputs,
            inputs_digest=self.inputs_digest,
        )

    def _budgets(self) -> tuple[Spending, ...]:
        """Returns the budgets, the one of the whole execution first."""
        if self.ledger is None:
            return ()
        spent, kept = self.ledger.spent, self.agenda.commitments.kept if self.agenda.commitments is not None else {}
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

    def is_wanted(self, task: int) -> bool:
        """Tells whether the execution is asked for a task. The others stay undone."""
        return self.wanted is None or task in self.wanted

    @property
    def first(self) -> Mapping[Requirement, Sequence[Place]]:
        """Returns the tasks that wait for nothing and are asked for, as Map.first does."""
        wanted, first = self.wanted, self.map.first
        if wanted is None:
            return first
        return {key: [place for place in places if place[1] in wanted] for key, places in first.items()}

    @property
    def wanted_count(self) -> int:
        return self.map.task_count if self.wanted is None else len(self.wanted)

    def record(self, task: int) -> TaskRecord:
        """Returns the record of a task. For an untouched task, it is an empty one that is not kept."""
        return self.records.get(task) or TaskRecord()

    def unfinished_records(self) -> Iterator[tuple[int, TaskRecord]]:
        """Yields the touched tasks that are not done. Only they may have a lease or a retry time, or be given up."""
        return ((task, self.records[task]) for task in self.records if self.status[task] != DONE)

    def task_status(self, task: int) -> TaskStatus:
        return TaskStatus(self.status[task])

    @property
    def open_count(self) -> int:
        """Counts the tasks that go on: by themselves, or once a person has judged a candidate."""
        return self.ready_count + self.counts[DOING] + self.unjudged_count + len(self.awaiting)

    @property
    def unjudged_count(self) -> int:
        """Counts the candidates that validators are judging, or can judge now or later."""
        return self.counts[VALIDATING] - len(self.stuck) - len(self.awaiting)

    @property
    def backlog(self) -> int:
        """Counts the candidates that validators are judging, or can judge now."""
        # guard: a judge that is to be tried later holds no other up -> return self.unjudged_count
        return self.unjudged_count - len(self.agenda.put_off)

    def is_ready(self, task: int, at: float) -> bool:
        """Tells whether an executor may have the task now."""
        return (
            self.status[task] == UNDONE
            and not self.waiting[task]
            # guard: only what is asked for is done -> (removed)
            and self.is_wanted(task)
            and (task not in self.records or self.records[task].retry_at <= at)
        )

    def is_unjudged(self, task: int, at: float) -> bool:
        """Tells whether a validator may have the task's candidate now."""
        if self.status[task] != VALIDATING:
            return False
        record = self.records[task]
        return record.is_free and record.retry_at <= at

    def is_free(self, task: int, at: float) -> bool:
        """Tells whether any worker may have the task now."""
        return self.is_ready(task, at) or self.is_unjudged(task, at)

    def next_phase(self, task: int) -> Phase:
        """Returns the phase that comes next for an open task."""
        return Phase.VALIDATE if self.status[task] == VALIDATING else Phase.EXECUTE

    def may_have(self, task: int, role: Role, at: float) -> bool:
        """Tells whether a worker of a role may have the task now."""
        return self.is_ready(task, at) if role is Role.EXECUTOR else self.is_unjudged(task, at)

    # ------------------------------------------------------------ what a task's spec says

    def requirement(self, task: int, role: Role) -> Requirement:
        """Returns the requirement for a worker of the task's next phase."""
        requirements = self.map.requirements.get(task)
        if requirements is None:
            return ANY_VALIDATOR if role is Role.VALIDATOR else ANY_EXECUTOR
        record = self.record(task)
        return requirements.requirement(role, record.failures, record.too_small)

    def is_outgrown(self, task: int) -> bool:
        """Tells whether all models of the task were too small for it."""
        return self.requirement(task, Role.EXECUTOR).model in self.record(task).too_small

    def on_failure(self, task: int) -> OnFailure:
        """Returns the effect on the other tasks when the task fails for good."""
        # guard: a task says what its own failure does -> return self.settings.on_failure or OnFailure.CONTINUE
        return self.map.requirements_of(task).on_failure or self.settings.on_failure or OnFailure.CONTINUE

    def max_failures(self, task: int) -> int:
        return self.map.requirements_of(task).max_failures or self.settings.max_failures

    def run_timeout(self, task: int, phase: Phase) -> float:
        """Returns seconds. A task's own value applies to executing only."""
        own = self.map.requirements_of(task).run_timeout if phase is Phase.EXECUTE else None
        return own or self.settings.run_timeout

    def outage_patience(self, task: int) -> float:
        """Returns the seconds that a task waits for a model that is away. Its own value applies to executing only."""
        own = self.map.requirements_of(task).outage_patience if self.status[task] == UNDONE else None
        return self.settings.outage_patience if own is None else own

    def idle_timeout(self, task: int, phase: Phase) -> float:
        own = self.map.requirements_of(task).idle_timeout if phase is Phase.EXECUTE else None
        return own or self.settings.idle_timeout

    def size_of_attempt(self, task: int, phase: Phase, canary: int = 0) -> AttemptSize:
        """Returns the size of the task's next attempt, or of the one under way. `canary`: as in TaskAssigned."""
        return size_of(self.map, self.records, task, phase, self.requirement(task, phase.role), canary)
