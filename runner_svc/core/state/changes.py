"""The changes of an execution's tasks, for the checkpoints and snapshots that follow them."""

from __future__ import annotations

from collections.abc import Callable


class Changes:
    """The tasks that have changed since the last checkpoint, and the onlookers. A restart begins with none."""

    def __init__(self) -> None:
        self.since_checkpoint: set[int] = set()  #: tasks whose records are not in the last checkpoint
        #: called with a task before it changes, by whatever writes the state down while the execution goes on
        self.onlookers: list[Callable[[int], None]] = []

    def about_to_happen(self, task: int) -> None:
        """Tells the onlookers that a task changes next."""
        for tell in self.onlookers:
            tell(task)
