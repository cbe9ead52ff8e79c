"""The tasks of an execution that have changed, for the checkpoints and snapshots that follow it."""

from __future__ import annotations

from collections.abc import Callable


class Changes:
    """Keeps track of changing tasks. Belongs to the running runner: a restart begins with none."""

    def __init__(self) -> None:
        self.since_checkpoint: set[int] = set()  #: tasks whose records are not in the last checkpoint
        #: are told of a task before it changes: who writes down a state of the execution while it goes on
        self.onlookers: list[Callable[[int], None]] = []

    def about_to_happen(self, task: int) -> None:
        """Tells the onlookers that a task changes next."""
        for tell in self.onlookers:
            tell(task)
