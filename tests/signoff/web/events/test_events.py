"""Server-sent events: every event exactly once and in order, over cuts and over the death of the runner."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.errors import InvalidField
from signoff.web.api.events import OpenStreams
from signoff.web.events.cursor import cursor_of, positions_of
from signoff.web.events.stream import EventStream
from signoff.web.safety.refusals import TooManyEventStreams
from signoff.web.upstream import Upstream
from tests.signoff.web.events.reading import Reader
from tests.support.servers import door
from tests.support.servers.door import Services, kill_runner

SLOW = ("--executors", "2", "--validators", "2", "--model", "mock:delay=0.1")


def ended_in(reader: Reader) -> set[str]:
    """Reads until each execution of the stream has ended; returns them."""
    found: set[str] = set()
    for received in reader.read():
        if received.event == "ended":
            found.add(received.data["executionId"])
        if found == set(reader.executions):
            break
    return found


def test_a_stream_begins_with_a_snapshot_and_ends_with_the_execution(services: Services, finished: str) -> None:
    with closing(Reader(services.client, (finished,)).read()) as stream:
        snapshot, ended = next(stream), next(stream)
    assert (snapshot.event, snapshot.data["last"], len(snapshot.data["tasks"])) == ("snapshot", True, 7)
    assert (ended.event, ended.data) == ("ended", {"executionId": finished})


def test_the_answer_is_not_kept_or_held_back_on_its_way(services: Services, finished: str) -> None:
    with services.client.stream("GET", "events", params={"execution": finished}) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
        assert "Content-Encoding" not in answer.headers
        assert next(answer.iter_raw()).startswith(b"retry: 2000\n\n")


def test_wherever_a_stream_is_cut_each_event_comes_once_and_in_order(services: Services, finished: str) -> None:
    """Two executions on one stream, cut at random bytes until both have come to their ends."""
    other = services.started()
    last = {name: int(services.ended(name)["sequence"]) for name in (finished, other)}

    @settings(max_examples=12)
    @given(st.lists(st.integers(1, 6_000), max_size=12))
    def holds(cuts: list[int]) -> None:
        reader = Reader(services.client, (finished, other), last_id=cursor_of({finished: 0, other: 0}))
        for cut in cuts:
            for _ in reader.read(cut_after=cut):
                pass
            if all(reader.events.get(name, [0])[-1] == last[name] for name in last):
                break
        assert ended_in(reader) == {finished, other}
        for name, sequence in last.items():
            reader.check(name, sequence)

    holds()


def test_the_last_event_id_wins_over_the_parameter(services: Services, finished: str) -> None:
    reader = Reader(services.client, (finished,), last_id=cursor_of({finished: 5}))
    with closing(reader.read(after=cursor_of({finished: 1}))) as stream:
        resumed, events = next(stream), next(stream)
    assert (resumed.event, resumed.data) == ("resumed", {"executions": {finished: "5"}})
    assert events.data["events"][0]["sequence"] == "6"


def test_an_execution_that_the_cursor_does_not_know_begins_with_a_snapshot(services: Services, finished: str) -> None:
    other = services.started()
    services.ended(other)
    reader = Reader(services.client, (finished, other), last_id=cursor_of({finished: 5}))
    assert ended_in(reader) == {finished, other}
    assert set(reader.begun) == {other}
    reader.check(other, reader.begun[other])


def test_an_execution_that_comes_to_life_again_goes_on_in_the_same_stream(services: Services) -> None:
    execution_id = services.started()
    services.ended(execution_id)
    reader = Reader(services.client, (execution_id,))
    ends = 0
    for received in reader.read():
        ends += received.event == "ended"
        if received.event == "ended" and ends == 1:
            answer = services.send("POST", f"executions/{execution_id}/tasks/4_1/retry")
            assert answer.status_code == 200, answer.text
        elif ends == 2:
            break
    reader.check(execution_id, int(services.ended(execution_id)["sequence"]))
    assert reader.events[execution_id]


def test_thinking_has_no_id_and_only_comes_when_asked_for(services: Services) -> None:
    execution_id = services.started()
    reader = Reader(services.client, (execution_id,))
    thoughts = []
    for received in reader.read(thinking="1"):
        if received.event == "thinking":
            thoughts.append(received)
        if received.event == "ended":
            break
    assert thoughts
    assert not any(received.id for received in thoughts)


def test_a_stream_of_some_tasks_has_their_events_alone_and_ends_once(services: Services, finished: str) -> None:
    reader = Reader(services.client, (finished,), last_id=cursor_of({finished: 0}))
    messages = reader.read(task="1_1")
    received = []
    for message in messages:
        received.append(message)
        if message.event == "ended":
            break
    messages.close()
    tasks = {event["taskId"] for one in received if one.event == "events" for event in one.data["events"]}
    assert tasks == {"1_1"}
    with services.client.stream("GET", "events", params={"execution": finished, "task": "1_1"}) as answer:
        told = b""
        for piece in answer.iter_raw():
            told += piece
            if b"event: ended" in told:
                break
    assert told.count(b"event: ended") == 1


# ---------------------------------------------------------------- the runner dies


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Services]:
    with door.services(tmp_path, *SLOW) as found:
        yield found


@pytest.mark.guard(name="every event once")
def test_a_stream_outlives_the_runner(slow: Services) -> None:
    """The runner is killed while the stream is open. The page learns of it, and nothing is lost or told twice."""
    execution_id = slow.started()
    reader, told = Reader(slow.client, (execution_id,)), list[str]()
    for received in reader.read():
        told.append(received.event)
        if told.count("events") == 3 and "away" not in told:
            kill_runner(slow)
        if received.event == "away":
            assert received.data["reason"] == "UNAVAILABLE"
            assert received.data["asOf"].endswith("Z")
        if received.event == "ended":
            break
    reader.check(execution_id, int(slow.ended(execution_id)["sequence"]))
    assert told.index("away") < told.index("back") < told.index("ended")
    assert (told.count("away"), told.count("snapshot")) == (told.count("back"), 1)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ({}, 400, "INVALID_FIELD"),
        ({"execution": "nothing"}, 404, "EXECUTION_NOT_FOUND"),
        ({"execution": "FINISHED", "after": "no cursor"}, 400, "INVALID_FIELD"),
        ({"execution": "FINISHED", "after": "AHEAD"}, 409, "SEQUENCE_AHEAD"),
        ({"execution": "FINISHED", "speed": "3"}, 400, "INVALID_FIELD"),
    ],
)
def test_bad_input_is_answered_before_the_stream_begins(
    services: Services, finished: str, query: dict[str, str], status: int, reason: str
) -> None:
    put = {"FINISHED": finished, "AHEAD": cursor_of({finished: 10_000})}
    answer = services.client.get("events", params={name: put.get(value, value) for name, value in query.items()})
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


@pytest.mark.guard(name="a cursor is whole")
@given(st.data())
@settings(max_examples=200)
def test_a_cursor_that_was_cut_or_changed_is_refused(data: st.DataObject) -> None:
    cursor = cursor_of({"one": 17, "two.2-x_y": 2**62})
    assert positions_of(cursor) == {"one": 17, "two.2-x_y": 2**62}
    place = data.draw(st.integers(0, len(cursor) - 2))
    letter = data.draw(st.sampled_from([letter for letter in "AQgwz0-_" if letter != cursor[place]]))
    for broken in (cursor[:place], cursor[:place] + letter + cursor[place + 1 :]):
        with pytest.raises(InvalidField, match="after: expected a cursor of this stream"):
            positions_of(broken)


@pytest.mark.parametrize("text", ["", "é", "A" * 20_000, "!!!!", json.dumps({"a": 1})])
def test_texts_that_are_no_cursor_are_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        positions_of(text)


def test_a_client_that_leaves_leaves_nothing_behind(services: Services, finished: str) -> None:
    """Streams that were cut are not counted any more: more of them than may be open at once can follow each other."""
    host, port = services.url.removeprefix("http://").strip("/").split(":")
    request = f"GET /api/v1/events?execution={finished} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    for _ in range(230):
        with socket.create_connection((host, int(port))) as client:
            client.sendall(request)
            assert client.recv(12) == b"HTTP/1.1 200"


@pytest.mark.guard(name="event streams are bounded")
def test_more_streams_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is checked before a stream begins, so the client gets an answer and can try again."""
    monkeypatch.setattr("signoff.web.api.events.MOST_STREAMS", 0)
    stream = EventStream(upstream=Upstream(), executions=("one",), positions={})
    with pytest.raises(TooManyEventStreams, match="expected at most 0 event streams at once"):
        OpenStreams().counted(stream)
