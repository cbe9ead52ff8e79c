"""The turn, the decision that it makes, and the state of the runner that it works on."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain

from runner_svc.core.fleet.queues import Queues
from runner_svc.core.fleet.roster import Roster
from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.model import events
from runner_svc.core.model.commands import Command
from runner_svc.core.model.earlier import EarlierResults
from runner_svc.core.model.map import Map, map_key
from runner_svc.core.model.signals import Signal
from runner_svc.core.model.tallies import Tallies, sum_tallies
from runner_svc.core.model.values import RUNNER, AcceptedRequest, Content, ExecutionId
from runner_svc.core.state import fold
from runner_svc.core.state.creation_order import CreationOrder
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.fold import IllegalEvent
from runner_svc.core.state.listing import ListingFacts, facts_of
from runner_svc.core.state.overview import ExecutionArchived, MapUnloaded, Overview
from runner_svc.core.state.pruned import PrunedSums
from runner_svc.core.state.quarantine import quarantined, refusal
from runner_svc.core.state.requests import COMMANDS, request_of
from signoff.errors import ExecutionNotFound, NoLayout, Rejected


class TurnFailed(Exception):
    """A bug showed in a turn. The state is torn and must be built anew. `__cause__` is the exception behind it."""

    def __init__(self, signal: Signal | None, execution: ExecutionId | None) -> None:
        step = "work was given out" if signal is None else f"{type(signal).__name__} was handled"
        super().__init__(f"a bug showed while {step}")
        self.signal = signal  #: None: after all signals
        self.execution = execution  #: the one that was being looked at; None: none in particular


@dataclass(slots=True)
class Decision:
    """The result of a turn: events to make durable, then to publish, then commands to perform."""

    entries: list[events.Entry] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)  #: by digest; durable together with the entries
    named: list[str] = field(default_factory=list)  #: contents that were brought under leases, and are named now
    commands: list[Command] = field(default_factory=list)
    #: one per signal, in order: the execution a command was about, or why it was refused
    replies: list[ExecutionId | Rejected | None] = field(default_factory=list)
    #: the execution that is being looked at, so that TurnFailed can name it
    looking_at: ExecutionId | None = None
    signals: Sequence[Signal] = ()  #: those that led to it
    ends: list[int] = field(default_factory=list)  #: per signal, in order: how many entries there were after it
    is_long: bool = False  #: each step that is still to come takes milliseconds

    def cause_of(self, entry: int) -> Signal | None:
        """Returns the signal that led to the entry at a place; None: giving out work did."""
        place = bisect_right(self.ends, entry)
        return self.signals[place] if place < len(self.ends) else None


class State:
    """The whole state of the runner: executions, layouts, request ids, and the workers with their leases."""

    def __init__(self, timings: StreamTimings, tables: ModelTables) -> None:
        self.executions: dict[ExecutionId, Execution] = {}  #: in memory
        self.archived: dict[ExecutionId, Overview] = {}  #: ended; the rest of them is only in the store
        self.visitors: dict[ExecutionId, None] = {}  #: brought in from the archive, the one last used last
        self.quarantined: dict[ExecutionId, Overview] = {}  #: left alone: quarantine.py
        self.readmitted: set[ExecutionId] = set()  #: just taken out of quarantine, for a resume that comes next
        self.restored: list[Execution] = []  #: just built from their journals, with outages that may be over
        self.created = CreationOrder()  #: all of them, in order
        #: by the plan of an execution that a turn starts, or by the execution that it resumes
        self.earlier: dict[str | ExecutionId, EarlierResults] = {}
        self.maps: dict[str, Map] = {}  #: in memory, by key
        self.layouts: dict[str, str] = {}  #: key of the map by plan id, the last one set last
        self.requests: dict[str, AcceptedRequest] = {}  #: by request id
        self.sequence = 0  #: of the runner's own journal
        self.pruned = PrunedSums()
        self.roster = Roster(timings, tables)
        self.queues = Queues()
        self.is_lending = False  #: not all work fitted the last turn: the next one is due at once

    def apply(self, entry: events.Entry) -> None:
        """Applies one event. The map that it names must be in `maps`."""
        event = entry.event
        if entry.execution == RUNNER:
            self._apply_own(entry)
        else:
            if isinstance(event, events.ExecutionCreated):
                plan = self.maps[map_key(event.plan_id, event.map_digest)]
                self.executions[entry.execution] = fold.created_by(entry, plan)
                self.created.add(entry.execution, event.plan_id)
            fold.apply(self.executions[entry.execution], entry)
        if type(event) in COMMANDS:
            self._note_request(entry)

    def _note_request(self, entry: events.Entry) -> None:
        execution = self.executions.get(entry.execution)
        request = request_of(entry, execution.map if execution is not None else None)
        if request is None:
            return
        self.requests[request.id] = request

    def _apply_own(self, entry: events.Entry) -> None:
        event = entry.event
        is_own = isinstance(event, events.LayoutSet | events.ExecutionsPruned)
        if not is_own or entry.sequence != self.sequence + 1:
            raise IllegalEvent(f"runner: expected an event of its own as number {self.sequence + 1}, but got {entry}")
        self.sequence = entry.sequence
        if isinstance(event, events.ExecutionsPruned):
            self.pruned.add(event.usage, event.canaries)
        elif isinstance(event, events.LayoutSet):
            self._set_layout(event)

    def _set_layout(self, event: events.LayoutSet) -> None:
        self.layouts.pop(event.plan_id, None)
        self.layouts[event.plan_id] = map_key(event.plan_id, event.map_digest)

    # ------------------------------------------------------------ questions

    def layout_key(self, plan_id: str) -> str:
        """Returns the key of the map set for a plan; of the last one set when `plan_id` is empty. Raises NoLayout."""
        if not self.layouts:
            raise NoLayout("expected a layout to be set first, but none was ever set: call SetLayout, or name a plan")
        key = self.layouts.get(plan_id) if plan_id else next(reversed(self.layouts.values()))
        if key is None:
            raise NoLayout(f"expected a layout for plan {plan_id}, but none was set for it")
        return key

    def layout(self, plan_id: str) -> Map:
        """Returns the map set for a plan, as `layout_key` does. Raises NoLayout, or MapUnloaded."""
        key = self.layout_key(plan_id)
        if key not in self.maps:
            raise MapUnloaded(key)
        return self.maps[key]

    def execution(self, execution_id: str) -> Execution:
        """Raises ExecutionNotFound, or ExecutionArchived."""
        known = ExecutionId(execution_id)
        if known in self.visitors:
            # guard: the one that was used longest ago leaves first -> pass
            self.visitors[known] = self.visitors.pop(known)
        if known in self.executions:
            return self.executions[known]
        if known in self.archived:
            raise ExecutionArchived(known)
        if known in self.quarantined:
            raise refusal(self.quarantined[known])
        raise ExecutionNotFound(
            f"expected the id of an execution, but there is none with id {execution_id!r}: it never was, or was pruned"
        )

    def overview(self, execution_id: str) -> Overview:
        """Returns the overview of an execution, in memory or not. Raises ExecutionNotFound."""
        known = ExecutionId(execution_id)
        return self.archived.get(known) or self.quarantined.get(known) or self.execution(execution_id).overview()

    def overviews(self) -> Iterator[Overview]:
        """Yields the overviews of all executions, the newest first."""
        return map(self.overview, reversed(self.created))

    def in_order(self) -> Iterator[Overview | Execution]:
        """Yields all executions in the order of their creation."""
        for known in self.created:
            yield self.archived.get(known) or self.quarantined.get(known) or self.executions[known]

    def glance(self, known: ExecutionId) -> ListingFacts | None:
        """Returns the facts by which lists are filtered; None: there is no such execution."""
        found = self.archived.get(known) or self.quarantined.get(known) or self.executions.get(known)
        return facts_of(found) if found is not None else None

    def canaries(self) -> Tallies:
        """Returns how validators judged canaries, in all executions together."""
        live = (execution.canaries.tallies.items() for execution in self.executions.values())
        others = chain(self.archived.values(), self.quarantined.values())
        # guard: sums outlive what is pruned -> return sum_tallies(chain(*live, *(each.canaries for each in others)))
        return sum_tallies(chain(self.pruned.canaries.items(), *live, *(each.canaries for each in others)))

    def latest_of(self, plan_id: str) -> ExecutionId:
        """Returns the newest execution of a plan. Raises ExecutionNotFound."""
        if plan_id not in self.created.newest:
            raise ExecutionNotFound(f"expected a plan that was executed, but {plan_id!r} has no execution")
        return self.created.newest[plan_id]

    # ------------------------------------------------------------ what is in memory

    def restore(self, overview: Overview) -> None:
        """Takes in an execution from a checkpoint. Call it in the order of their creation."""
        self.created.add(overview.id, overview.plan_id)
        self.archived[overview.id] = overview
        self.requests.update((request.id, request) for request in overview.requests)

    def take_in(self, execution: Execution) -> None:
        """Takes an archived or quarantined execution back into memory, as its journal says."""
        was = self.archived.pop(execution.id, None) or self.quarantined.pop(execution.id, None)
        self.executions[execution.id] = execution
        # guard: a plan that was unreadable gets its execution back -> if False:
        if was is not None and was.plan_id != execution.map.plan_id:
            self.created.move(execution.id, was.plan_id, execution.map.plan_id)
        self.requests.update((request.id, request) for request in execution.requests)

    def quarantine(self, overview: Overview, why: str) -> None:
        """Leaves an execution alone from now on. The state must hold none of its leases."""
        if overview.id not in (self.executions.keys() | self.archived.keys() | self.quarantined.keys()):
            self.created.add(overview.id, overview.plan_id)
        self.executions.pop(overview.id, None)
        self.visitors.pop(overview.id, None)
        self.archived.pop(overview.id, None)
        self.quarantined[overview.id] = quarantined(overview, why)

    def archive(self, execution: Execution) -> None:
        """Keeps only the overview of an execution. The rest must be in the store."""
        self.visitors.pop(execution.id, None)
        self.archived[execution.id] = execution.overview()
        del self.executions[execution.id]

    def remove(self, gone: Set[ExecutionId]) -> None:
        """Forgets executions that are at rest, with their request ids. They must be gone from the store."""
        for known in gone:
            self.executions.pop(known, None)
            self.visitors.pop(known, None)
            self.archived.pop(known, None)
        self.created.remove(gone)
        self.requests = {name: known for name, known in self.requests.items() if known.execution not in gone}
        self.readmitted -= gone
        self.restored = [execution for execution in self.restored if execution.id not in gone]

    def prune_to_artifacts(self, pruned: Overview) -> None:
        """Keeps an execution as it is in its checkpoint alone. The rest must be gone from the store."""
        self.executions.pop(pruned.id, None)
        self.visitors.pop(pruned.id, None)
        self.archived[pruned.id] = pruned
        self.restored = [execution for execution in self.restored if execution.id != pruned.id]

    def forget_layouts(self, key: str) -> None:
        """Forgets that a map was ever set: the store has lost it."""
        self.layouts = {plan_id: known for plan_id, known in self.layouts.items() if known != key}

    def forget_own(self) -> None:
        """Forgets the layouts and requests of the runner's own journal, which is about to be read anew."""
        self.sequence = 0
        self.pruned = PrunedSums()
        self.layouts.clear()
        self.requests = {name: known for name, known in self.requests.items() if known.execution != RUNNER}

    def unload_maps(self) -> None:
        """Forgets the maps that no execution in memory uses."""
        used = {execution.map.key for execution in self.executions.values()}
        self.maps = {key: plan for key, plan in self.maps.items() if key in used}


