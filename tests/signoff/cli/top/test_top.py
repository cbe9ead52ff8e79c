"""`signoff top`, driven by keys: what it shows of a run, what it orders, and what it asks before."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Never, cast

import pytest
from rich.segment import Segment
from textual.pilot import Pilot
from textual.widgets import Static

from signoff.cli.top import session as session_of_top
from signoff.cli.top.app import TopApp
from signoff.cli.top.dialogs import Confirm
from signoff.cli.top.session import Session
from signoff.cli.top.tables import VirtualList
from signoff.client.client import Client
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.signoff.cli.test_hostile_texts import HOSTILE, hostile_runner
from tests.support.processes.commands import signoff
from tests.support.processes.ptys import on_terminal
from tests.support.servers.fake_runner import (
    EXECUTION_ID,
    PLAN_ID,
    FakeRunner,
    assigned,
    execution,
    given_to_judge,
    journal,
    listening,
    rejected,
    stored,
    undone,
)

RUNNING = pb.EXECUTION_STATE_RUNNING
NEVER = 1_000_000  # looks of a client until a watch ends


class SilentRunner(FakeRunner):
    """A runner that takes connections, and never says which workers it has."""

    async def ListWorkers(self, request: runner_pb2.ListWorkersRequest, context: Any) -> Never:
        await asyncio.Event().wait()
        raise AssertionError("expected no end of the wait")


def a_run(*events: pb.Event, tasks: int = 3) -> FakeRunner:
    runner = FakeRunner(execution=execution(RUNNING), tasks=[undone(f"t{n}") for n in range(tasks)], looks=NEVER)
    runner.events = journal(*events)
    return runner


@asynccontextmanager
async def topped(runner: FakeRunner, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    async with listening(runner) as address, Client(runner=address) as client:
        app = TopApp(Session(client, runner.execution))
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: bool(app.session.view.execution_id))
            yield pilot


async def until(pilot: Pilot[None], holds: Callable[[], bool], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"expected something else than\n{shown(pilot)}"
        await pilot.pause(0.02)


def shown(pilot: Pilot[None]) -> str:
    """Returns the text on the screen."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


async def until_shown(pilot: Pilot[None], text: str) -> None:
    await until(pilot, lambda: text in shown(pilot))


def asked(runner: FakeRunner, kind: type) -> list[object]:
    return [request for request in runner.asked if isinstance(request, kind)]


# ---------------------------------------------------------------- what it shows


@pytest.mark.guard(name="failed tasks come first")
async def test_failed_tasks_come_first_then_those_at_work() -> None:
    events = (assigned("t1"), assigned("t2"), stored("t2"), given_to_judge("t2"), rejected("t2", "no year"))
    async with topped(a_run(*events)) as pilot:
        await until_shown(pilot, "no year")
        lines = shown(pilot).splitlines()
        order = [line.split()[0] for line in lines if line.startswith("t") and not line.startswith(("task", "trends"))]
        assert order[:3] == ["t2", "t1", "t0"]
        assert any("executor-1" in line for line in lines)
        assert "1 failed" in lines[0]


async def test_the_thinking_of_the_chosen_task_is_shown_live() -> None:
    runner = a_run()
    runner.tasks[0].status, runner.tasks[0].worker = pb.TASK_STATUS_DOING, "executor-1"
    runner.thinking = [runner_pb2.Thinking(task_id="t0", text="I weigh the planets")]
    async with topped(runner) as pilot:
        await until_shown(pilot, "I weigh the planets")


