"""What keeps the turns of the runner's loop short, and what keeps whole what takes several of them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

ENGINE = "runner_svc/engine.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="a turn lends a bounded amount",
        file="runner_svc/core/lending.py",
        code="            if left <= 0:\n",
        without="            if False:\n",
        fault="a worker that takes everything joins a hundred thousand ready tasks",
    ),
    Guard(
        name="a rollback has steps",
        file="runner_svc/core/failing.py",
        code="make_anew=task in anew))\n            yield\n",
        without="make_anew=task in anew))\n    yield\n",
        fault="a person has the first of a hundred thousand tasks done again",
    ),
    Guard(
        name="inputs are found once a lease",
        file="runner_svc/core/inputs.py",
        code="    if lease.inputs is None:\n",
        without="    if True:\n",
        fault="tasks read a thousand artifacts each",
    ),
    Guard(
        name="a task is written down before it changes",
        file="runner_svc/core/execution.py",
        code="            if self.onlookers:\n",
        without="            if False:\n",
        fault="an execution goes on while a snapshot of it is written",
    ),
    Guard(
        name="a resume is told before it changes tasks",
        file="runner_svc/core/lifecycle.py",
        code="        execution.about_to_change(task)\n",
        without="",
        fault="an execution is resumed while a snapshot of it is written",
    ),
    Guard(
        name="what is decided on what was lost is lost",
        file=ENGINE,
        code="        if self._commits.failure is not None:  # meanwhile: what was decided begins with what is lost\n",
        without="        if False:\n",
        fault="the disk refuses while a long decision is made",
    ),
    Guard(
        name="a watcher is excused while its snapshot is written",
        file="runner_svc/services/watching.py",
        code="            with watcher.excused():\n",
        without="            with contextlib.nullcontext():\n",
        fault="an execution is quicker than the snapshot of it",
    ),
)
