"""Random signals in random order: every invariant holds after every turn, and every execution comes to its end."""

from __future__ import annotations

import random

import pytest

from runner_svc.core.model import signals
from runner_svc.core.model.states import DOING, VALIDATING, ExecutionState
from runner_svc.core.model.values import FailureKind, LeaseId, RollbackScope, Settings, WorkerName
from tests.runner_svc.core.state.test_requests import restarted
from tests.support.draws import so_many
from tests.support.story import (
    Run,
    Step,
    accepted,
    canary_of,
    candidate,
    candidate_under,
    executor,
    failed,
    given,
    given_back,
    judge_broke,
    jumps,
    passed,
    passes,
    paused,
    rejected,
    resumed,
    retried,
    saved,
    started_with,
    stopped,
    validator,
    worker_lost,
)
from tests.support.values.maps import map_of

PLANS = [
    "a; b <- a; c <- a; d <- b, c",
    "g/a[p]; g/b <- a; h/c(p) <- g; h/d <- g; e <- h; f",
    "g/h/a; g/h/b; g/c <- h2/x; h2/x; h2/y <- x; z <- g, h2",
    "; ".join(f"t{n}" for n in range(6)),
]
EXECUTORS = (WorkerName("w1"), WorkerName("w2"))
VALIDATORS = (WorkerName("v1"), WorkerName("v2"))


def _in(run: Run, status: int) -> list[str]:
    return [run.map.name(task) for task, found in enumerate(run.execution.status) if found == status]


class Walk:
    """Draws the next signal from those that are possible now."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        settings = Settings(
            max_failures=self.chance.choice([1, 2, 3]),
            max_losses=3,
            max_judge_errors=2,
            max_rollbacks=self.chance.choice([0, 1]),
            rollback_scope=self.chance.choice(list(RollbackScope)),
            idle_timeout=self.chance.choice([15.0, 120.0]),
            canary_rate=self.chance.choice([0.0, 0.3, 1.0]),
        )
        plan = self.chance.choice(PLANS)
        known = (canary_of("good", good=True), canary_of("bad", good=False))
        self.run = given(plan, started_with(settings), canaries=dict.fromkeys(map_of(plan).task_ids, known))
        self.old: list[tuple[LeaseId, str]] = []

    def step(self) -> None:
        if self.chance.random() < 0.03:
            restarted(self.run)
            self.run.sessions.clear()
        else:
            self.run.when(self._draw())

    def _draw(self) -> Step:
        about_workers = [self._joins, self._leaves, self._returns]
        about_time = [
            lambda: passes(self.chance.choice([0.1, 1.0, 11.0, 61.0])),
            lambda: jumps(self.chance.choice([6.0, 61.0, 28_800.0])),
        ]
        about_people = [lambda: self.chance.choice([paused, resumed, resumed, stopped]), self._retried]
        kinds = [self._reports] * 14 + about_workers * 2 + about_time * 2 + about_people
        return self.chance.choice(kinds)()

    def _joins(self) -> Step:
        name = self.chance.choice(EXECUTORS + VALIDATORS)
        leases = sorted(self.run.machine.state.roster.held_by(name))
        held = [lease for lease in leases if self.chance.random() < 0.7]
        if self.old and self.chance.random() < 0.3:
            held.append(self.chance.choice(self.old)[0])
        role = executor if name in EXECUTORS else validator
        return role(name, slots=self.chance.choice([1, 2, 3]), held=held)

    def _leaves(self) -> Step:
        if not self.run.sessions:
            return self._joins()
        return worker_lost(self.chance.choice(sorted(self.run.sessions)), orderly=self.chance.random() < 0.3)

    _returns = _joins

    def _retried(self) -> Step:
        return retried(self.chance.choice(self.run.map.task_ids))

    def _reports(self) -> Step:
        """A connected worker reports something about a lease, its own or one that has ended."""
        if self.old and self.chance.random() < 0.1:
            return self._stale()
        leased = [
            name
            for name in _in(self.run, DOING) + _in(self.run, VALIDATING)
            if (lease := self.run.execution.record(self.run.task(name)).lease) and lease.worker in self.run.sessions
        ]
        if not leased:
            return self._joins()
        task = self.chance.choice(leased)
        lease = self.run.execution.record(self.run.task(task)).lease
        assert lease is not None
        self.old.append((lease.id, lease.worker))
        if self.run.execution.status[self.run.task(task)] == DOING:
            text = self.chance.choice(["one", "two"])
            kind = self.chance.choice(list(FailureKind))
            return self.chance.choice(
                [
                    accepted(task),
                    candidate(task, text),
                    candidate(task, text),
                    failed(task, kind),
                    given_back(task),
                    saved(task, text),
                ]
            )
        return self.chance.choice([accepted, passed, passed, passed, rejected, judge_broke, given_back])(task)

    def _stale(self) -> Step:
        lease, worker = self.chance.choice(self.old)
        session = self.run.sessions.get(worker)
        if session is None or lease in self.run.machine.state.roster.leases:
            return passes(0.0)
        return candidate_under(lease, "late", session)

    def finish(self) -> None:
        """With diligent workers and a patient person every execution ends."""
        self.run.when(lambda run: signals.TimePassed(at=run.at))
        if self.run.execution.state in (ExecutionState.PAUSED, ExecutionState.STOPPED):
            self.run.when(resumed)
        for name in EXECUTORS:
            self.run.when(executor(name, slots=3, held=sorted(self.run.machine.state.roster.held_by(name))))
        for name in VALIDATORS:
            self.run.when(validator(name, slots=3, held=sorted(self.run.machine.state.roster.held_by(name))))
        for _ in range(200):
            if self.run.execution.state.is_final:
                return
            if self.run.execution.state is ExecutionState.PAUSED:
                self.run.when(resumed)
            for task in _in(self.run, DOING):
                self.run.when(candidate(task, "final"))
            for task in _in(self.run, VALIDATING):
                if self.run.execution.record(self.run.task(task)).lease:
                    self.run.when(passed(task))
            self.run.when(passes(61.0))
        raise AssertionError(f"{self.run.execution.state.label}: {list(self.run.execution.status)}")


@pytest.mark.parametrize("batch", range(10))
def test_every_promise_holds_after_every_turn(batch: int) -> None:
    for seed in range(batch * 8, batch * 8 + so_many(4, long=8)):
        walk = Walk(seed)
        try:
            for _ in range(60):
                walk.step()
            walk.finish()
        except BaseException:
            print(f"seed {seed}")  # noqa: T201 - names the walk that failed
            raise
