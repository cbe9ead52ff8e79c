"""The engine: the one loop that changes anything. It drains the inbox, decides, commits, publishes and performs.

A turn takes all signals that have come and lets the machine decide. While one transaction commits, further turns are
decided, and their decisions go into the next transaction. Once a decision is durable, its events are published, its
commands carried out and its callers answered. Questions are answered after the same commit, so every answer is about a
durable state.

When the store refuses, the machine is ahead of the journal and is built anew from it. The callers of all turns that are
not durable get StorageFailed. Workers are disconnected; they come back and name the leases they hold.

A bug ends neither the loop nor the runner. When something throws in a turn, the state is torn, and is built anew as
well. The caller or the worker behind it is told; mishaps.py says which execution is quarantined. A state that is torn,
or ahead of the journal, is never kept.

Now and then, and at its end, the engine takes a checkpoint (recovery.py), so that a restart reads few events.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from runner_svc.clock import SteadyClock
from runner_svc.codec.journal.entries import event_to_proto
from runner_svc.committer import Answered, Committer, Observer, Performer, deliver
from runner_svc.contents import Contents
from runner_svc.core.decide.prune import PruneRule
from runner_svc.core.decide.turn import Decision, State, TurnFailed
from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.machine import Machine
from runner_svc.core.model import signals
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import RUNNER, ExecutionId, SessionId
from runner_svc.core.state.overview import NotInMemory
from runner_svc.errands import Errands
from runner_svc.inbox import Inbox, Item
from runner_svc.listings import Listings
from runner_svc.mishaps import Mishaps
from runner_svc.objects.port import Objects
from runner_svc.prune.removal import RemovalOfExecutions, Removed
from runner_svc.publish.feed import Feed
from runner_svc.recovery.checkpoints import AheadOfJournal
from runner_svc.recovery.recovery import Recovery
from runner_svc.store.port import Row, Store
from signoff.errors import Bug, JournalBroken, OwnershipLost, Rejected, ShuttingDown, StorageFailed, Unavailable
from signoff.v1 import execution_pb2

log = structlog.get_logger(__name__)

T = TypeVar("T")

COMMIT_LIMIT = 4_000  # events that may wait for a commit; beyond that, turns wait. A turn may add some thousands
#: Steps and events of a large decision, such as a rollback of 100,000 tasks, for which the loop is held.
STEPS_AT_ONCE, WRITTEN_AT_ONCE = 25, 100
BEGUN_AT = 20  # events that are serialized before the loop is given to others for the first time
CHECKPOINT_EVERY = 5_000  # events: the most that a restart reads, and that a checkpoint holds the loop up for
RETRY_STORE_AFTER = 1.0  # seconds


class Engine:
    """Owns the machine. It needs a store, a clock and a performer of its commands."""

    committer: type[Committer] = Committer

    def __init__(
        self,
        store: Store,
        *,
        performer: Performer,
        feed: Feed | None = None,
        timings: StreamTimings | None = None,
        tables: ModelTables | None = None,
        clock: SteadyClock | None = None,
        checkpoint_every: int = CHECKPOINT_EVERY,
        objects: Objects | None = None,
    ) -> None:
        """`objects`: where large contents lie; None: in the store, as all others."""
        self.feed = feed or Feed()
        self.contents = Contents(store, objects)
        self.epoch = 0
        self._store = store
        self._recovery = Recovery(store)
        self._removal = RemovalOfExecutions(store, self._recovery)
        self._listings = Listings()
        self._performer = performer
        self.timings = timings or StreamTimings()
        self._tables = tables or ModelTables()
        self._clock = clock or SteadyClock()
        self._machine = Machine(self.timings, self._tables)
        self._inbox = Inbox(self._clock)
        self._errands = Errands()
        self.maps_being_set: Counter[str] = Counter()  #: keys of maps that are stored for a layout that comes next
        self._again: list[tuple[Item, NotInMemory]] = []  # questions, and what must be brought in for them first
        self._checkpoint_every = checkpoint_every
        self._since_checkpoint = 0  # events
        self._mishaps = Mishaps()
        self._is_torn = False  # a turn is being decided, or was given up halfway: the state must not be kept
        self._commits = self.committer(
            store,
            self.contents,
            self.feed,
            performer,
            state=lambda: self._machine.state,
            unanswered=self._take_unanswered,
            unexplained=lambda: self._mishaps.unexplained(self.now()),
            wake=self._inbox.wake,
        )

    def now(self) -> float:
        """Returns Unix time in seconds, to the microsecond, as the journal keeps it. It never goes back."""
        return self._clock.now()

    def has_leases(self, session: SessionId) -> bool:
        """Tells whether a session holds leases, as decided so far."""
        known = self._machine.state.roster.sessions.get(session)
        return known is not None and bool(known.leases)

    def observe(self, observer: Observer) -> None:
        """Adds an observer, which is told of every commit from now on."""
        self._commits.observers.append(observer)

    # ------------------------------------------------------------ for adapters

    async def submit(self, signal: signals.Signal, then: Callable[[State], T]) -> T:
        """Submits a command, and returns `then` of the state right after it, once both are durable.

        Raises the error with which the machine refused it, or Unavailable.
        """
        return await self._inbox.submit(signal, then)

    async def ask(self, question: Callable[[State], T]) -> T:
        """Answers a question about the committed state. Raises the Rejected that the question raises."""
        return await self._inbox.ask(question)

    async def report(self, *incoming: signals.Signal) -> None:
        """Takes in reports. Waits while the inbox is full."""
        await self._inbox.report(*incoming)

    def report_lost(self, lost: signals.WorkerLost) -> None:
        """Takes in the end of a session at once, however full the inbox is."""
        self._inbox.report_lost(lost)

    async def between_turns(self, work: Callable[[State], Awaitable[T]], *, changes_state: bool = False) -> T:
        """Does work on the durable state while nothing is decided or committed, and returns what it returns.

        The loop waits for it, so it must be short. With `changes_state`, the state is built anew when it raises.
        """
        done = self._errands.add(work, changes_state=changes_state)
        self._inbox.wake()
        return await done

    @contextlib.contextmanager
    def setting(self, key: str) -> Iterator[None]:
        """Says that a map is stored for a layout that comes next, so that no prune takes it for one without a use."""
        self.maps_being_set[key] += 1
        try:
            yield
        finally:
            self.maps_being_set[key] -= 1
            self.maps_being_set += Counter()  # without those that are at 0

    async def remove(self, chosen: Mapping[ExecutionId, int], rule: PruneRule) -> Removed:
        """Takes executions away that are at rest, as prune/removal.py says. `chosen`: their sequences."""
        work = self._removal.remove
        return await self.between_turns(lambda state: work(state, chosen, rule, self.now()), changes_state=True)

    # ------------------------------------------------------------ life

    async def open(self) -> None:
        """Opens the store and rebuilds the state from the journal."""
        self.epoch = await self._store.open()
        await self._rebuild()

    async def run(self) -> None:
        """Makes turns until it is cancelled. Callers that still wait then get ShuttingDown."""
        try:
            while True:
                items = await self._inbox.gather(self._machine.next_deadline)
                try:
                    await self._step(items)
                except (OwnershipLost, JournalBroken):
                    raise  # another runner owns the journal from now on, or none can read it
                except Exception as bug:  # noqa: BLE001 - any bug: the other executions are worth going on for
                    # guard: a bug ends no loop -> raise
                    await self._survive(bug, items)
        finally:
            # guard: told when the runner ends -> (removed)
            self._inbox.refuse_more()
            self._errands.refuse_more()
            await self._commits.end()
            self._inbox.fail_all(ShuttingDown("the runner is about to end"))

    async def _step(self, items: list[Item]) -> None:
        await self._turn(items)
        await self._bring_in()
        self._recovery.checkpoints.let_go(self._machine.state, self._is_settled)
        if self._errands:
            await self._run_errand()
        if not self._inbox.is_empty:
            await asyncio.sleep(0)  # the next turn begins at once, and nothing else in this loop may have waited
        if self._since_checkpoint >= self._checkpoint_every:
            await self._commits.idle()
            await self.checkpoint()

    async def _run_errand(self) -> None:
        """Does an errand, unless the state is to be built anew first."""
        await self._commits.idle()
        # guard: errands are done on a durable state -> if True:
        if not self.is_ahead:
            self._is_torn = not await self._errands.do_next(self._machine.state)
        self._inbox.wake()  # for the next errand, or to build the state anew

    async def _survive(self, bug: Exception, items: list[Item]) -> None:
        """Goes on after a bug in a turn: tells the caller or worker that caused it, and builds the state anew."""
        self._is_torn = True
        fault = self._mishaps.fault_of(bug, self._machine.state, self.now())
        log.error("bug_in_turn", **fault.log_fields, exc_info=bug)
        if fault.session is not None:
            self._performer.end_session(fault.session, Bug())
        others = Unavailable("a bug ended the turn that this was part of, and nothing was changed: try again")
        for item in items:
            item.fail(Bug() if item.signal is not None and item.signal is fault.signal else others)
        deliver([replace(answer, error=others) for answer in self._take_unanswered()])
        await self._rebuild()

    async def _turn(self, items: list[Item]) -> None:
        """Decides, and hands the decision to the committer."""
        if len(self._commits.decided.entries) >= COMMIT_LIMIT:
            await self._commits.idle()
        try:
            await self._prepare([item.signal for item in items if item.signal is not None])
        except StorageFailed as failure:
            self._commits.refuse([Answered(item.answer) for item in items if item.answer is not None], failure)
            await self._rebuild()  # reports among the items are lost with it: their workers repeat them
            return
        self._is_torn = True  # the state must not be kept before the whole turn is decided
        decision, answers = await self._decide(items)
        written = await self._serialize(decision)
        self._is_torn = False
        # guard: what is decided on what was lost is lost -> if False:
        if self._commits.failure is not None:  # it came meanwhile: this decision builds on a lost one
            self._commits.refuse(answers, self._commits.failure)
            return
        self._since_checkpoint += len(decision.entries)
        self._machine.state.earlier.clear()  # what was signed off since is not among it
        listed = self._listings.changes(self._machine.state, decision.entries)
        self._commits.add(decision, written, listed, answers)

    async def _readmit(self, incoming: Sequence[signals.Signal]) -> None:
        """Takes executions that are to be resumed out of quarantine. One that throws again stays there.

        A resume whose request id is known is a repeated one, or is refused: it changes nothing.
        """
        state = self._machine.state
        for signal in incoming:
            if not isinstance(signal, signals.ResumeExecution):
                continue
            # guard: a repeated resume leaves the quarantine as it is -> is_new = True
            is_new = signal.request_id not in state.requests
            if is_new and signal.execution in state.quarantined:
                execution = await self._recovery.readmit(state, signal.execution)
                if execution is not None:
                    log.info("execution_readmitted", execution=execution.id)
                    self._mishaps.forgive(execution.id)
                    state.readmitted.add(execution.id)
                    self._machine.readmit(execution, self.now())

    async def _prepare(self, incoming: Sequence[signals.Signal]) -> None:
        """Brings in all that signals are about, into a machine that is not ahead of the journal for good."""
        self._commits.check()
        while True:
            # guard (2 lines): rebuild after a refused write -> self._commits.failure = None
            # guard (2 lines): world: rebuild after a refused write -> self._commits.failure = None
            # guard (2 lines): a machine that went ahead is dropped -> self._commits.failure = None
            if self._commits.failure is not None or self._is_torn:
                await self._rebuild()
            for absent in self._machine.absent(incoming):
                await self._recovery.bring(self._machine.state, absent)
            await self._readmit(incoming)
            if self._commits.failure is None:  # none came meanwhile
                return

    def _take_unanswered(self) -> list[Answered]:
        """Takes out the callers whose questions wait for something to be brought in."""
        again, self._again = self._again, []
        return [Answered(item.answer) for item, _ in again if item.answer is not None]

    async def _bring_in(self) -> None:
        """Asks the questions again that were about something that was not in memory."""
        while self._again:  # what is brought in may show that more is missing
            item, absent = self._again.pop(0)
            try:
                await self._recovery.bring(self._machine.state, absent)
                await self._turn([item])
            except StorageFailed as failure:
                item.fail(failure)
            except Exception:
                self._again.append((item, absent))  # _survive tells the callers
                raise

    async def _decide(self, items: list[Item]) -> tuple[Decision, list[Answered]]:
        incoming = [item.signal for item in items if item.signal is not None]
        decision = Decision()
        for number, _ in enumerate(self._machine.steps(incoming, decision), start=1):
            if decision.is_long or not number % STEPS_AT_ONCE:
                await asyncio.sleep(0)
        replies = iter(decision.replies)
        answers = []
        for item in items:
            reply = next(replies) if item.signal is not None else None
            if item.answer is not None:
                answers += self._answer(item, reply)
        return decision, answers

    def _answer(self, item: Item, reply: ExecutionId | Rejected | None) -> list[Answered]:
        """Returns the answer to a caller; none yet when something must be brought in first."""
        assert item.answer is not None
        if isinstance(reply, Rejected):
            return [Answered(item.answer, error=reply)]
        try:
            value = item.ask(self._machine.state) if item.ask else reply
        except Rejected as refused:
            return [Answered(item.answer, error=refused)]
        except NotInMemory as absent:
            self._again.append((replace(item, signal=None), absent))
            return []
        except Exception as bug:
            log.error("bug_in_answer", exc_info=bug)
            return [Answered(item.answer, error=Bug())]
        return [Answered(item.answer, value=value)]

    async def _serialize(self, decision: Decision) -> list[tuple[Row, execution_pb2.Event]]:
        """Returns the events as rows and messages. Raises TurnFailed, which names the cause, for one without a form."""
        written: list[tuple[Row, execution_pb2.Event]] = []
        pause = min(BEGUN_AT, WRITTEN_AT_ONCE - 1)
        for place, entry in enumerate(decision.entries):
            if place % WRITTEN_AT_ONCE == pause:
                await asyncio.sleep(0)
            try:
                message = event_to_proto(entry, self._plan_of(entry.execution))
                written.append((Row(entry.execution, entry.sequence, message.SerializeToString()), message))
            except Exception as error:
                raise TurnFailed(decision.cause_of(place), entry.execution) from error
        return written

    @property
    def is_ahead(self) -> bool:
        """Tells whether the state is torn, or ahead of the journal."""
        return self._is_torn or self._commits.is_running or self._commits.failure is not None

    def check_welcome(self, worker: str) -> None:
        """Raises Unavailable for a worker whose messages have met bugs again and again."""
        self._mishaps.check_welcome(worker, self.now())

    def _plan_of(self, execution: ExecutionId) -> Map | None:
        return None if execution == RUNNER else self._machine.state.executions[execution].map

    # ------------------------------------------------------------ restart

    async def checkpoint(self) -> None:
        """Keeps the state, so that a restart need not read the journal up to here. A failure is tried again later.

        Call it while the loop does not run. A state that is ahead of the journal is not kept.
        """
        # guard (2 lines): no checkpoint of what is not durable -> (removed)
        if self.is_ahead:
            return
        self._since_checkpoint = 0
        try:
            await self._recovery.checkpoints.take(self._machine.state, self._is_settled)
        except StorageFailed as failure:
            log.warning("checkpoint_failed", error=str(failure))
        except AheadOfJournal as bug:
            log.error("bug_in_checkpoint", exc_info=bug)
            self._is_torn = True
            self._inbox.wake()
        except Exception as bug:
            log.error("bug_in_checkpoint", exc_info=bug)

    def _is_settled(self, plan_id: str) -> bool:
        return all(observer.is_settled(plan_id) for observer in self._commits.observers)

    async def _rebuild(self) -> None:
        """Builds the machine from the journal, however long the store takes to answer."""
        await self._commits.idle()
        await asyncio.sleep(self._mishaps.pause(self.now()))
        reason = "the runner rebuilds its state from the journal"
        # guard: world: workers come back after a rebuild -> pass
        self._performer.disconnect_all(reason)
        # guard: world: watchers are cut off at a rebuild; watchers are cut off when the state is built anew -> pass
        self.feed.disconnect_all(reason)
        while (machine := await self._try_build()) is None:
            pass
        self._machine, self._is_torn, self._commits.failure = machine, False, None
        self._listings.forget()
        for observer in self._commits.observers:
            try:
                observer.rebuilt(machine.state)
            except Exception as bug:
                log.error("bug_in_telling", exc_info=bug)

    async def _try_build(self) -> Machine | None:
        """Returns the machine as the journal says. None: try again, later or without the execution that threw."""
        try:
            machine, self._since_checkpoint = await self._recovery.machine(
                self.timings, self._tables, self._mishaps.held_back
            )
            machine.restore(self.now())
        # guard: a broken journal is not asked again -> except OwnershipLost:
        except (OwnershipLost, JournalBroken):
            raise  # another runner owns the journal from now on, or none can read it
        except Unavailable as failure:
            log.error("replay_failed", error=str(failure), retry_after=RETRY_STORE_AFTER)
            # guard: the journal is asked until it answers -> raise
            await asyncio.sleep(RETRY_STORE_AFTER)
        except TurnFailed as bug:
            if bug.execution is None or bug.execution in self._mishaps.held_back:
                raise
            log.error("bug_in_replay", execution=bug.execution, exc_info=bug)
            self._mishaps.hold_back(bug.execution, bug)
        else:
            return machine
        return None
