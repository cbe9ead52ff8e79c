"""The places of calls: functions never hold up the worker, and never exceed the seats."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from signoff.app import Context, Failed
from tests.support.work.functions import SAMPLE, callee, job
from tests.support.work.givens import Heard, spent
from worker_svc.functions import to_report as line_module
from worker_svc.functions.calling import Callee
from worker_svc.functions.job import Broken, FunctionJob, Made, Outcome
from worker_svc.functions.loading import callees_of
from worker_svc.functions.places import event_loop as loop_place
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.functions.to_report import ReportLine

WITHIN = 10.0  # seconds for what takes milliseconds; a process takes a second


@pytest.fixture
async def places() -> AsyncIterator[CallPlaces]:
    created = CallPlaces(slots=2)
    yield created
    await created.close()


def started(
    places: CallPlaces, target: Callee, given: FunctionJob | None = None, heard: Heard | None = None
) -> asyncio.Task[Outcome]:
    line = ReportLine(heard or Heard())
    return asyncio.create_task(places.run(target, given or job(), line))


async def outcome(running: asyncio.Task[Outcome]) -> Outcome:
    return await asyncio.wait_for(running, WITHIN)


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, WITHIN)


async def cancelled(running: asyncio.Task[Any]) -> None:
    """Cancels a call, and waits until it has ended."""
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, WITHIN)


# ---------------------------------------------------------------- coroutines and threads


async def test_coroutines_share_one_thread_and_other_functions_have_one_each(places: CallPlaces) -> None:
    async def coroutine() -> str:
        return threading.current_thread().name

    def thread(ctx: Context) -> str:
        together.wait(WITHIN)
        return str(threading.get_ident())

    together = threading.Barrier(2)
    names = {await outcome(started(places, callee(coroutine))) for _ in range(2)}
    assert names == {Made(content=b"async functions", media_type="text/plain")}
    made = await asyncio.gather(*(outcome(started(places, callee(thread))) for _ in range(2)))
    assert len({one.content for one in made if isinstance(one, Made)} | {str(threading.get_ident()).encode()}) == 3


async def test_a_coroutine_that_blocks_holds_up_neither_the_worker_nor_threads(places: CallPlaces) -> None:
    async def blocks() -> str:
        begun.set()
        return "freed" if free.wait(WITHIN) else "not freed"

    def thread() -> str:
        return "done"

    begun, free = threading.Event(), threading.Event()
    blocked = started(places, callee(blocks))
    await until(begun)
    assert await outcome(started(places, callee(thread))) == Made(content=b"done", media_type="text/plain")
    assert not blocked.done()
    free.set()
    assert await outcome(blocked) == Made(content=b"freed", media_type="text/plain")


async def test_a_loop_that_is_blocked_is_said_to_be_with_the_place(
    places: CallPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blocks() -> str:
        free.wait(WITHIN)
        return "freed"

    class Logged:
        def warning(self, event: str, **fields: Any) -> None:
            said.append((event, fields))
            free.set()

    said, free = list[tuple[str, dict[str, Any]]](), threading.Event()
    monkeypatch.setattr(loop_place, "BLOCKED_AFTER", 0.05)
    monkeypatch.setattr(loop_place, "log", Logged())
    await outcome(started(places, callee(blocks)))
    event, fields = said[0]
    assert (event, fields["functions"]) == ("async_functions_blocked", ["blocks"])
    assert "threading.py" in fields["at"]


async def test_a_cancelled_coroutine_gets_the_cancellation(places: CallPlaces) -> None:
    async def waits(ctx: Context) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append(ctx.cancelled)
            ended.set()
            raise
        return "never"

    begun, ended, seen = threading.Event(), threading.Event(), list[bool]()
    running = started(places, callee(waits))
    await until(begun)
    await cancelled(running)
    await until(ended)
    assert seen == [True]


async def test_a_cancelled_thread_is_told_and_may_end(places: CallPlaces) -> None:
    def works(ctx: Context) -> str:
        begun.set()
        go_on.wait(WITHIN)
        try:
            ctx.raise_if_cancelled()
        finally:
            ended.set()
        return "never"

    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    running = started(places, callee(works))
    await until(begun)
    await cancelled(running)
    go_on.set()
    await until(ended)


async def _two_runaways(places: CallPlaces, target: Callee, begun: list[threading.Event]) -> None:
    """Makes two calls of a function that ignores its cancellation, and cancels them."""
    runaways = [started(places, target) for _ in begun]
    for event in begun:
        await until(event)
    for running in runaways:
        await cancelled(running)


@pytest.mark.guard(name="a cancelled call keeps its seat")
async def test_threads_that_go_on_are_counted_and_work_waits_for_one_to_end(places: CallPlaces) -> None:
    def runs_away() -> str:
        begun[next(number)].set()
        free.wait(WITHIN)
        return "freed"

    def quick() -> str:
        ran.set()
        return "done"

    begun, number = [threading.Event(), threading.Event()], iter(range(2))
    free, ran = threading.Event(), threading.Event()
    await _two_runaways(places, callee(runs_away), begun)
    with capture_logs() as logs:
        waiting = started(places, callee(quick))
        other = started(places, callee(quick))
        await asyncio.sleep(0)
    assert [entry["event"] for entry in logs] == ["function_waits", "function_waits"]
    assert (logs[0]["function"], logs[0]["by"]) == ("quick", ["runs_away"])
    await cancelled(other)
    assert not ran.is_set()
    free.set()
    assert await outcome(waiting) == Made(content=b"done", media_type="text/plain")


async def test_coroutines_that_go_on_are_counted_too(places: CallPlaces) -> None:
    async def runs_away() -> str:
        begun[next(number)].set()
        while not free.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.001)
        return "freed"

    async def quick() -> str:
        ran.set()
        return "done"

    begun, number = [threading.Event(), threading.Event()], iter(range(2))
    free, ran = threading.Event(), threading.Event()
    await _two_runaways(places, callee(runs_away), begun)
    waiting = started(places, callee(quick))
    await asyncio.sleep(0)
    assert not ran.is_set()
    free.set()
    assert await outcome(waiting) == Made(content=b"done", media_type="text/plain")


async def test_a_coroutine_that_is_cancelled_before_the_loop_has_time_for_it_gives_its_seat_back(
    places: CallPlaces,
) -> None:
    async def blocks() -> str:
        begun.set()
        free.wait(WITHIN)
        return "freed"

    async def quick() -> str:
        return "done"

    begun, free = threading.Event(), threading.Event()
    blocked = started(places, callee(blocks))
    await until(begun)
    early = started(places, callee(quick))
    await asyncio.sleep(0)
    await cancelled(early)
    free.set()
    await outcome(blocked)
    both = [started(places, callee(quick)) for _ in range(2)]
    assert [await outcome(one) for one in both] == 2 * [Made(content=b"done", media_type="text/plain")]


async def test_a_task_that_wants_to_exit_does_not_end_the_loop_of_the_others(places: CallPlaces) -> None:
    async def begins_one() -> str:
        exiting = asyncio.create_task(exits())
        with suppress(SystemExit):
            await exiting
        return "done"

    async def exits() -> None:
        raise SystemExit(3)

    with capture_logs() as logs:
        assert await outcome(started(places, callee(begins_one))) == Made(content=b"done", media_type="text/plain")
    assert [entry["event"] for entry in logs] == ["async_function_wanted_to_exit"]


@pytest.mark.guard(name="a function does not end the loop of all others")
async def test_a_function_that_stops_the_loop_does_not_end_the_others(places: CallPlaces) -> None:
    async def stops_it() -> str:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        return "done"

    with capture_logs() as logs:
        for _ in range(2):
            assert await outcome(started(places, callee(stops_it))) == Made(content=b"done", media_type="text/plain")
    assert [entry["event"] for entry in logs] == 2 * ["async_function_stopped_the_loop"]


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
async def test_a_failure_that_cannot_be_described_gives_its_seat_back(
    places: CallPlaces, kind: type[BaseException]
) -> None:
    class Indescribable(Failed):
        @property
        def message(self) -> str:
            raise kind

        @message.setter
        def message(self, value: str) -> None: ...

    def thread() -> str:
        raise Indescribable("no")

    async def coroutine() -> str:
        raise Indescribable("no")

    for _ in range(3):
        for call in (thread, coroutine):
            told = await outcome(started(places, callee(call)))
            assert isinstance(told, Broken)
            assert told.message == f"a bug in the worker: {kind.__name__}"
            assert "in message" in told.traceback


async def test_closing_does_not_wait_for_what_cannot_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def runs_away() -> str:
        begun.set()
        free.wait(WITHIN)
        return "freed"

    async def blocks() -> str:
        return runs_away()

    monkeypatch.setattr("worker_svc.functions.places.threads.GOODBYE", 0.0)
    monkeypatch.setattr("worker_svc.functions.places.event_loop.GOODBYE", 0.0)
    free = threading.Event()
    for call in (runs_away, blocks):
        begun, places = threading.Event(), CallPlaces(slots=1)
        running = started(places, callee(call))
        await until(begun)
        await cancelled(running)
        with capture_logs() as logs:
            await places.close()
        assert logs[0] == {"event": "functions_left_running", "log_level": "warning", "functions": [call.__name__]}
    free.set()


async def test_closing_gives_coroutines_the_time_to_clean_up() -> None:
    async def waits() -> str:
        asyncio.get_running_loop().run_in_executor(None, int)
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()
        return "never"

    begun, cleaned, places = threading.Event(), threading.Event(), CallPlaces(slots=1)
    before = set(threading.enumerate())
    running = started(places, callee(waits))
    await until(begun)
    await cancelled(running)
    await places.close()
    assert cleaned.is_set()
    left = set(threading.enumerate()) - before
    assert [thread.name for thread in left if thread.name == "async functions"] == []


# ---------------------------------------------------------------- processes


def sample(name: str) -> Callee:
    return callees_of(SAMPLE, judges=False)[name]


async def test_a_process_makes_candidates_says_how_it_goes_and_is_used_again(places: CallPlaces) -> None:
    heard = Heard()
    first = await outcome(started(places, sample("counts"), job(parameters={"text": "a b c"}), heard))
    second = await outcome(started(places, sample("counts"), job(parameters={"text": ""})))
    assert isinstance(first, Made)
    assert isinstance(second, Made)
    words, _, process = first.content.decode().strip("{}").replace('"', "").replace("words:", "").partition(",process:")
    assert (words, int(process) != os.getpid()) == ("3", True)
    assert second.content == b'{"words":0,"process":' + process.encode() + b"}"
    assert (heard.pieces, heard.costs[-1]) == (["counting\n"], ("counter", spent(1, 2, 3)))


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("exits", {"code": 3}, "the process of exits ended with exit code 3"),
        ("kills_itself", {}, "the process of kills_itself was killed by signal 9"),
    ],
)
async def test_a_process_that_dies_is_a_failure_and_the_next_call_gets_another(
    places: CallPlaces, name: str, parameters: dict[str, int], said: str
) -> None:
    assert await outcome(started(places, sample(name), job(parameters=parameters))) == Broken(message=said)
    assert isinstance(await outcome(started(places, sample("counts"), job(parameters={"text": "a"}))), Made)


async def test_what_is_raised_in_a_process_comes_with_its_traceback_for_the_log(places: CallPlaces) -> None:
    failed = await outcome(started(places, sample("raises")))
    assert isinstance(failed, Broken)
    assert re.fullmatch(r"ValueError: in a process \(\S*sample\.py:\d+ in raises\)", failed.message)
    assert "sample.py" in failed.traceback


@pytest.mark.guard(name="a process is killed with all it has started")
async def test_a_cancelled_process_is_killed_with_its_children(places: CallPlaces, tmp_path: Path) -> None:
    fifo, heard = tmp_path / "fifo", Heard()
    os.mkfifo(fifo)
    running = started(places, sample("blocks_process"), job(parameters={"fifo": str(fifo)}), heard)
    await asyncio.wait_for(heard.heard.wait(), WITHIN)
    pids = [int(pid) for pid in "".join(heard.pieces).split()]
    assert [is_alive(pid) for pid in pids] == [True, True]
    await cancelled(running)
    await gone(pids)


async def test_a_process_that_died_while_it_was_idle_is_replaced(places: CallPlaces) -> None:
    given = job(parameters={"text": "a"})
    first = await outcome(started(places, sample("counts"), given))
    assert isinstance(first, Made)
    process = int(first.content.rpartition(b":")[2].rstrip(b"}"))
    os.kill(process, 9)
    await gone([process])
    second = await outcome(started(places, sample("counts"), given))
    assert isinstance(second, Made)
    assert second.content != first.content


def is_alive(pid: int) -> bool:
    """Tells whether a process runs; a zombie does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(WITHIN):
        while any(map(is_alive, pids)):  # noqa: ASYNC110 - the kernel sends no event for others' children
            await asyncio.sleep(0.01)