@pytest.mark.guard(name="thinking is not doubled")
async def test_thinking_from_before_is_asked_for_once_and_goes_on_with_what_comes() -> None:
    runner = a_run()
    runner.tasks[1].status, runner.tasks[1].worker, runner.tasks[1].attempt = pb.TASK_STATUS_DOING, "executor-1", 2
    runner.thoughts = runner_pb2.GetThinkingResponse(
        attempt=2, phase=pb.PHASE_EXECUTE, text="I weigh the planets. Mars comes first"
    )
    runner.thinking = [runner_pb2.Thinking(task_id="t1", attempt=2, text=" planets. Mars comes first, and Venus after")]
    async with topped(runner) as pilot:
        await until_shown(pilot, "I weigh the planets. Mars comes first, and Venus after")
        assert shown(pilot).count("planets") == 1
        await pilot.press("down", "up")
        await until_shown(pilot, "I weigh the planets")
    assert len(asked(runner, runner_pb2.GetThinkingRequest)) == 1


async def test_thinking_of_another_lease_is_not_taken_for_that_of_this_one() -> None:
    runner = a_run()
    runner.tasks[0].status, runner.tasks[0].worker, runner.tasks[0].attempt = pb.TASK_STATUS_DOING, "executor-1", 2
    runner.thoughts = runner_pb2.GetThinkingResponse(attempt=3, phase=pb.PHASE_EXECUTE, text="I begin anew")
    runner.thinking = [runner_pb2.Thinking(task_id="t0", attempt=2, text="I weigh")]
    async with topped(runner) as pilot:
        await until_shown(pilot, "I weigh")
        await until(pilot, lambda: bool(asked(runner, runner_pb2.GetThinkingRequest)))
        await pilot.press("down", "up")
        assert "I begin anew" not in shown(pilot)


async def test_a_filter_and_failed_alone_narrow_the_table() -> None:
    async with topped(a_run(tasks=30)) as pilot:
        await until_shown(pilot, "t5")
        await pilot.press("slash", *"t17", "enter")
        await until(pilot, lambda: "t17" in shown(pilot) and "t5 " not in shown(pilot))
        await pilot.press("f")
        await until_shown(pilot, "no task")


async def test_workers_have_their_leases_and_canary_rates() -> None:
    runner = a_run(assigned("t1"))
    runner.workers = [runner_pb2.Worker(name="executor-1", slots=3, leases=2, connected=True, models=["m"])]
    runner.canaries = [pb.CanaryTally(model="judge", good=20, false_rejects=1)]
    async with topped(runner, size=(120, 30)) as pilot:
        await until(pilot, lambda: bool(pilot.app.session.workforce.workers))  # type: ignore[attr-defined]
        await pilot.press("w")
        await until_shown(pilot, "2/3")
        assert "t1" in shown(pilot)
        assert "1 (5.0 %" in shown(pilot)


async def test_hostile_texts_are_visible_in_every_pane() -> None:
    runner = hostile_runner(RUNNING)
    runner.looks, runner.others = NEVER, [runner.execution]
    async with topped(runner, size=(120, 40)) as pilot:
        for keys in (["w"], ["w"], ["c"], ["escape"], ["y"], ["escape"], ["e"], ["escape"]):
            await pilot.press(*keys)
            await pilot.pause(0.3)
            text = shown(pilot)
            assert "\x1b" not in text
            assert not set("\x07\x9b\x7f\u202e\u2066\u200b\u2028\U000e0041") & set(text)
    assert HOSTILE in runner.tasks[1].last_failure


# ---------------------------------------------------------------- on which terminals

