"""Leases and the work under them, without a stream."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from signoff.errors import SignoffError, StaleLease
from signoff.v1 import execution_pb2, worker_pb2
from tests.support.servers.scripted_runner import WITHIN, assign, by_reference
from tests.support.work.givens import spent
from tests.support.work.scripted_handler import ScriptedHandler, made, passed
from worker_svc.assignment import Assignment, Report, Result
from worker_svc.link import work_queue
from worker_svc.link.codec import Limits
from worker_svc.link.held_leases import HeldLeases
from worker_svc.link.lease_files import LeaseFiles
from worker_svc.link.prefetch import Prefetch

KIB = 1024
EXECUTE, VALIDATE = execution_pb2.PHASE_EXECUTE, execution_pb2.PHASE_VALIDATE


class Workplace:
    """Held leases with a scripted handler. `woken` is set when they have something to say."""

    def __init__(self, slots: int = 7, prefetch: Prefetch | None = None) -> None:
        self.handler = ScriptedHandler()
        self.woken = asyncio.Event()
        self.leases = HeldLeases(self.handler, slots, self.woken.set, prefetch)
        self.fault: Exception | None = None  #: what fetching an input raises

    def assign(
        self, lease_id: str = "L1", phase: execution_pb2.Phase.ValueType = EXECUTE, *, by_ref: bool = False
    ) -> None:
        inputs = (by_reference(b"planets"),) if by_ref else ()
        given = assign(lease_id, phase, inputs=inputs).assign
        self.leases.assigned(given, self.ways(given))

    def ways(self, given: worker_pb2.Assign) -> LeaseFiles:
        """Returns ways that lead nowhere but to `fault`, or to an input."""
        ways = LeaseFiles((), given)
        ways.inputs = lambda: self._fetch  # type: ignore[method-assign]
        return ways

    async def _fetch(self, _artifact: worker_pb2.InputArtifact) -> bytes:
        if self.fault is not None:
            raise self.fault
        return b"planets"

    def said(self) -> list[str]:
        """Returns the messages that are due now, as `kind lease`."""
        return [line_of(message) for message in self.leases.outgoing()]

    async def result(self) -> worker_pb2.WorkerMessage:
        """Returns the next message that is a result."""
        while True:
            await asyncio.wait_for(self.woken.wait(), WITHIN)
            self.woken.clear()
            for message in self.leases.outgoing():
                if message.WhichOneof("kind") in ("candidate", "failure", "verdict"):
                    return message

    async def finish(self, lease_id: str, result: Result | None = None) -> None:
        """Assigns work, finishes it, and returns when the result is there."""
        self.assign(lease_id)
        self.said()
        self.woken.clear()
        (await self.handler.call()).result.set_result(result or made())
        await asyncio.wait_for(self.woken.wait(), WITHIN)


def line_of(message: worker_pb2.WorkerMessage) -> str:
    kind = message.WhichOneof("kind")
    assert kind is not None
    return f"{kind} {getattr(getattr(message, kind), 'lease_id', '')}".strip()


@pytest.fixture
async def place() -> Workplace:
    return Workplace()


async def test_a_worker_without_leases_says_nothing_by_itself(place: Workplace) -> None:
    assert place.said() == []
    assert place.leases.lease_ids == ()
    await asyncio.wait_for(place.leases.until_empty(), WITHIN)


async def test_what_was_said_is_not_said_again(place: Workplace) -> None:
    await place.finish("L1")
    assert place.said() == ["candidate L1"]
    assert place.said() == []


async def test_no_lease_is_held_once_every_result_is_acknowledged(place: Workplace) -> None:
    await place.finish("L1")
    await place.finish("L2")
    empty = asyncio.create_task(place.leases.until_empty())
    place.leases.forget("L1")
    assert place.leases.lease_ids == ("L2",)
    place.leases.forget("L2")
    await asyncio.wait_for(empty, WITHIN)


async def test_a_result_that_ends_while_no_stream_is_there_waits_for_keep(place: Workplace) -> None:
    place.assign()
    call = await place.handler.call()
    place.leases.stream_lost()
    call.make()
    await place.leases.until_idle()
    place.leases.welcomed(Limits())
    assert place.said() == ["credit"]
    place.leases.kept("L1")
    place.leases.kept("L1")
    assert place.said() == ["candidate L1"]


@pytest.mark.guard(name="answers belong to a stream")
async def test_answers_that_a_lost_stream_did_not_take_are_void(place: Workplace) -> None:
    place.assign()
    place.leases.say(worker_pb2.WorkerMessage(pong=worker_pb2.Pong(nonce=1)))
    place.leases.stream_lost()
    place.leases.welcomed(Limits())
    assert place.said() == ["credit"]


async def test_an_assignment_of_a_lease_that_came_along_counts_as_keep(place: Workplace) -> None:
    await place.finish("L1")
    place.leases.stream_lost()
    place.assign("L1")
    assert place.said() == ["candidate L1"]
    assert place.handler.untaken == 0


@pytest.mark.parametrize("phase", [EXECUTE, VALIDATE])
async def test_a_handler_that_raises_is_a_bug_and_is_logged(
    place: Workplace, phase: execution_pb2.Phase.ValueType
) -> None:
    place.assign("L1", phase)
    with capture_logs() as logs:
        (await place.handler.call()).result.set_exception(KeyError("colour"))
        message = await place.result()
    (entry,) = logs
    assert (entry["event"], entry["lease"], entry["log_level"]) == ("handler_failed", "L1", "error")
    assert isinstance(entry["exc_info"], KeyError)
    if phase == EXECUTE:
        assert message.failure.kind == execution_pb2.FAILURE_KIND_PERMANENT
        assert message.failure.message == "a bug in the worker: KeyError: 'colour'"
    else:
        assert message.verdict.outcome == execution_pb2.OUTCOME_ERROR
        assert message.verdict.feedback == "a bug in the worker: KeyError: 'colour'"


async def test_a_handler_that_raises_a_refusal_of_its_own_is_a_bug_too(place: Workplace) -> None:
    place.assign()
    (await place.handler.call()).result.set_exception(StaleLease("of some other runner"))
    assert (await place.result()).failure.kind == execution_pb2.FAILURE_KIND_PERMANENT


async def test_a_handler_that_returns_no_result_is_a_bug(place: Workplace) -> None:
    place.assign()
    (await place.handler.call()).result.set_result(None)  # type: ignore[arg-type]  # the bug
    message = await place.result()
    assert message.failure.message == (
        "a bug in the worker: TypeError: expected the handler to return a Result, but got NoneType"
    )


async def test_a_verdict_is_told(place: Workplace) -> None:
    place.assign("L1", VALIDATE)
    (await place.handler.call()).result.set_result(passed())
    assert (await place.result()).verdict.outcome == execution_pb2.OUTCOME_PASS


@pytest.mark.parametrize("phase", [EXECUTE, VALIDATE])
async def test_an_input_that_cannot_be_fetched_is_no_bug(
    place: Workplace, phase: execution_pb2.Phase.ValueType
) -> None:
    place.fault = SignoffError("the network is down")
    place.assign("L1", phase, by_ref=True)
    message = await place.result()
    said = "an input could not be fetched: the network is down"
    if phase == EXECUTE:
        assert message.failure.kind == execution_pb2.FAILURE_KIND_TRANSIENT
        assert message.failure.message == said
    else:
        assert (message.verdict.outcome, message.verdict.feedback) == (execution_pb2.OUTCOME_ERROR, said)


@pytest.mark.guard(name="a lease ends with a result whatever happens")
@pytest.mark.parametrize("phase", [EXECUTE, VALIDATE])
async def test_a_bug_in_the_reading_of_inputs_is_told_and_does_not_leave_the_lease_without_a_result(
    place: Workplace, phase: execution_pb2.Phase.ValueType
) -> None:
    place.fault = ZeroDivisionError("no inputs")
    place.assign("L1", phase, by_ref=True)
    message = await place.result()
    said = "a bug in the worker: ZeroDivisionError: no inputs"
    if phase == EXECUTE:
        assert (message.failure.kind, message.failure.message) == (execution_pb2.FAILURE_KIND_PERMANENT, said)
    else:
        assert (message.verdict.outcome, message.verdict.feedback) == (execution_pb2.OUTCOME_ERROR, said)


async def test_work_under_a_stale_lease_is_dropped_without_a_word(place: Workplace) -> None:
    place.fault = StaleLease("the lease has ended")
    place.assign(by_ref=True)
    await asyncio.wait_for(place.leases.until_empty(), WITHIN)
    assert place.said() == []
    assert place.handler.untaken == 0


async def test_a_result_of_work_that_would_not_be_cancelled_is_dropped(place: Workplace) -> None:
    class Stubborn(ScriptedHandler):
        async def __call__(self, assignment: Assignment, report: Report) -> Result:
            try:
                return await super().__call__(assignment, report)
            except asyncio.CancelledError:
                return made()

    place.handler = Stubborn()
    leases = HeldLeases(place.handler, 1, lambda: None)
    leases.assigned(assign("L1").assign, place.ways(assign("L1").assign))
    await place.handler.call()
    leases.forget("L1", drop_work=True)
    await leases.end()
    assert [line_of(message) for message in leases.outgoing()] == []


async def test_a_draining_worker_declines_what_is_new_and_accepts_what_it_holds(place: Workplace) -> None:
    place.assign("L1")
    place.leases.drain()
    place.assign("L1")
    place.assign("L2")
    assert place.said() == ["draining", "declined L2", "accepted L1"]
    place.leases.welcomed(Limits())
    assert place.said() == ["draining"]
    await place.leases.end()


async def test_finished_work_is_sent_and_not_given_back(place: Workplace) -> None:
    await place.finish("L1")
    place.assign("L2")
    call = await place.handler.call()
    place.leases.abandon_unfinished("the worker is about to end")
    assert place.said() == ["abandon L2", "candidate L1"]
    await call.until_cancelled()


@pytest.mark.guard(name="what is called off has cost something")
async def test_what_work_has_cost_is_told_when_it_is_called_off_and_while_it_ends(place: Workplace) -> None:
    place.assign("L1")
    call = await place.handler.call()
    assert place.said() == ["accepted L1"]
    call.report.usage("writer", spent(5, 3))
    place.leases.forget("L1", drop_work=True)
    assert place.said() == ["usage L1"]
    call.report.usage("writer", spent(6, 3))
    call.report.thinking("of no interest")
    assert place.said() == ["usage L1"]
    await call.until_cancelled()
    await place.leases.until_idle()
    call.report.usage("writer", spent(7, 3))
    assert place.said() == []


async def test_what_is_given_back_says_first_what_it_has_cost(place: Workplace) -> None:
    place.assign("L1")
    call = await place.handler.call()
    place.said()
    call.report.usage("writer", spent(5, 3))
    place.leases.abandon_unfinished("the worker is about to end")
    assert place.said() == ["usage L1", "abandon L1"]
    await call.until_cancelled()


async def test_nothing_runs_after_the_end(place: Workplace) -> None:
    place.assign("L1")
    place.assign("L2")
    for _ in range(2):
        await place.handler.call()
    place.leases.forget("L1", drop_work=True)
    await place.leases.end()
    assert place.handler.running == 0


async def test_answers_go_between_the_pieces_of_a_large_result(place: Workplace) -> None:
    await place.finish("L1", made(bytes(1024 * KIB)))
    outgoing = place.leases.outgoing()
    assert line_of(next(outgoing)) == "candidate_chunk L1"
    place.leases.say(worker_pb2.WorkerMessage(pong=worker_pb2.Pong(nonce=1)))
    assert line_of(next(outgoing)) == "pong"
    rest = [line_of(message) for message in outgoing]
    assert rest == ["candidate_chunk L1"] * 3 + ["candidate L1"]


async def test_a_lease_that_ends_has_nothing_more_to_report(place: Workplace) -> None:
    place.assign("L1")
    call = await place.handler.call()
    place.said()
    call.report.tokens(1)
    place.leases.forget("L1")
    call.report.tokens(2)
    assert place.said() == []
    await place.leases.end()


# ---------------------------------------------------------------- ahead of the slots


@pytest.mark.guard(name="no more at once than there are slots")
async def test_what_comes_ahead_of_the_slots_waits_for_one_and_is_accepted_when_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work_queue, "WAITS_AT_MOST", WITHIN)
    place = await quick_workplace()
    place.assign("L1")
    place.assign("L2")
    first = await place.handler.call()
    assert place.said() == ["accepted L1"]
    assert place.handler.untaken == 0
    first.make()
    second = await place.handler.call()
    said = place.said()
    while "candidate L1" not in said:  # it is digested in a thread
        await asyncio.wait_for(place.woken.wait(), WITHIN)
        place.woken.clear()
        said += place.said()
    # On a busy machine the first took long, and then there is less credit ahead.
    assert sorted(set(said) - {"credit"}) == ["accepted L2", "candidate L1"]
    second.make()
    await place.result()
    await place.leases.end()


@pytest.mark.guard(name="work does not wait behind work that hangs")
async def test_what_waits_too_long_for_a_slot_is_given_back_after_the_credit_was_lowered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work_queue, "WAITS_AT_MOST", 0.01)
    place = await quick_workplace()
    for lease_id in ("L1", "L2", "L3"):
        place.assign(lease_id)
    await place.handler.call()
    while "L2" in place.leases.lease_ids:
        await asyncio.wait_for(place.woken.wait(), WITHIN)
        place.woken.clear()
        said = place.said()
    assert said[-3:] == ["credit", "abandon L2", "abandon L3"]
    assert place.leases.lease_ids == ("L1",)
    await place.leases.end()


async def test_what_comes_while_nothing_is_granted_ahead_begins_at_once() -> None:
    """The runner counts the slots: some may be filled by work whose lease is over."""
    place = Workplace(slots=1)
    place.assign("L1")
    place.assign("L2")
    assert place.said() == ["accepted L1", "accepted L2"]
    await place.leases.end()


async def test_what_was_on_its_way_when_the_credit_was_lowered_waits_for_a_slot() -> None:
    place = Workplace(slots=1, prefetch=SlowingPrefetch(1))
    place.leases.welcomed(Limits())
    await place.finish("L0")
    assert place.said()[0] == "credit", "none ahead any more"
    place.assign("L1")
    place.assign("L2")
    assert place.said() == ["accepted L1"]
    await place.leases.end()


class SlowingPrefetch(Prefetch):
    """Takes nothing ahead any more after the first piece of work."""

    has_worked = False

    def took(self, seconds: float) -> None:
        self.has_worked = True

    @property
    def ahead(self) -> int:
        return 0 if self.has_worked else 4


async def quick_workplace() -> Workplace:
    """Returns a workplace with one slot, and credit ahead of it."""
    place = Workplace(slots=1)
    place.leases.welcomed(Limits())
    for number in range(40):
        await place.finish(f"quick {number}")
        place.leases.forget(f"quick {number}")
    place.said()
    return place


async def test_a_draining_worker_gives_back_what_waits_for_a_slot() -> None:
    place = await quick_workplace()
    place.assign("L1")
    place.assign("L2")
    place.leases.drain()
    assert place.said() == ["draining", "abandon L2", "accepted L1"]
    await place.leases.end()


async def test_quick_work_earns_credit_ahead_of_the_slots_and_a_runner_that_ends_gets_none() -> None:
    place = Workplace(slots=1)
    place.leases.welcomed(Limits())
    place.leases.take_no_more()
    for number in range(40):
        await place.finish(f"quick {number}")
        place.leases.forget(f"quick {number}")
    assert place.said().count("credit") == 0
    place.leases.welcomed(Limits())
    (credit,) = place.leases.outgoing()
    assert credit.credit.window > 1
