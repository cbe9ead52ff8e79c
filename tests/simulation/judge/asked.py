"""An oracle of what was asked for: nothing else is begun, and an execution succeeds with all of it, and not before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set

from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import ExecutionId

_BEGUN = (events.TaskAssigned, events.ArtifactReused, events.CandidateReused, events.OrphanAdopted)


class Asked:
    """The oracle. It raises AssertionError for the first row that does more or less than was asked for."""

    def __init__(self, plan: Map) -> None:
        """`plan`: any edition; all have the same tasks, which wait for the same."""
        self._plan = plan
        self._tasks: dict[ExecutionId, Set[int]] = {}

    def enter(self, execution: ExecutionId, event: events.Event, done: Set[int]) -> None:
        """Takes in an event. `done`: the tasks that are signed off before it."""
        if isinstance(event, events.ExecutionCreated):
            self._tasks[execution] = self._needed(event.settings.until_tasks)
        elif isinstance(event, _BEGUN):
            assert event.task in self._tasks[execution], f"it was not asked for: {event}"
        elif isinstance(event, events.ExecutionSucceeded):
            missing = self._tasks[execution] - done
            assert not missing, f"{execution} succeeded without {sorted(map(self._plan.name, missing))}"

    def _needed(self, names: tuple[str, ...]) -> Set[int]:
        """Returns the named tasks with all that they need; all tasks for no names."""
        if not names:
            return frozenset(range(self._plan.task_count))
        needed = {self._plan.numbers[name] for name in names}
        by_stage = defaultdict[int, list[int]](list)
        for task, stage in enumerate(self._plan.stages):
            by_stage[stage].append(task)
        for stage in sorted(by_stage, reverse=True):
            for task in needed.intersection(by_stage[stage]):
                needed.update(self._plan.producers(task))
        return needed