SIZES = [(40, 10), (60, 16), (80, 24), (100, 30), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tasks", [5, 2_000])
async def test_it_is_readable_on_terminals_of_any_size(size: tuple[int, int], tasks: int) -> None:
    reason = "the candidate has no year, " * 10
    async with topped(a_run(assigned("t2"), stored("t2"), rejected("t2", reason), tasks=tasks), size=size) as pilot:
        await until_shown(pilot, "the candidate")
        lines = shown(pilot).splitlines()
    assert lines[0].startswith("trends running")
    heading = next(number for number, line in enumerate(lines) if line.startswith("task "))
    assert lines[heading].endswith("worker, or failure" if size[0] >= 60 else "…")
    assert lines[heading + 1].startswith("t2 ")
    assert lines[heading + 1].endswith("…")  # not cut off by the scroll bar
    assert lines[-1].startswith("q quit  ? keys")
    assert len([line for line in lines if line.startswith("t")]) >= min(tasks, size[1] // 3)


async def test_a_short_column_of_ids_leaves_the_room_to_failures_and_a_long_one_is_cut() -> None:
    long = "a_name_that_goes_on_and_on_for_a_long_time"
    runner = a_run(assigned("t1"), stored("t1"), rejected("t1", "no year"))
    async with topped(runner) as pilot:
        await until_shown(pilot, "no year")
        assert "t1      validation-failed 1   no year" in shown(pilot)
    runner.tasks.append(undone(long))
    async with topped(runner) as pilot:
        await until_shown(pilot, f"{long[:24]}… undone")


async def test_a_task_has_the_colour_of_its_state() -> None:
    async with topped(a_run(assigned("t1"))) as pilot:
        await until_shown(pilot, "executor-1")
        await pilot.press("down")  # the chosen one is reversed
        await until(pilot, lambda: "t0" in text_in(pilot, "reverse"))
        assert colours(pilot, "t1 ") - colours(pilot, "t2 ")


@pytest.mark.guard(name="NO_COLOR is respected")
async def test_without_colours_none_is_drawn_and_what_is_chosen_is_still_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    runner = a_run(assigned("t1"), tasks=40)
    runner.others = [runner.execution]
    async with topped(runner) as pilot:
        await until_shown(pilot, "executor-1")
        assert "t1" in text_in(pilot, "reverse")
        for key in ("w", "w", "question_mark", "escape", "slash", "escape", "s", "n", "e"):
            await pilot.press(key)
            assert colours(pilot) == set()
        await until_shown(pilot, "executions, the newest first")
        await until(pilot, lambda: text_in(pilot, "underline").count("trends  running") == 1)
        assert colours(pilot) == set()


def drawn(pilot: Pilot[None]) -> Iterator[tuple[str, Segment]]:
    """Yields each piece of the screen with the line it is in."""
    for strip in pilot.app.screen._compositor.render_strips():
        for segment in strip:
            yield strip.text, segment


def colours(pilot: Pilot[None], of: str = "") -> set[str]:
    """Returns the colours of the text, in the lines with this text."""
    styles = [piece.style for line, piece in drawn(pilot) if of in line and piece.style is not None]
    return {colour.name for style in styles for colour in (style.color, style.bgcolor) if colour is not None}


def text_in(pilot: Pilot[None], attribute: str) -> str:
    """Returns the text that is reversed, or underlined."""
    return "\n".join(piece.text for _, piece in drawn(pilot) if getattr(piece.style, attribute, None))


# ---------------------------------------------------------------- what it orders


@pytest.mark.guard(name="top ends without an error")
async def test_a_clock_that_moves_on_while_the_app_ends_is_no_error() -> None:
    async with topped(a_run()) as pilot:
        await until_shown(pilot, "t0")
        app = cast(TopApp, pilot.app)
        await app.query("#head").remove()
        app.session.is_lost = True  # its headline has one more line
        app.draw(always=True)


async def test_p_pauses_and_resumes() -> None:
    runner = a_run()
    async with topped(runner) as pilot:
        await pilot.press("p")
        await until_shown(pilot, "is paused")
        assert asked(runner, runner_pb2.PauseExecutionRequest)


@pytest.mark.guard(name="what cannot be undone is confirmed")
@pytest.mark.parametrize(
    ("key", "request_"), [("s", runner_pb2.StopExecutionRequest), ("r", runner_pb2.RetryTaskRequest)]
)
async def test_what_takes_back_work_is_confirmed(key: str, request_: type) -> None:
    runner = a_run()
    async with topped(runner) as pilot:
        await until_shown(pilot, "t0")
        await pilot.press(key)
        await until_shown(pilot, "any other key: no")
        await pilot.press("n")
        await pilot.pause(0.1)
        assert asked(runner, request_) == []
        await pilot.press(key)
        await until_shown(pilot, "any other key: no")
        await pilot.press("y")
        await until(pilot, lambda: bool(asked(runner, request_)))


@pytest.mark.guard(name="a dialog has one answer")
async def test_keys_that_come_too_fast_break_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = a_run()
    async with topped(runner) as pilot:
        await until_shown(pilot, "t0")
        for key in "slsaslnhqnnn":
            pilot.app.simulate_key(key)
        await pilot.pause(0.3)
        dialog, answers = Confirm("?"), list[bool]()
        monkeypatch.setattr(dialog, "dismiss", answers.append)
        await pilot.app.push_screen(dialog)
        dialog.answer(False)
        dialog.answer(False)
        assert answers == [False]
    assert asked(runner, runner_pb2.StopExecutionRequest) == []


def a_verdict() -> FakeRunner:
    runner = hostile_runner(RUNNING)
    runner.looks = NEVER
    runner.tasks = [undone("b")]
    return runner


@pytest.mark.guard(name="people judge in top what they were shown")
@pytest.mark.guard(name="a verdict in top is on what was shown")
async def test_a_candidate_is_shown_before_it_is_approved_by_digest_and_attempt() -> None:
    runner = a_verdict()
    async with topped(runner) as pilot:
        await until_shown(pilot, "undone")
        await pilot.press("a")
        await until_shown(pilot, "a: sign it off")
        assert "a result" in shown(pilot) or "candidate" in shown(pilot)
        await pilot.press("escape")
        await until_shown(pilot, "no verdict was given")
        assert asked(runner, runner_pb2.JudgeTaskRequest) == []
        await pilot.press("a")
        await until_shown(pilot, "a: sign it off")
        await pilot.press("a")
        await until_shown(pilot, "b was signed off")
    (request,) = asked(runner, runner_pb2.JudgeTaskRequest)
    assert isinstance(request, runner_pb2.JudgeTaskRequest)
    seen = runner.candidates[-1][0].artifact
    assert (request.digest, request.attempt, request.outcome) == (seen.digest, seen.attempt, pb.OUTCOME_PASS)


async def test_a_rejection_has_a_reason() -> None:
    runner = a_verdict()
    async with topped(runner) as pilot:
        await until_shown(pilot, "undone")
        await pilot.press("x")
        await until_shown(pilot, "x: reject it")
        await pilot.press("x")
        await until_shown(pilot, "what is to be mended?")
        await pilot.press(*"dates", "enter")
        await until_shown(pilot, "b was rejected")
    (request,) = asked(runner, runner_pb2.JudgeTaskRequest)
    assert isinstance(request, runner_pb2.JudgeTaskRequest)
    assert (request.reason, request.outcome) == ("dates", pb.OUTCOME_FAIL)


# ---------------------------------------------------------------- the connection


@pytest.mark.guard(name="a lost connection is told")
async def test_a_runner_that_goes_away_is_told_of_and_found_again() -> None:
    runner = a_run()
    async with listening(runner) as address, Client(runner=address) as client:
        session = Session(client, runner.execution)
        app = TopApp(session)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: bool(session.view.execution_id))
            session.client = Client(runner="127.0.0.1:1")
            async with session.client:
                await until_shown(pilot, "connection lost, as of ")
            session.client = client
            await until(pilot, lambda: "connection lost" not in shown(pilot))


@pytest.mark.guard(name="a watch that breaks off is told at once")
async def test_a_watch_that_breaks_off_is_told_of_without_a_look_at_the_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_of_top, "LOOK_AGAIN", float(NEVER))
    runner = a_run()
    async with AsyncExitStack() as runs, Client(runner=await runs.enter_async_context(listening(runner))) as client:
        app = TopApp(Session(client, runner.execution))
        async with app.run_test(size=(80, 24)) as pilot:
            await until_shown(pilot, "undone")
            await runs.aclose()
            await until_shown(pilot, "connection lost, as of ")


