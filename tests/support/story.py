"""Given, when, then for the execution machine.

    run = given("a; b <- a", executor("w1"), validator("v1"), started)
    run.when(worker_lost("w1"))
    run.then(events=["LeaseLost a"], statuses={"a": UNDONE, "b": UNDONE})

Time stands still unless `passes` moves it. After every step all invariants are checked, replay equal to live among
them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from runner_svc.core.decide.turn import Decision
from runner_svc.core.fleet.timings import ModelTables
from runner_svc.core.machine import Machine
from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.pass_rules import NOTHING_PASSED, Demands, Passed
from runner_svc.core.model.requirements import Abilities, Requirements
from runner_svc.core.model.states import ExecutionState, TaskStatus
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import (
    NO_TASK,
    Budget,
    Canary,
    Content,
    CriterionResult,
    ExecutionId,
    FailureKind,
    LeaseId,
    Outcome,
    Phase,
    Role,
    SessionId,
    Settings,
    Unread,
    WorkerName,
)
from runner_svc.core.spending.expectations import NO_PRICES, Pricing
from runner_svc.core.state.execution import Execution
from signoff.errors import Rejected
from tests.support import invariants
from tests.support.values.maps import map_of

START = 1_700_000_000.0
EXECUTION = ExecutionId("e1")


class Run:
    """A machine, its history, and the clock."""

    def __init__(
        self,
        text: str,
        requirements: Mapping[str, Requirements] = MappingProxyType({}),
        budgets: Mapping[str, Budget] = MappingProxyType({}),
        canaries: Mapping[str, Sequence[Canary]] = MappingProxyType({}),
        prices: Pricing = NO_PRICES,
        demands: Mapping[str, Demands] = MappingProxyType({}),
    ) -> None:
        self.machine = Machine(tables=ModelTables(prices=prices))
        self.map = map_of(text, requirements=requirements, budgets=budgets, canaries=canaries, demands=demands)
        self.at = START
        self.entries: list[events.Entry] = []
        self.last = Decision()
        self.sessions: dict[str, SessionId] = {}
        self.begin()

    def begin(self) -> None:
        """Sets the layout."""
        self._turn([signals.SetLayout(at=self.at, request_id="", map=self.map)])

    @property
    def execution(self) -> Execution:
        return self.machine.state.executions[EXECUTION]

    def task(self, name: str) -> int:
        return self.map.numbers[name]

    def lease(self, name: str) -> LeaseId:
        """Returns the lease that is out on a task."""
        lease = self.execution.record(self.task(name)).lease
        assert lease is not None, f"{name} has no lease"
        return lease.id

    def holder(self, name: str) -> SessionId:
        """Returns the session of the worker that holds the lease on a task."""
        lease = self.execution.record(self.task(name)).lease
        assert lease is not None, f"{name} has no lease"
        return self.sessions[lease.worker]

    def when(self, *steps: Step) -> Run:
        """Does the steps. `then` compares all that they led to."""
        total = Decision()
        for step in steps:
            incoming = step(self)
            decision = self._turn(incoming if isinstance(incoming, list) else [incoming])
            for part in ("entries", "commands", "replies"):
                getattr(total, part).extend(getattr(decision, part))
            total.contents.update(decision.contents)
        self.last = total
        return self

    def _turn(self, incoming: list[signals.Signal]) -> Decision:
        decision = self.machine.turn(incoming)
        self.entries += decision.entries
        invariants.check(self.machine, self.entries, self.at)
        while self.machine.state.is_lending:  # as the engine does
            more = self._turn([signals.TimePassed(at=self.at)])
            decision.entries.extend(more.entries)
            decision.commands.extend(more.commands)
        return decision

    def then(
        self,
        *,
        events: Sequence[str] | None = None,
        statuses: Mapping[str, TaskStatus] | None = None,
        state: ExecutionState | None = None,
        commands: Sequence[str] | None = None,
        refused: type[Rejected] | None = None,
    ) -> Run:
        """Compares what the last `when` led to with what is expected; an extra event, command or refusal fails.

        `events` and `commands` are all of them, in order. With `events` alone, the commands must follow from these
        events: an assignment for each TaskAssigned, and other commands only about tasks that the events are about. With
        `commands` alone, the events must be about their tasks, or about the execution as a whole. Without both, only
        `statuses`, `state` and refusals are compared.
        """
        if events is not None:
            assert [self._describe(entry.event) for entry in self.last.entries] == list(events)
            if commands is None:
                self._check_commands_follow()
        if statuses is not None:
            assert {name: self.execution.task_status(self.task(name)) for name in statuses} == dict(statuses)
        if state is not None:
            assert self.execution.state is state
        if commands is not None:
            assert [self._ordered(command) for command in self.last.commands] == list(commands)
            if events is None:
                self._check_events_lead()
        refusals = {type(reply) for reply in self.last.replies if isinstance(reply, Rejected)}
        assert refusals == ({refused} if refused is not None else set())
        return self

    def _check_commands_follow(self) -> None:
        """Raises AssertionError for a command that the events do not lead to, or an assignment that is missing."""
        assigned = [entry.event.lease for entry in self.last.entries if isinstance(entry.event, events.TaskAssigned)]
        orders = [command.lease for command in self.last.commands if isinstance(command, commands.Assign)]
        assert sorted(orders) == sorted(assigned)
        tasks = {entry.event.task for entry in self.last.entries}
        others = [order for order in self.last.commands if self._task_of(order) not in tasks]
        assert [self._ordered(command) for command in others] == []

    def _check_events_lead(self) -> None:
        """Raises AssertionError for an event of a task that no command is about."""
        tasks = {self._task_of(command) for command in self.last.commands} | {NO_TASK}
        others = [entry.event for entry in self.last.entries if entry.event.task not in tasks]
        assert [self._describe(event) for event in others] == []

    @staticmethod
    def _task_of(command: commands.Command) -> int:
        """Returns the task whose lease a command is about; NO_TASK: it is about none."""
        lease = getattr(command, "lease", "")
        return int(lease.split(".")[1]) if lease else NO_TASK

    def _describe(self, event: events.Event) -> str:
        name = type(event).__name__
        return name if event.task == NO_TASK else f"{name} {self.map.name(event.task)}"

    def _ordered(self, command: commands.Command) -> str:
        worker = next((name for name, session in self.sessions.items() if session == command.session), "gone")
        task = self._task_of(command)
        name = "" if task == NO_TASK else self.map.name(task)
        return " ".join(part for part in (type(command).__name__, name, f"-> {worker}") if part)

    def assignment(self, name: str) -> commands.Assign:
        """Returns the assignment of a task among the last commands."""
        task = self.task(name)
        return next(o for o in self.last.commands if isinstance(o, commands.Assign) and o.task == task)


Step = Callable[[Run], "signals.Signal | list[signals.Signal]"]


def given(
    text: str,
    *steps: Step,
    requirements: Mapping[str, Requirements] = MappingProxyType({}),
    budgets: Mapping[str, Budget] = MappingProxyType({}),
    canaries: Mapping[str, Sequence[Canary]] = MappingProxyType({}),
    prices: Pricing = NO_PRICES,
    demands: Mapping[str, Demands] = MappingProxyType({}),
) -> Run:
    """Returns a machine with the layout of `text` set, after the steps. `requirements`: of unusual tasks."""
    return Run(text, requirements, budgets, canaries, prices, demands).when(*steps)


# ---------------------------------------------------------------- steps


def started(run: Run) -> signals.Signal:
    return signals.StartExecution(at=run.at, request_id="", execution=EXECUTION, plan_id="")


def started_with(settings: Settings) -> Step:
    return lambda run: signals.StartExecution(
        at=run.at, request_id="", execution=EXECUTION, plan_id="", settings=settings
    )


def executor(
    name: str,
    slots: int = 1,
    held: Sequence[str] = (),
    maker: str = "m1",
    continues: SessionId | None = None,
    abilities: Abilities | None = None,
    model: str = "",
    endpoint: str = "",
    own_names: Mapping[str, str] = MappingProxyType({}),
) -> Step:
    return _worker(name, Role.EXECUTOR, slots, held, maker, continues, abilities, model, endpoint, own_names)


def validator(
    name: str,
    slots: int = 1,
    held: Sequence[str] = (),
    continues: SessionId | None = None,
    abilities: Abilities | None = None,
    model: str = "",
    endpoint: str = "",
) -> Step:
    return _worker(name, Role.VALIDATOR, slots, held, "", continues, abilities, model, endpoint)


def _worker(
    name: str,
    role: Role,
    slots: int,
    held: Sequence[str],
    maker: str,
    continues: SessionId | None,
    abilities: Abilities | None,
    model: str = "",
    endpoint: str = "",
    own_names: Mapping[str, str] = MappingProxyType({}),
) -> Step:
    """A worker says Hello (again, when it did before) and grants its credit."""

    def step(run: Run) -> list[signals.Signal]:
        session = SessionId(f"{name}/{len(run.sessions)}/{run.at}/{len(run.entries)}")
        run.sessions[name] = session
        leases = frozenset(LeaseId(lease) for lease in held)
        joined = signals.WorkerJoined(
            at=run.at,
            session=session,
            worker=WorkerName(name),
            role=role,
            slots=slots,
            held=leases,
            makers=frozenset({maker}),
            continues=continues,
            abilities=abilities,
            model=model,
            endpoints={model: endpoint} if endpoint else {},
            own_names=own_names,
        )
        return [joined, signals.CreditGranted(at=run.at, session=session, window=slots)]

    return step


def worker_lost(name: str, *, orderly: bool = False) -> Step:
    return lambda run: signals.WorkerLost(at=run.at, session=run.sessions[name], reason="silence", orderly=orderly)


def accepted(task: str) -> Step:
    return lambda run: signals.LeaseAccepted(at=run.at, session=run.holder(task), lease=run.lease(task))


def given_back(task: str) -> Step:
    return lambda run: signals.LeaseGivenBack(
        at=run.at, session=run.holder(task), lease=run.lease(task), reason="the worker is draining"
    )


def progressed(task: str) -> Step:
    return lambda run: signals.ProgressMade(at=run.at, session=run.holder(task), lease=run.lease(task))


def answered(task: str) -> Step:
    """The model has said its first word."""
    return lambda run: signals.ProgressMade(at=run.at, session=run.holder(task), lease=run.lease(task), answered=True)


def saved(task: str, text: str, *, under: tuple[SessionId, LeaseId] | None = None) -> Step:
    """The executor says how far it is."""

    def step(run: Run) -> signals.Signal:
        session, lease = under or (run.holder(task), run.lease(task))
        content = replace(content_of(text, maker=""), media_type="")
        return signals.CheckpointMade(at=run.at, session=session, lease=lease, content=content, body=text.encode())

    return step


def asked(task: str, text: str, *, under: tuple[SessionId, LeaseId] | None = None) -> Step:
    """The worker says what it asks a model with."""

    def step(run: Run) -> signals.Signal:
        session, lease = under or (run.holder(task), run.lease(task))
        content = replace(content_of(text, maker=""), media_type="")
        return signals.PromptSent(at=run.at, session=session, lease=lease, content=content, body=text.encode())

    return step


def content_of(text: str, maker: str = "m1") -> Content:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Content(digest=digest, size=len(text.encode()), media_type="text/plain", maker=maker)


def candidate(task: str, text: str = "", unread: Unread | None = None) -> Step:
    """The executor hands in a candidate. `unread`: the inputs that it was not shown in full."""
    return lambda run: candidate_under(run.lease(task), text or f"made by {task}", run.holder(task), unread)(run)


def candidate_under(lease: LeaseId, text: str, session: SessionId, unread: Unread | None = None) -> Step:
    content = replace(content_of(text), unread=unread)
    return lambda run: signals.CandidateMade(
        at=run.at, session=session, lease=lease, content=content, body=text.encode()
    )


def failed(
    task: str,
    kind: FailureKind = FailureKind.TRANSIENT,
    retry_after: float | None = None,
    *,
    message: str = "it broke",
    gist: str = "",
) -> Step:
    return lambda run: signals.WorkFailed(
        at=run.at,
        session=run.holder(task),
        lease=run.lease(task),
        kind=kind,
        message=message,
        retry_after=retry_after,
        gist=gist,
    )


def passed(task: str) -> Step:
    return _verdict(task, Outcome.PASS, "")


def rejected(task: str, reason: str = "too short", *, retry_worthwhile: bool = True) -> Step:
    return _verdict(task, Outcome.FAIL, reason, retry_worthwhile)


def judge_broke(task: str) -> Step:
    return _verdict(task, Outcome.ERROR, "no answer")


def away(task: str, retry_after: float | None = None, kind: FailureKind = FailureKind.OUTAGE) -> Step:
    """The model that the task's worker asks could not be asked."""

    def step(run: Run) -> signals.Signal:
        record = run.execution.record(run.task(task))
        if record.lease is not None and record.lease.phase is Phase.VALIDATE:
            return _verdict(task, Outcome.ERROR, "it said 503", kind=kind, retry_after=retry_after)(run)  # type: ignore[return-value]
        lease, session = run.lease(task), run.holder(task)
        return signals.WorkFailed(
            at=run.at, session=session, lease=lease, kind=kind, message="it said 503", retry_after=retry_after
        )

    return step


