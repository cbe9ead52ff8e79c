"""The agenda of an execution: its tasks that may be given out, queued by what they require of a worker.

It is an index over the folded state. Entries that no longer count are dropped when they are popped. A restart builds it
anew.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runner_svc.core.model.earlier import EarlierResult
from runner_svc.core.model.map import Map, Place
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.states import UNDONE, VALIDATING
from runner_svc.core.model.values import Role
from runner_svc.core.spending.commitments import Commitments


@dataclass(frozen=True, slots=True)
class Offered:
    """The results of earlier executions that one may keep."""

    by_make_key: Mapping[str, EarlierResult]
    fresh: frozenset[int]  #: tasks that are done anew in any case


class Tasks(Protocol):
    """The part of an execution's folded state that its agenda reads."""

    map: Map
    status: bytearray

    @property
    def first(self) -> Mapping[Requirement, Sequence[Place]]:
        """Returns the tasks that wait for nothing and are asked for, as Map.first does."""

    def requirement(self, task: int, role: Role) -> Requirement:
        """Returns the requirement for a worker of the task's next phase."""


class Agenda:
    """The tasks that may be given out, and the commitments of the budgets."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        #: by task: its worker is asked whether its program's files are unchanged; False: one has told
        self.if_unchanged: dict[int, bool] = {}
        #: by role and requirement: heaps of (minus tail, task)
        self.queued: dict[Role, dict[Requirement, list[Place]]] = {
            Role.EXECUTOR: {requirement: list(places) for requirement, places in tasks.first.items()},
            Role.VALIDATOR: {},
        }
        #: the changes of outages and the events as of which it waits for models that are away, and until when
        self.patient: tuple[int, int, float] = (0, 0, 0.0)
        self.put_off: set[int] = set()  #: validating tasks whose judge has failed, until it is time to try again
        self.commitments: Commitments | None = None  #: None: nothing has a budget
        self.offered: Offered | None = None  #: None: earlier executions offer nothing
        self.unseen: list[int] = []  #: tasks that have become ready and were not looked up in what is offered
        self.unseen_by_workers: list[int] = []  #: those that no connected worker could do when they were looked up

    def add(self, task: int) -> None:
        """Queues a task that is ready, whose candidate waits for a verdict, or whose retry time has come."""
        role = Role.VALIDATOR if self._tasks.status[task] == VALIDATING else Role.EXECUTOR
        if self.offered is not None and role is Role.EXECUTOR:
            self.unseen.append(task)
        queue = self.queued[role].setdefault(self._tasks.requirement(task, role), [])
        heapq.heappush(queue, (-self._tasks.map.tails[task], task))

    def add_all(self, tasks: Collection[int]) -> None:
        """Queues the tasks that are still undone or validating; the others have moved on meanwhile."""
        status = self._tasks.status
        if self.offered is not None:
            self.unseen += tasks
        self._add_due([task for task in tasks if status[task] == UNDONE], Role.EXECUTOR)
        self._add_due([task for task in tasks if status[task] == VALIDATING], Role.VALIDATOR)

    def _add_due(self, tasks: Sequence[int], role: Role) -> None:
        """Queues tasks for a role. Most have the usual requirement, which is not looked up for each of 100,000."""
        tails, particular = self._tasks.map.tails, self._tasks.map.requirements
        more = dict[Requirement, list[Place]]()
        if usual := [(-tails[task], task) for task in tasks if task not in particular]:
            more[self._tasks.requirement(usual[0][1], role)] = usual
        for task in tasks if len(usual) < len(tasks) else ():
            if task in particular:
                more.setdefault(self._tasks.requirement(task, role), []).append((-tails[task], task))
        for requirement, places in more.items():
            _push_all(self.queued[role].setdefault(requirement, []), places)


def _push_all(queue: list[Place], places: Sequence[Place]) -> None:
    """Pushes a few places one by one; for many, it orders the whole queue once, which is faster."""
    if len(places) * 16 < len(queue):
        for place in places:
            heapq.heappush(queue, place)
    else:
        queue += places
        heapq.heapify(queue)