# ---------------------------------------------------------------- lines


async def test_what_a_function_says_is_told_in_one_go_and_nothing_after_its_end(places: CallPlaces) -> None:
    def talks(ctx: Context) -> str:
        for number in range(1000):
            ctx.progress(str(number), end=" ")
        ctx.usage("writer", input_tokens=5, output_tokens=3)
        ctx.usage("writer", input_tokens=5, output_tokens=4, requests=2)
        kept.append(ctx)
        return "done"

    heard, kept = Heard(), list[Context]()
    await outcome(started(places, callee(talks), heard=heard))
    assert "".join(heard.pieces).split() == [str(number) for number in range(1000)]
    assert (heard.costs[-1], heard.token_counts[-1]) == (("writer", spent(10, 7, 3)), 7)
    before = len(heard.pieces), len(heard.costs)
    kept[0].progress("too late")
    kept[0].usage("writer")
    await asyncio.sleep(0)
    assert (len(heard.pieces), len(heard.costs)) == before


async def until_saved(heard: Heard, text: bytes) -> None:
    async with asyncio.timeout(WITHIN):
        while text not in heard.checkpoints:
            heard.heard.clear()
            await heard.heard.wait()


async def test_of_checkpoints_the_first_is_told_at_once_and_then_the_last_one() -> None:
    heard = Heard()
    line = ReportLine(heard)
    line.checkpoint(b"0")
    await until_saved(heard, b"0")
    for number in range(1, 100):
        line.checkpoint(str(number).encode())
        line.flush()
    assert heard.checkpoints == [b"0"]
    line.end()
    assert heard.checkpoints == [b"0", b"99"]


