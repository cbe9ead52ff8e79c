"""`signoff run` as a user runs it: real processes, real files, real exit codes."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
from pathlib import Path

import pytest

from signoff.local.services import LocalServices, LocalSettings
from tests.support.processes.commands import (
    EXAMPLES,
    ProcessResult,
    processes_with,
    signoff,
    start_signoff,
    until,
    vanished,
)

AI_TRENDS = EXAMPLES / "ai_trends" / "plan.json"
ATOMIC = ["1_1", "1_2", "1_3", "1_4", "1_5", "2_1", "2_2", "2_3", "3_1", "3_2", "3_3", "4_1", "4_2"]


async def test_the_real_plan_goes_to_thirteen_signed_off_artifacts_which_can_be_read_and_explained(
    tmp_path: Path,
) -> None:
    ended = await signoff("run", AI_TRENDS, "--model", "mock", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "13 of 13 signed off" in ended.out
    for task_id in ATOMIC:
        output = json.loads((tmp_path / "db" / "ai_trends" / task_id / "output.json").read_text())
        assert output["task_id"] == task_id
        assert output["content"]
    config = json.loads((tmp_path / "db" / "ai_trends" / "1_1" / "output.json").read_text())
    assert set(config["content"]) == {"keywords", "databases"}, "the output format of the plan is honoured"
    assert not list(processes_with(str(tmp_path))), "no process is left behind"
    artifact = await signoff("artifact", "ai_trends", "1_1", cwd=tmp_path)
    assert set(json.loads(artifact.out)) == {"keywords", "databases"}
    questions = (("status", "ai_trends", "--json"), ("why", "ai_trends", "4_2"), ("story", "ai_trends", "4_2"))
    # All at once: one of them starts a runner over the data, and the others find that one or wait for it.
    status, why, story = await asyncio.gather(*(signoff(*question, cwd=tmp_path) for question in questions))
    assert (status.code, why.code, story.code) == (0, 0, 0), status.err + why.err + story.err
    assert "signed off" in story.out


# Those that name executors of their own have tests of their own, in tests/examples.
FOR_A_MODEL = [plan for plan in sorted(EXAMPLES.glob("*/plan.json")) if '"executor"' not in plan.read_text()]


@pytest.mark.long
async def test_every_example_for_a_model_is_signed_off(tmp_path: Path) -> None:
    """The services are shared by all plans; the test above runs one plan by itself."""
    settings = LocalSettings(data_dir=tmp_path, executors=7, validators=5, model="mock")
    async with LocalServices(settings, lambda _: None) as services:
        where = ("--planner", services.planner_address, "--runner", services.runner_address)
        for plan in FOR_A_MODEL:
            assert _events(await signoff("submit", plan, *where, "--json", cwd=tmp_path)), plan


def _events(ended: ProcessResult) -> list[str]:
    """Returns the names of the events that a successful run printed with --json, one a line."""
    assert ended.code == 0, ended.err
    return [json.loads(line)["event"] for line in ended.out.splitlines()]


@pytest.mark.long  # the simulation does it in virtual time, and tests/examples/test_feedback.py once with processes
async def test_failures_and_rejections_are_tried_again_until_all_is_signed_off(tmp_path: Path) -> None:
    model = "mock:fail=0.2,reject=0.2,judge_error=0.1,seed=5"
    flags = ("--model", model, "--json", "--max-failures", "10")
    ended = await signoff("run", AI_TRENDS, *flags, cwd=tmp_path, within=120)
    assert ended.code == 0, ended.err
    assert '"execution-failed"' in ended.out or '"validation-failed"' in ended.out


# tests/signoff/client/test_costs.py has all sums, tests/examples/test_feedback.py a run with processes.
@pytest.mark.long
async def test_what_a_run_has_cost_is_divided_by_what_became_of_it(tmp_path: Path) -> None:
    flags = ("--model", "mock:fail=0.2,reject=0.2,seed=5", "--max-failures", "10")
    ended = await signoff("run", AI_TRENDS, *flags, "--json", cwd=tmp_path, within=120)
    assert ended.code == 0, ended.err
    told = json.loads(ended.out.splitlines()[-1])["usage"]
    cost = await signoff("cost", "ai_trends", "--json", cwd=tmp_path)
    records = [json.loads(line) for line in cost.out.splitlines()]
    totals = [record for record in records if "phase" in record]
    assert [{**total, "currency": ""} for total in told] == totals
    fates = [record["fate"] for record in records if "fate" in record]
    assert {"signed-off", "rejected", "failed"} <= {fate["what"] for fate in fates}
    for column in ("requests", "input_tokens", "output_tokens"):
        assert sum(fate.get(column, 0) for fate in fates) == sum(total[column] for total in totals)
    (sign_off,) = [record["sign_off"] for record in records if "sign_off" in record]
    assert sign_off["tasks"] == 13


async def test_a_task_that_always_fails_ends_the_execution_with_exit_code_1_and_says_why(tmp_path: Path) -> None:
    ended = await signoff("run", AI_TRENDS, "--model", "mock:fail=1", "--max-failures", "1", cwd=tmp_path)
    assert ended.code == 1
    assert "the mock model failed" in ended.out + ended.err
    assert "Traceback" not in ended.out + ended.err


async def test_ctrl_c_stops_in_order_and_the_same_command_goes_on(tmp_path: Path) -> None:
    run = await start_signoff("run", AI_TRENDS, "--model", "mock:delay=0.1", cwd=tmp_path)
    await until(run, " done ")
    run.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        _, err = await run.communicate()
    assert run.returncode == 130
    command = re.search("`signoff (.*)` goes on from there", err.decode())
    assert command is not None
    assert not list(processes_with(str(tmp_path))), "no process is left behind"
    again = await signoff(*shlex.split(command[1]), cwd=tmp_path)
    assert again.code == 0, again.err
    assert "going on with" in again.err + again.out


async def test_nothing_is_left_behind_when_the_command_itself_is_killed(tmp_path: Path) -> None:
    data = tmp_path / "db"
    run = await start_signoff("run", AI_TRENDS, "--model", "mock:delay=0.4", "--data-dir", data, cwd=tmp_path)
    await until(run, " doing ")
    run.kill()
    await run.communicate()
    await vanished(str(data))


async def test_a_plan_is_submitted_to_services_that_are_up_and_followed_or_left_alone(tmp_path: Path) -> None:
    settings = LocalSettings(data_dir=tmp_path, executors=2, validators=2, model="mock")
    async with LocalServices(settings, lambda _: None) as services:
        where = ("--planner", services.planner_address, "--runner", services.runner_address)
        followed = await signoff("submit", AI_TRENDS, *where, cwd=tmp_path)
        left = await signoff("submit", AI_TRENDS, *where, "--detach", "--json", "--plan-id", "again", cwd=tmp_path)
        watched = await signoff("watch", "again", "--runner", services.runner_address, cwd=tmp_path)
    assert followed.code == 0, followed.err
    assert "13 of 13 signed off" in followed.out
    assert json.loads(left.out.splitlines()[-1])["plan_id"] == "again"
    assert "13 of 13 signed off" in watched.out


async def test_submitting_to_nobody_says_where_nobody_was(tmp_path: Path) -> None:
    ended = await signoff("submit", AI_TRENDS, "--planner", "127.0.0.1:1", cwd=tmp_path)
    assert ended.code == 2
    assert "127.0.0.1:1" in ended.err
    assert "Traceback" not in ended.err


async def test_without_a_model_the_message_names_the_two_things_to_choose_from(tmp_path: Path) -> None:
    ended = await signoff("run", AI_TRENDS, cwd=tmp_path)
    assert ended.code == 2
    assert "--model mock" in ended.err
    assert "OPENAI_API_KEY" in ended.err
    assert not (tmp_path / "db").exists(), "nothing was started"


async def test_an_app_that_cannot_be_used_ends_the_run_with_the_workers_own_words(tmp_path: Path) -> None:
    ended = await signoff("run", AI_TRENDS, "--app", "nowhere:app", cwd=tmp_path)
    assert ended.code == 2
    expected = "--app nowhere:app: expected a module nowhere, but there is none, neither in"
    assert ended.err.splitlines()[-1].startswith(f"signoff: {expected}")
    assert not list(processes_with(str(tmp_path))), "no process is left behind"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json", "not-json"),
        pytest.param(b'{"tasks": []}', "no-atomic-task", marks=pytest.mark.long),
        pytest.param(b'{"tasks": [{"task_id": "../x", "input": {}, "output": {}}]}', "bad-id", marks=pytest.mark.long),
    ],
)
async def test_a_plan_with_errors_ends_with_exit_code_2_and_every_error(
    content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "plan.json").write_bytes(content)
    ended = await signoff("run", "plan.json", "--model", "mock", cwd=tmp_path)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
