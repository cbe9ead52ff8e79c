"""Guards that the simulation misses: each with a small world in tests/simulation/regressions, and those of watchers."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

ENGINE, FEED = "runner_svc/engine.py", "runner_svc/feed.py"
MACHINE, REPORTING = "runner_svc/core/machine.py", "runner_svc/core/reporting.py"
ROSTER, COMMANDING = "runner_svc/core/roster.py", "runner_svc/core/commanding.py"
FRAMES, WATCHING = "runner_svc/codec/frames.py", "runner_svc/services/watching.py"

RUNNER: Sequence[Guard] = (
    Guard(
        name="world: request ids",
        file=COMMANDING,
        code="    known = turn.state.requests.get(wanted.id)",
        without="    known = None",
        fault="a client repeats a command whose answer it missed",
    ),
    Guard(
        name="world: a stop takes leases back",
        file=COMMANDING,
        code='        take_back(turn, lease, signal.at, "the execution was stopped")',
        without="        pass",
        fault="somebody stops what is being worked on",
    ),
    Guard(
        name="world: rebuild after a refused write",
        file=ENGINE,
        code=(
            "            if self._commits.failure is not None or self._is_torn:\n"
            "                await self._rebuild()\n"
        ),
        without="            self._commits.failure = None\n",
        fault="the store refuses a write, and may have kept it",
    ),
    Guard(
        name="world: remember before acting",
        file="runner_svc/committer.py",
        code="        await self._remember(batch)\n",
        without="        self._performer.perform(batch.commands)\n        await self._remember(batch)\n",
        fault="the store refuses what workers were told already",
    ),
    Guard(
        name="world: remember before answering",
        file="runner_svc/committer.py",
        code="        await self._remember(batch)\n",
        without="        deliver(batch.answers)\n        await self._remember(batch)\n",
        fault="the store refuses what clients were told already",
    ),
    Guard(
        name="world: workers come back after a rebuild",
        file=ENGINE,
        code="        self._performer.disconnect_all(reason)",
        without="        pass",
        fault="the state is built anew, and knows no session",
    ),
    Guard(
        name="world: leases outlive the runner",
        file=MACHINE,
        code="                state.roster.expect_back(execution, task, at)",
        without="                pass",
        fault="a runner dies while workers work",
    ),
    Guard(
        name="world: retries are remembered",
        file=MACHINE,
        code="                state.roster.deadlines.remind(record.retry_at, Due.RETRY, (execution, task))",
        without="                pass",
        fault="a runner is built anew while a task waits to be tried again",
    ),
    Guard(
        name="world: past retries are remembered",
        file=MACHINE,
        code="            elif record.retry_at and not record.given_up:",
        without="            elif record.retry_at > at and not record.given_up:",
        fault="a retry falls due while the state is built anew, and older reports wait in the inbox",
    ),
)

CONVERSATION: Sequence[Guard] = (
    Guard(
        name="world: lease fence",
        file=REPORTING,
        code="if session and signal.lease in session.leases else None",
        without="if session else None",
        fault="a worker sends results under leases of others",
    ),
    Guard(
        name="world: digests are checked",
        file=FRAMES,
        code="    if (len(body), found) != (message.size_bytes, message.digest):",
        without="    found = message.digest\n    if False:",
        fault="a candidate is not what its digest says",
    ),
    Guard(
        name="world: no pass against its own criteria",
        file=FRAMES,
        code="    if outcome is Outcome.PASS and any(",
        without="    if False and any(",
        fault="a judge passes what it says has failed",
    ),
    Guard(
        name="world: to come back is no progress",
        file=REPORTING,
        code="_begins(turn, lease, at if not lease.accepted else lease.progress_at)",
        without="_begins(turn, lease, at)",
        fault="a worker whose work hangs gets a new stream now and then",
    ),
    Guard(
        name="world: the grace ends",
        file=ROSTER,
        code="        self.deadlines.remind(until, Due.GRACE, worker)",
        without="        pass",
        fault="a worker is gone for good",
    ),
    Guard(
        name="world: accept deadline",
        file=ROSTER,
        code="""        self.current[lease.worker].leases.add(lease.id)
        self.deadlines.look_at(lease, lease.accept_by)""",
        without="        self.current[lease.worker].leases.add(lease.id)",
        fault="an assignment is lost on a stream that lives",
    ),
    Guard(
        name="world: credit",
        file="runner_svc/core/room.py",
        code="return not self.draining and len(self.leases) < self.window",
        without="return not self.draining and bool(self.window)",
        fault="there is more work than slots",
    ),
    Guard(
        name="world: three missed pings",
        file="runner_svc/services/worker_service.py",
        code="while self._unanswered < MISSED_PINGS:",
        without="while True:",
        fault="nothing that a worker sends arrives",
    ),
    Guard(
        name="world: a silent runner is left",
        file="worker_svc/session.py",
        code='        raise TimeoutError(f"nothing was heard',
        without='        await asyncio.Event().wait()\n        raise TimeoutError(f"nothing was heard',
        fault="nothing that the runner sends arrives",
    ),
)

WATCHERS: Sequence[Guard] = (
    Guard(
        name="world: watchers are cut off at a rebuild",
        file=ENGINE,
        code="        self.feed.disconnect_all(reason)",
        without="        pass",
        fault="the store refuses a write and keeps it: its events were never published",
    ),
    Guard(
        name="watchers are cut off when the state is built anew",
        file=ENGINE,
        code="        self.feed.disconnect_all(reason)",
        without="        pass",
        fault="the same, while somebody watches at every point of it",
    ),
    Guard(
        name="world: a slow watcher is cut off",
        file=FEED,
        code="        elif behind > self._allowed:\n",
        without="        elif behind > self._allowed:\n            self.place = end\n        if False:\n",
        fault="a watcher does not keep up",
    ),
    Guard(
        name="a watcher passes over what it was told",
        file=WATCHING,
        code="""    if span.events[0].sequence > head and wanted is None:
        return span.answers
    new = (event for event in span.events if event.sequence > head)""",
        without="""    if wanted is None:
        return span.answers
    new = span.events""",
        fault="events are committed between subscribing and asking",
    ),
    Guard(
        name="a watcher subscribes before it asks",
        file=WATCHING,
        code="    if resting or not request.follow:\n",
        without="    watcher.place = watcher.log.end\n    if resting or not request.follow:\n",
        fault="events are committed between asking and subscribing",
    ),
)

GUARDS: Sequence[Guard] = (*RUNNER, *CONVERSATION, *WATCHERS)