@pytest.mark.guard(name="a frozen runner is told of")
async def test_a_runner_that_says_nothing_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_of_top, "SILENT", 0.1)
    async with topped(SilentRunner(execution=execution(RUNNING), tasks=[undone("t0")], looks=NEVER)) as pilot:
        await until_shown(pilot, "connection lost, as of ")


async def test_a_flood_of_events_over_two_thousand_tasks_leaves_the_keys_at_work() -> None:
    events = [event for n in range(1_500) for event in (assigned(f"t{n}"), stored(f"t{n}"))]
    async with topped(a_run(*events, tasks=2_000), size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, TopApp)
        await until(pilot, lambda: len(app.query_one(VirtualList).keys) == 2_000)
        await pilot.press("end")
        assert app.query_one(VirtualList).selected == "t1999"
        await until(pilot, lambda: app.session.view.sequence == len(events))
        began = time.monotonic()
        app.draw(always=True)
        assert time.monotonic() - began < 0.5  # ten milliseconds on a quiet machine
        assert app.query_one(VirtualList).selected == "t1999"
        assert app.query_one("#head", Static).size.height == 1


# ---------------------------------------------------------------- as a program


async def test_without_a_terminal_it_follows_in_plain_lines(tmp_path: Path) -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_SUCCEEDED, done=1), tasks=[undone("t0")])
    async with listening(runner) as address:
        end = await signoff("top", "--runner", address, cwd=tmp_path)
    assert end.code == 0
    assert f"{PLAN_ID} ({EXECUTION_ID})" in end.out
    assert "\x1b" not in end.out


