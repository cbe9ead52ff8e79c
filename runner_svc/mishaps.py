"""Bugs that the engine has survived: the worker or execution behind each, and the wait before the next try.

An execution is quarantined when a bug shows as time passes or as work is given out. It is also quarantined when
messages of two workers about it met a bug: then the cause is the execution, not a worker. A worker whose messages meet
bugs again and again is turned away for a while, because each bug costs all other workers their sessions.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from runner_svc.core.decide.turn import State, TurnFailed
from runner_svc.core.model import signals
from runner_svc.core.model.values import ExecutionId, SessionId, WorkerName
from signoff.errors import Unavailable

ENOUGH_WORKERS = 2  # workers whose messages about an execution met a bug: then the execution is to blame
MOST_NAMES = 1_000  # workers that are remembered
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before the state is built anew after bugs without a known cause
FIRST_BAN, LONGEST_BAN = 5.0, 600.0  # seconds that a worker is turned away
FORGOTTEN_AFTER = 120.0  # seconds without a further bug


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The cause of a bug. None: it is not known, or there is none."""

    signal: signals.Signal | None = None
    execution: ExecutionId | None = None
    session: SessionId | None = None
    worker: WorkerName | None = None

    @property
    def log_fields(self) -> Mapping[str, str]:
        """Returns the fields of its log line."""
        signal = type(self.signal).__name__ if self.signal is not None else ""
        parts = {"signal": signal, "execution": self.execution or "", "worker": self.worker or ""}
        return {name: value for name, value in parts.items() if value}


@dataclass(slots=True)
class _Series:
    """A series of bugs with one cause that came soon after each other."""

    count: int = 0
    last: float = 0.0

    def add(self, at: float) -> None:
        self.count = self.count + 1 if at - self.last <= FORGOTTEN_AFTER else 1
        self.last = at


class Mishaps:
    """The bugs of a runner's life. Times are Unix times in seconds."""

    def __init__(self) -> None:
        self.held_back: dict[ExecutionId, str] = {}  #: executions to be quarantined, and why
        self._blamed: dict[ExecutionId, set[WorkerName]] = {}
        self._workers: OrderedDict[WorkerName, _Series] = OrderedDict()
        self._unexplained = _Series()

    def fault_of(self, bug: Exception, state: State, at: float) -> Fault:
        """Returns the cause of a bug, and remembers it."""
        fault = _fault(bug, state)
        if fault.worker is not None:
            self._blame_worker(fault, at)
        elif fault.execution is not None and not isinstance(fault.signal, signals.ExecutionCommand):
            # guard: an execution that throws as time passes is quarantined -> pass
            self.hold_back(fault.execution, bug)
        elif fault.signal is None or isinstance(fault.signal, signals.TimePassed | signals.ClockJumped):
            self._unexplained.add(at)
        return fault

    def _blame_worker(self, fault: Fault, at: float) -> None:
        assert fault.worker is not None
        self._workers.setdefault(fault.worker, _Series()).add(at)
        self._workers.move_to_end(fault.worker)
        if len(self._workers) > MOST_NAMES:
            self._workers.popitem(last=False)
        if fault.execution is None:
            return
        workers = self._blamed.setdefault(fault.execution, set())
        workers.add(fault.worker)
        # guard: two workers and a bug -> if False:
        if len(workers) >= ENOUGH_WORKERS:
            names = ", ".join(sorted(workers))
            self.held_back[fault.execution] = f"messages of {names} about it met a bug; the runner's log has the story"

    def hold_back(self, execution: ExecutionId, bug: BaseException) -> None:
        """Has an execution quarantined when the state is built next."""
        cause = bug.__cause__ or bug
        self.held_back[execution] = f"it met a bug ({type(cause).__name__}: {cause}); the runner's log has the story"

    def unexplained(self, at: float) -> None:
        """Remembers a bug that belongs to no execution and no worker."""
        self._unexplained.add(at)

    def forgive(self, execution: ExecutionId) -> None:
        """Gives an execution another chance."""
        self.held_back.pop(execution, None)
        self._blamed.pop(execution, None)

    def pause(self, at: float) -> float:
        """Returns the seconds to wait before the state is built anew: longer after each bug without a known cause."""
        recent = self._unexplained.count if at - self._unexplained.last <= FORGOTTEN_AFTER else 0
        return min(FIRST_PAUSE * 2.0 ** min(recent - 2, 10), LONGEST_PAUSE) if recent > 1 else 0.0

    def check_welcome(self, worker: str, at: float) -> None:
        """Raises Unavailable for a worker whose messages met more than one bug, for longer after each."""
        series = self._workers.get(WorkerName(worker))
        if series is None or series.count < 2:
            return
        ban = min(FIRST_BAN * 2.0 ** min(series.count - 2, 10), LONGEST_BAN)
        if at < series.last + ban:
            left = series.last + ban - at
            raise Unavailable(
                f"expected a worker that the runner can serve, but {series.count} messages of {worker} met a bug: "
                f"come back in {left:.0f} s; the runner's log has the story"
            )


def _fault(bug: Exception, state: State) -> Fault:
    if not isinstance(bug, TurnFailed):
        return Fault()
    known = state.executions.keys() | state.archived.keys()
    execution = bug.execution if bug.execution in known else None
    signal = bug.signal
    if isinstance(signal, signals.WorkerJoined):
        return Fault(signal=signal, execution=execution, session=signal.session, worker=signal.worker)
    if isinstance(signal, signals.FromSession):
        session = state.roster.sessions.get(signal.session)
        worker = session.worker if session is not None else None
        return Fault(signal=signal, execution=execution, session=signal.session, worker=worker)
    return Fault(signal=signal, execution=execution)