def _verdict(
    task: str,
    outcome: Outcome,
    reason: str,
    retry_worthwhile: bool = True,
    kind: FailureKind | None = None,
    retry_after: float | None = None,
) -> Step:
    return lambda run: signals.VerdictGiven(
        at=run.at,
        session=run.holder(task),
        lease=run.lease(task),
        outcome=outcome,
        results=(CriterionResult(criterion="is good", outcome=outcome, reason=reason, criterion_number=1),),
        passed=Passed(frozenset({1})) if outcome is Outcome.PASS else NOTHING_PASSED,
        feedback=reason,
        retry_worthwhile=retry_worthwhile,
        kind=kind,
        retry_after=retry_after,
    )


def canary_of(text: str, *, good: bool) -> Canary:
    return Canary(content=replace(content_of(text, maker=""), media_type=""), body=text.encode(), good=good)


def signed_off(task: str, text: str = "") -> list[Step]:
    """The task is executed and passes."""
    return [candidate(task, text), passed(task)]


def passes(seconds: float) -> Step:
    """Time goes by."""

    def step(run: Run) -> signals.Signal:
        run.at = round(run.at + seconds, 6)  # as the engine reads its clock
        return signals.TimePassed(at=run.at)

    return step


def jumps(seconds: float) -> Step:
    """The clock jumps ahead."""

    def step(run: Run) -> signals.Signal:
        run.at = round(run.at + seconds, 6)
        return signals.ClockJumped(at=run.at, by=seconds)

    return step