async def test_two_names_are_one_too_many(tmp_path: Path) -> None:
    end = await signoff("top", "a", "--execution", "b", cwd=tmp_path)
    assert end.code == 2
    assert "expected one of PLAN_ID, --plan and --execution" in end.err


def test_other_commands_do_not_load_it() -> None:
    probe = "import sys, signoff.cli.app, signoff.cli.watch.follow; assert 'textual' not in sys.modules"
    subprocess.run([sys.executable, "-c", probe], check=True)


@pytest.mark.long  # test_on_terminal.py has it with a runner that dies in between
async def test_a_person_signs_off_in_top_on_a_real_terminal(tmp_path: Path) -> None:
    part = {"input": {"description": "i"}, "output": {"description": "o"}, "validation": {"human": True}}
    plan = tmp_path / "judged.json"
    plan.write_text(json.dumps({"idea": "a person decides", "tasks": [{"task_id": "j1", **part}]}))
    free = ("--planner-address", "127.0.0.1:0", "--runner-address", "127.0.0.1:0")
    crew = ("--executors", "1", "--validators", "1", "--model", "mock", "--json")
    async with on_terminal("serve", *free, *crew, cwd=tmp_path, width=300) as serving:
        await serving.until("}")
        there = json.loads(serving.text[serving.text.index("{") :].splitlines()[0])
        at = ("--planner", there["planner"], "--runner", there["runner"])
        assert (await signoff("submit", plan, *at, "--detach", cwd=tmp_path)).code == 0
        async with on_terminal("top", "--runner", there["runner"], cwd=tmp_path) as terminal:
            await terminal.until("for you")
            terminal.type("a")
            await terminal.until("a: sign it off")
            terminal.type("a")
            await terminal.until("was signed off as")
            await terminal.until("succeeded")
            terminal.type("q")
            assert await terminal.ended() == 0
            assert terminal.text.rindex("\x1b[?1049l") > terminal.text.rindex("\x1b[?1049h")
        serving.type("\x03")
        assert await serving.ended() == 0