async def test_a_checkpoint_that_waits_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "SAVE_EVERY", 0.05)
    heard = Heard()
    line = ReportLine(heard)
    for text in (b"first", b"second"):
        line.checkpoint(text)
        await until_saved(heard, text)
    assert heard.checkpoints == [b"first", b"second"]


async def test_a_process_goes_on_from_what_the_one_before_it_has_saved(places: CallPlaces) -> None:
    heard = Heard()
    died = await outcome(started(places, sample("goes_on"), heard=heard))
    assert died == Broken(message="the process of goes_on was killed by signal 9")
    assert heard.checkpoints == [b'{"pages": 3}']
    made = await outcome(started(places, sample("goes_on"), job(checkpoint={"pages": 3})))
    assert made == Made(content=b"went on from page 3", media_type="text/plain")


async def test_progress_without_a_word_is_progress_too(places: CallPlaces) -> None:
    def works(ctx: Context) -> str:
        ctx.progress()
        return "done"

    heard = Heard()
    await outcome(started(places, callee(works), heard=heard))
    assert (heard.pieces, heard.token_counts) == ([], [0])


async def test_a_function_that_talks_without_end_costs_no_more_than_a_report_keeps() -> None:
    heard = Heard()
    line = ReportLine(heard)
    for _ in range(200):
        line.progress("x" * 10_000)
    line.end()
    assert 64 * 1024 < sum(map(len, heard.pieces)) <= 128 * 1024


@pytest.mark.parametrize("say", [lambda line: line.progress("a"), lambda line: line.checkpoint(b"a")])
async def test_a_call_that_is_cancelled_says_nothing_more(say: Callable[[ReportLine], None]) -> None:
    heard = Heard()
    line = ReportLine(heard)
    say(line)
    line.cancel()
    say(line)
    await asyncio.sleep(0)
    assert (heard.pieces, heard.costs, heard.token_counts, heard.checkpoints) == ([], [], [], [])


async def test_what_a_call_has_cost_is_told_when_it_is_cancelled_and_never_after_that() -> None:
    heard = Heard()
    line = ReportLine(heard)
    line.usage("writer", {"input_tokens": 5, "requests": 1})
    line.progress("of no interest")
    line.cancel()
    line.usage("writer", {"input_tokens": 5, "requests": 1})
    await asyncio.sleep(0)
    assert (heard.costs, heard.pieces) == ([("writer", spent(5, 0))], [])


def test_a_thread_that_outlives_the_worker_reports_nothing() -> None:
    async def made() -> ReportLine:
        return ReportLine(Heard())

    line = asyncio.run(made())
    line.progress("still here")
    line.usage("writer", {"requests": 1})
    line.checkpoint(b"still here")
