"""The log that the watchers of an execution share: its spans, their times, and how long they are kept."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from runner_svc.core.model.values import ExecutionId
from runner_svc.publish.feed import BEAT, Feed, Span, Watcher
from signoff.errors import Unavailable, WatcherTooSlow
from signoff.v1 import execution_pb2, runner_pb2
from tests.simulation.nature.clock import run

E1 = ExecutionId("e1")


def events(first: int, last: int) -> list[execution_pb2.Event]:
    return [execution_pb2.Event(sequence=n, task_id="a") for n in range(first, last + 1)]


async def told(watcher: Watcher) -> list[int]:
    """Returns the sequences of the next span."""
    return [event.sequence for event in (await span_of(watcher)).events]


async def span_of(watcher: Watcher) -> Span:
    async with aclosing(watcher.news()) as everything:
        span = await anext(everything)
    assert isinstance(span, Span)
    return span


async def thoughts(watcher: Watcher) -> Sequence[runner_pb2.Thinking]:
    pieces = await anext(watcher.news())
    assert not isinstance(pieces, Span)
    return pieces


def now() -> float:
    return asyncio.get_running_loop().time()


def think(feed: Feed, *texts: str) -> None:
    for text in texts:
        feed.think(E1, runner_pb2.Thinking(task_id="a", text=text))


def test_the_first_event_after_a_quiet_moment_is_told_at_once() -> None:
    async def story() -> None:
        feed = Feed()
        watcher = feed.subscribe(E1, thinking=False)
        begun = now()
        feed.publish({E1: events(1, 1)})
        assert await told(watcher) == [1]
        assert now() == begun

    run(story())


def test_what_comes_within_a_beat_is_told_together() -> None:
    async def story() -> None:
        feed = Feed()
        watcher = feed.subscribe(E1, thinking=False)
        feed.publish({E1: events(1, 1)})
        assert await told(watcher) == [1]
        begun = now()
        feed.publish({E1: events(2, 2)})
        feed.publish({E1: events(3, 4)})
        assert await told(watcher) == [2, 3, 4]
        assert now() == pytest.approx(begun + BEAT)

    run(story())


def test_the_end_of_an_execution_is_told_without_waiting_for_the_beat() -> None:
    async def story() -> None:
        feed = Feed()
        watcher = feed.subscribe(E1, thinking=False)
        feed.publish({E1: events(1, 1)})
        await told(watcher)
        begun = now()
        end = execution_pb2.Event(sequence=2, execution_succeeded=execution_pb2.ExecutionSucceeded())
        feed.publish({E1: [end]})
        assert await told(watcher) == [2]
        assert now() == begun

    run(story())


async def beat_of(watchers: int) -> float:
    """Returns the seconds between two spans."""
    feed = Feed()
    first, *_ = [feed.subscribe(E1, thinking=False) for _ in range(watchers)]
    feed.publish({E1: events(1, 1)})
    await told(first)
    begun = now()
    feed.publish({E1: events(2, 2)})
    await told(first)
    return now() - begun


@pytest.mark.parametrize(("watchers", "seconds"), [(1, 0.05), (25, 0.05), (100, 0.2), (1000, 0.5)])
def test_many_watchers_are_told_less_often_but_never_less_than_twice_a_second(watchers: int, seconds: float) -> None:
    found = []

    async def story() -> None:
        found.append(await beat_of(watchers))

    run(story())
    assert found == [pytest.approx(seconds)]


def test_watchers_get_the_same_bytes() -> None:
    async def story() -> None:
        feed = Feed()
        one, other = feed.subscribe(E1, thinking=False), feed.subscribe(E1, thinking=False)
        feed.publish({E1: events(1, 3)})
        (first,), (second,) = (await span_of(one)).answers, (await span_of(other)).answers
        assert first is second
        answer = runner_pb2.WatchExecutionResponse.FromString(first)
        assert list(answer.events.events) == events(1, 3)

    run(story())


def test_who_reads_later_is_told_all_of_it_in_order() -> None:
    async def story() -> None:
        feed = Feed()
        quick, slow = feed.subscribe(E1, thinking=False), feed.subscribe(E1, thinking=False)
        for n in range(1, 4):
            feed.publish({E1: events(n, n)})
            assert await told(quick) == [n]
        assert [await told(slow) for _ in range(3)] == [[1], [2], [3]]

    run(story())


def test_what_all_were_told_is_not_kept() -> None:
    async def story() -> None:
        feed = Feed()
        quick, slow = feed.subscribe(E1, thinking=False), feed.subscribe(E1, thinking=False)
        feed.publish({E1: events(1, 1)})
        first = weakref.ref(await span_of(quick))
        feed.publish({E1: events(2, 2)})
        await told(quick)
        gc.collect()
        assert first() is not None
        assert await told(slow) == [1]
        feed.publish({E1: events(3, 3)})
        await told(quick)
        gc.collect()
        assert first() is None

    run(story())


def test_who_was_cut_off_keeps_nothing_back() -> None:
    async def story() -> None:
        feed = Feed(queue_limit=4)
        quick, _stuck = feed.subscribe(E1, thinking=False), feed.subscribe(E1, thinking=False)
        feed.publish({E1: events(1, 3)})
        first = weakref.ref(await span_of(quick))
        for n in (4, 7):
            feed.publish({E1: events(n, n + 2)})
            await told(quick)
        gc.collect()
        assert first() is None

    run(story())


@pytest.mark.guard(name="a slow watcher is cut off")
async def test_a_watcher_that_does_not_keep_up_is_cut_off_with_the_reason() -> None:
    feed = Feed(queue_limit=3)
    watcher = feed.subscribe(E1, thinking=False)
    feed.publish({E1: events(1, 4)})
    with pytest.raises(WatcherTooSlow, match="watch again after the last sequence"):
        await anext(watcher.news())


async def test_a_watcher_that_comes_late_owes_nothing_for_what_was_published_before() -> None:
    feed = Feed(queue_limit=3)
    quick = feed.subscribe(E1, thinking=False)
    for n in (1, 3):
        feed.publish({E1: events(n, n + 1)})
        await told(quick)
    late = feed.subscribe(E1, thinking=False)
    feed.publish({E1: events(5, 7)})
    assert await told(late) == [5, 6, 7]


async def test_who_was_disconnected_is_told_why_and_who_watches_anew_is_told_what_follows() -> None:
    feed = Feed()
    old = feed.subscribe(E1, thinking=False)
    feed.publish({E1: events(1, 1)})
    feed.disconnect_all("a rebuild")
    new = feed.subscribe(E1, thinking=False)
    feed.unsubscribe(E1, old)
    feed.publish({E1: events(2, 2)})
    assert (await told(new))[-1] == 2
    with pytest.raises(Unavailable, match="a rebuild: watch again"):
        await anext(old.news())


@pytest.mark.guard(name="thinking gives way to events")
async def test_thinking_that_finds_no_room_is_dropped_and_the_gap_is_marked() -> None:
    feed = Feed(queue_limit=4)
    watcher = feed.subscribe(E1, thinking=True)
    think(feed, "0", "1", "2", "3", "4")
    assert [piece.text for piece in await thoughts(watcher)] == ["0", "1", "2"]
    think(feed, "5")
    (piece,) = await thoughts(watcher)
    assert (piece.text, piece.gap) == ("5", True)


def test_a_watcher_that_is_excused_may_fall_behind_and_has_to_catch_up_afterwards() -> None:
    async def story() -> None:
        feed = Feed(queue_limit=10)
        watcher = feed.subscribe(E1, thinking=False)
        with watcher.excused():
            feed.publish({E1: events(1, 30)})
        assert watcher.ended is None
        feed.publish({E1: events(31, 40)})
        assert watcher.ended is None
        assert await told(watcher) == list(range(1, 31))
        assert await told(watcher) == list(range(31, 41))
        feed.publish({E1: events(41, 45)})
        feed.publish({E1: events(46, 52)})
        assert isinstance(watcher.ended, WatcherTooSlow)

    run(story())


def test_a_watcher_that_was_excused_is_cut_off_when_it_does_not_catch_up() -> None:
    async def story() -> None:
        feed = Feed(queue_limit=10)
        watcher = feed.subscribe(E1, thinking=False)
        with watcher.excused():
            feed.publish({E1: events(1, 30)})
        feed.publish({E1: events(31, 41)})
        assert isinstance(watcher.ended, WatcherTooSlow)

    run(story())