Steps = Iterator[None]  # long work, cut in steps: between two, the loop may serve others


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the machine in the making."""

    state: State
    decision: Decision
    later: deque[Steps] = field(default_factory=deque)  #: left by a handler, to be done before the next signal
    touched: dict[ExecutionId, Execution] = field(default_factory=dict)  #: by events or the clock: housekeeping.py

    def rest(self) -> Steps:
        """Does the work left in `later`, and the work that this leaves."""
        while self.later:
            yield from self.later.popleft()

    def emit(self, execution: Execution, event: events.Event) -> None:
        """Emits an event of an execution: applies it at once, and adds it to the decision."""
        self.record(events.Entry(execution.id, execution.sequence + 1, event))
        self.touched[execution.id] = execution

    def touch(self, execution: Execution) -> None:
        """Has the housekeeping look at an execution: it may have new work, or none left."""
        self.touched[execution.id] = execution

    def record(self, entry: events.Entry) -> None:
        self.state.apply(entry)
        self.decision.entries.append(entry)

    def look_at(self, execution: ExecutionId) -> None:
        """Notes the execution that is to blame when the next step throws."""
        self.decision.looking_at = execution

    def order(self, command: Command) -> None:
        self.decision.commands.append(command)

    def keep(self, content: Content, body: bytes | None, brought: Sequence[str] = ()) -> None:
        """Stores the bytes with the decision; None: they are in the store already.

        `brought`: contents that were brought under the lease of this one, and that it names.
        """
        # guard: files of a candidate stay -> pass
        self.decision.named.extend(brought)
        if body is not None:
            self.decision.contents[content.digest] = body