def approved(task: str, request_id: str = "", *, digest: str = "", attempt: int = 0, person: str = "ada") -> Step:
    return lambda run: signals.JudgeTask(
        at=run.at,
        request_id=request_id,
        execution=EXECUTION,
        task_id=task,
        passes=True,
        person=person,
        digest=digest,
        attempt=attempt,
    )


def turned_down(task: str, reason: str = "too bold") -> Step:
    return lambda run: signals.JudgeTask(
        at=run.at, request_id="", execution=EXECUTION, task_id=task, passes=False, reason=reason, person="ada"
    )


def spent(
    task: str,
    tokens: int,
    *,
    model: str = "m",
    under: tuple[SessionId, LeaseId] | None = None,
    cost: int = 0,
    priced: bool = True,
    output: bool = False,
) -> Step:
    """The worker says that its attempt has cost so many tokens in all."""
    unpriced = 0 if priced else tokens
    total = Usage(
        input_tokens=0 if output else tokens,
        output_tokens=tokens if output else 0,
        requests=1,
        cost_nanos=cost,
        unpriced_tokens=unpriced,
    )

    def step(run: Run) -> signals.Signal:
        session, lease = under or (run.holder(task), run.lease(task))
        return signals.UsageReported(at=run.at, session=session, lease=lease, model=model, total=total)

    return step


