"""A watcher's position in a journal, without any stream."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.client.watch import Snapshot, WatchPosition
from signoff.errors import Unavailable
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.servers.fake_runner import EXECUTION_ID, assigned, done, execution, journal, undone


def events(*batch: pb.Event) -> runner_pb2.WatchExecutionResponse:
    return runner_pb2.WatchExecutionResponse(events=runner_pb2.EventBatch(events=batch))


def snapshot(*tasks: str, sequence: int, last: bool) -> runner_pb2.WatchExecutionResponse:
    part = runner_pb2.SnapshotPart(
        execution=execution(pb.EXECUTION_STATE_RUNNING, sequence=sequence), tasks=map(undone, tasks), last=last
    )
    return runner_pb2.WatchExecutionResponse(snapshot=part)


def thinking(task: str) -> runner_pb2.WatchExecutionResponse:
    batch = runner_pb2.ThinkingBatch(thinking=[runner_pb2.Thinking(task_id=task, text="hm")])
    return runner_pb2.WatchExecutionResponse(thinking=batch)


def test_a_new_watcher_asks_for_a_snapshot_and_a_known_one_for_what_comes_after() -> None:
    place = WatchPosition(execution_id=EXECUTION_ID)
    assert not place.request().HasField("after_sequence")
    list(place.take(snapshot("a", sequence=7, last=True)))
    assert place.request().after_sequence == 7
    assert WatchPosition(execution_id=EXECUTION_ID, after=0).request().HasField("after_sequence")


def test_a_snapshot_comes_whole_or_not_at_all() -> None:
    place = WatchPosition(execution_id=EXECUTION_ID)
    assert list(place.take(snapshot("a", sequence=7, last=False))) == []
    assert not place.request().HasField("after_sequence")  # the stream broke off: it begins again
    assert list(place.take(snapshot("a", sequence=8, last=False))) == []
    (whole,) = place.take(snapshot("b", sequence=8, last=True))
    assert isinstance(whole, Snapshot)
    assert [task.task_id for task in whole.tasks] == ["a", "b"]


def test_a_missing_event_is_noticed() -> None:
    first, _, third, _ = journal(*done("a"))
    place = WatchPosition(execution_id=EXECUTION_ID, after=0)
    assert list(place.take(events(first))) == [first]
    with pytest.raises(Unavailable, match="expected event 2 of x-1, but event 3 came"):
        list(place.take(events(third)))
    assert place.after == 1


def test_a_watcher_of_some_tasks_expects_gaps() -> None:
    _, second, _, fourth = journal(assigned("a"), assigned("b"), assigned("a", attempt=2), assigned("b", attempt=2))
    place = WatchPosition(execution_id=EXECUTION_ID, after=0, task_ids=("b",))
    assert list(place.take(events(second, fourth))) == [second, fourth]


def test_thinking_after_a_lost_stream_is_marked_as_a_gap_once_a_task() -> None:
    place = WatchPosition(execution_id=EXECUTION_ID, after=0, thinking=True)
    gaps = []
    place.request()
    gaps += [message.gap for message in place.take(thinking("a")) if isinstance(message, runner_pb2.Thinking)]
    place.request()
    for task in ("a", "a", "b"):
        gaps += [message.gap for message in place.take(thinking(task)) if isinstance(message, runner_pb2.Thinking)]
    assert gaps == [False, True, False, False]


@settings(derandomize=True, deadline=None)
@given(total=st.integers(1, 30), rewinds=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
def test_every_event_passes_once_whatever_the_streams_repeat(total: int, rewinds: list[tuple[int, int]]) -> None:
    written = journal(*(assigned(f"t{number}") for number in range(total)))
    place = WatchPosition(execution_id=EXECUTION_ID, after=0)
    seen: list[object] = []
    for back, length in [*rewinds, (0, total)]:
        begin = max(0, (place.after or 0) - back)
        place.request()
        seen += place.take(events(*written[begin : begin + length]))
    seen += place.take(events(*written[place.after or 0 :]))
    assert seen == written
