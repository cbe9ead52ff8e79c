"""The execution machine: signals in, a Decision out. No clock, no chance, no sockets, no database.

    decision = machine.turn([WorkerLost(at=now, session=s, reason="silence")])

A turn handles its signals in order, then gives out the work that became possible. The events of its decision are
already applied to the state. The engine makes them durable before it publishes them, and builds a new machine from the
journal when that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from runner_svc.core.decide import on_command, on_report, on_session, on_time
from runner_svc.core.decide.assign import lend_all
from runner_svc.core.decide.housekeeping import tidy_up
from runner_svc.core.decide.reuse import may_be_offered
from runner_svc.core.decide.turn import Decision, State, Steps, Turn, TurnFailed
from runner_svc.core.fleet.deadlines import Due
from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.model import signals
from runner_svc.core.model.values import ExecutionId, execution_of_lease, task_of_lease
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import EarlierUnknown, ExecutionArchived, LeaseUnknown, MapUnloaded, NotInMemory
from signoff.errors import NoLayout, Rejected

NOW = float("-inf")  # a time that has come
#: Reports that may be kept of a lease that has ended.
_KEPT_WHEN_LATE = (signals.UsageReported, signals.CandidateMade, signals.WorkFailed, signals.VerdictGiven)
MORE_LENDS = 3  # times that a turn goes on with giving out work: many assignments travel in one frame


class Machine:
    """Decides what follows from each signal."""

    def __init__(self, timings: StreamTimings | None = None, tables: ModelTables | None = None) -> None:
        self.state = State(timings or StreamTimings(), tables or ModelTables())

    def absent(self, incoming: Sequence[signals.Signal]) -> Iterator[NotInMemory]:
        """Yields the executions and maps of signals that are not in memory. Bring them in before the turn."""
        for signal in incoming:
            if isinstance(signal, signals.StartExecution):
                yield from self._absent_layout(signal.plan_id)
                yield from self._absent_earlier(signal)
            elif isinstance(signal, signals.ExecutionCommand) and signal.execution in self.state.archived:
                yield ExecutionArchived(signal.execution)
            elif isinstance(signal, _KEPT_WHEN_LATE):
                yield from self._absent_for_late(signal)
            if isinstance(signal, signals.ResumeExecution | signals.RetryTask):
                yield from self._absent_for_resume(signal)

    def _absent_for_late(self, signal: signals.AboutLease) -> Iterator[NotInMemory]:
        """Yields the lease of an archived execution, of which a late result may have to be kept or acknowledged.

        What else comes under such a lease, and Hello, is answered without its execution: the lease has ended.
        """
        known, task = self.state.archived.get(execution_of_lease(signal.lease)), task_of_lease(signal.lease)
        if known is not None and known.pruned_at is None and task is not None and task < sum(known.counts):
            yield LeaseUnknown(known.id, task, signal.lease)

    def _absent_layout(self, plan_id: str) -> Iterator[NotInMemory]:
        try:
            self.state.layout(plan_id)
        except MapUnloaded as unloaded:
            yield unloaded
        except NoLayout:
            return  # the start is refused with it

    def _absent_earlier(self, signal: signals.StartExecution) -> Iterator[NotInMemory]:
        try:
            plan_id = self.state.layout(signal.plan_id).plan_id
        except NoLayout:
            return
        if signal.settings.reuse and signal.request_id not in self.state.requests and plan_id not in self.state.earlier:
            yield EarlierUnknown(plan_id)

    def _absent_for_resume(self, signal: signals.ExecutionCommand) -> Iterator[NotInMemory]:
        """Yields the earlier results that an execution may keep which a restart has left at rest."""
        known = self.state.executions.get(signal.execution)
        if known is not None and may_be_offered(known) and known.id not in self.state.earlier:
            yield EarlierUnknown(known.map.plan_id, known.id)

    def turn(self, incoming: Sequence[signals.Signal]) -> Decision:
        """Handles the signals in order, then gives out the work that became possible.

        A signal that is refused changes nothing; the refusal is its reply. Raises TurnFailed for a bug: then the state
        is torn.
        """
        decision = Decision()
        for _ in self.steps(incoming, decision):
            pass
        return decision

    def steps(self, incoming: Sequence[signals.Signal], decision: Decision) -> Steps:
        """Makes the decision of a turn step by step, for it may be long: a step is a signal, or an event or two.

        Ask nothing of the state before all steps are done. Raises TurnFailed as `turn` does.
        """
        turn = Turn(self.state, decision)
        decision.signals = incoming
        signal: signals.Signal | None = None
        try:
            for signal in incoming:
                decision.looking_at = next(_executions_of(signal), None)
                decision.replies.append(_handle(turn, signal))
                if turn.later:
                    yield from turn.rest()
                tidy_up(turn, signal.at)
                decision.ends.append(len(decision.entries))
                yield
            at = max((signal.at for signal in incoming), default=None)
            signal = decision.looking_at = None
            if at is not None:
                lend_all(turn, at)
                for _ in range(MORE_LENDS):
                    if not self.state.is_lending:
                        break
                    decision.is_long = True
                    yield
                    lend_all(turn, at)
        except Exception as error:
            raise TurnFailed(signal, decision.looking_at) from error

    def restore(self, at: float) -> None:
        """Goes on after a replay: workers may come back to their leases, and retries that were scheduled take place.

        Raises TurnFailed, which names the execution, for a bug.
        """
        for execution in self.state.executions.values():
            try:
                self.readmit(execution, at)
            except Exception as error:
                raise TurnFailed(None, execution.id) from error

    def readmit(self, execution: Execution, at: float) -> None:
        """Lets an execution go on that was just built from its journal."""
        state = self.state
        state.queues.offer(execution)
        for away in execution.outages.values():
            state.roster.outages.restore(away)
            if away.model.worker is not None:
                # guard: a worker that is gone after a restart takes its outages along -> pass
                state.roster.expect(away.model.worker, at)  # if it stays away, its outage ends
        if execution.outages:
            state.restored.append(execution)
        for task, record in execution.unfinished_records():
            if record.lease is not None:
                # guard: world: leases outlive the runner; leases outlive the runner -> pass
                state.roster.expect_back(execution, task, at)
            # guard: past retries are remembered -> elif record.retry_at > at and not record.given_up:
            elif record.retry_at and not record.given_up:
                # Also a time that has passed: signals from before `at` would find it too early, and drop the task.
                # guard: retries are remembered -> pass
                state.roster.deadlines.remind(record.retry_at, Due.RETRY, (execution, task))

    @property
    def next_deadline(self) -> float | None:
        """Returns when to send TimePassed: at once when work did not fit the last turn. None: nothing is ever due."""
        return NOW if self.state.is_lending else self.state.roster.deadlines.next


def _executions_of(signal: signals.Signal) -> Iterator[ExecutionId]:
    """Yields the executions that a signal is about."""
    if isinstance(signal, signals.ExecutionCommand):
        yield signal.execution
    elif isinstance(signal, signals.AboutLease):
        yield execution_of_lease(signal.lease)
    elif isinstance(signal, signals.WorkerJoined):
        yield from map(execution_of_lease, signal.held)


def _handle(turn: Turn, signal: signals.Signal) -> ExecutionId | Rejected | None:
    try:
        if isinstance(signal, signals.ExecutionCommand):
            return on_command.command(turn, signal)
        return _HANDLERS[type(signal)](turn, signal)
    except Rejected as refused:
        return refused


_HANDLERS: dict[type[signals.Signal], Callable[..., ExecutionId | None]] = {
    signals.TimePassed: on_time.time_passed,
    signals.ClockJumped: on_time.clock_jumped,
    signals.SetLayout: on_command.set_layout,
    signals.StartExecution: on_command.start,
    signals.WorkerJoined: on_session.joined,
    signals.WorkerLost: on_session.lost,
    signals.CreditGranted: on_session.credit,
    signals.WorkerDraining: on_session.draining,
    signals.LeaseAccepted: on_report.accepted,
    signals.LeaseGivenBack: on_report.given_back,
    signals.WorkUnchanged: on_report.unchanged,
    signals.NotAssignable: on_report.not_assignable,
    signals.ProgressMade: on_report.progress,
    signals.CheckpointMade: on_report.checkpoint,
    signals.PromptSent: on_report.prompt,
    signals.UsageReported: on_report.usage,
    signals.CandidateMade: on_report.candidate,
    signals.WorkFailed: on_report.failure,
    signals.VerdictGiven: on_report.verdict,
}
