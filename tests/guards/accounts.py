"""Guards of what a worker tells of the cost of its questions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

ACCOUNT = "worker_svc/llm/account.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="a prompt is booked when it is sent",
        file=ACCOUNT,
        code="        self._asked = tokens\n        self._book(Counts(), 0)",
        without="        self._asked = tokens",
        fault="a worker is killed while a model reads a prompt",
    ),
    Guard(
        name="what was streamed is booked",
        file=ACCOUNT,
        code="        self._settle(self._spent(streamed.counts, self._within(rest, ahead)))",
        without="        self._settle(self._spent(streamed.counts, 0))",
        fault="a stream is cut off before its tokens were counted",
    ),
    Guard(
        name="a count that is too small is not believed",
        file=ACCOUNT,
        code=" and self._is_all_counted",
        without="",
        fault="a provider counts an answer without what was thought before it",
    ),
    Guard(
        name="the total is what counts",
        file="worker_svc/llm/counts.py",
        code="    written = max(written, total - read)",
        without="    written = max(written, 0)",
        fault="a provider counts what was thought in the total alone",
    ),
    Guard(
        name="what is called off has cost something",
        file="worker_svc/bench.py",
        code="        self._tell_costs(held)\n        task.cancel()",
        without="        task.cancel()",
        fault="an execution is stopped before a worker has said what its work has cost",
    ),
)