def costs(task: str, total: Usage, *, model: str = "m", under: tuple[SessionId, LeaseId] | None = None) -> Step:
    """The worker reports this total for its attempt, priced by the runner's table."""

    def step(run: Run) -> signals.Signal:
        session, lease = under or (run.holder(task), run.lease(task))
        priced = run.machine.state.roster.tables.prices.priced(model, total)
        return signals.UsageReported(at=run.at, session=session, lease=lease, model=model, total=priced)

    return step


def budget(name: str = "", *, tokens: int | None = None, cost: int | None = None) -> Step:
    return lambda run: signals.SetBudget(
        at=run.at,
        request_id="",
        execution=EXECUTION,
        task_id=name,
        budget=Budget(tokens=tokens, cost_nanos=cost),
    )


def paused(run: Run) -> signals.Signal:
    return signals.PauseExecution(at=run.at, request_id="", execution=EXECUTION, reason="lunch")


def resumed(run: Run) -> signals.Signal:
    return signals.ResumeExecution(at=run.at, request_id="", execution=EXECUTION)


def stopped(run: Run) -> signals.Signal:
    return signals.StopExecution(at=run.at, request_id="", execution=EXECUTION, reason="enough")


def retried(task: str) -> Step:
    return lambda run: signals.RetryTask(at=run.at, request_id="", execution=EXECUTION, task_id=task)
