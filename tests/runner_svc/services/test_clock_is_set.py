"""The clock of the runner's machine is set, or has moved on as it wakes up, while work is under way."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runner_svc.core.fleet.timings import StreamTimings
from signoff.v1 import execution_pb2, runner_pb2
from tests.runner_svc.services.test_late_results import until_event
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import Clock, PlannerOfTexts, running

ONE = PlannerOfTexts(one="a")
HOUR = 3600.0


@pytest.mark.guard(name="no work runs out of time by a jump of the clock")
async def test_work_that_is_under_way_as_a_laptop_sleeps_counts_when_it_wakes_up(tmp_path: Path) -> None:
    clock = Clock()
    async with (
        running(ONE, tmp_path, clock=clock) as runner,
        raw_worker(runner, EXECUTOR, "w") as executor,
        raw_worker(runner, VALIDATOR, "v") as validator,
    ):
        ref = await runner.start("one")
        made = await executor.assigned()
        clock.ahead = 8 * HOUR
        await executor.make(made)
        judged = await validator.assigned()
        clock.ahead = 16 * HOUR
        await validator.judge(judged)
        got = await runner.stub.GetExecution(
            runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL)
        )
    assert got.execution.state == execution_pb2.EXECUTION_STATE_SUCCEEDED
    assert [(task.attempt, task.failures, task.losses) for task in got.tasks] == [(1, 0, 0)]
    assert got.execution.ended_at.seconds >= time.time() + 15 * HOUR, "people see the time that it is"


@pytest.mark.guard(name="time goes on when the clock is set back")
async def test_a_worker_is_missed_in_time_although_the_clock_was_set_back(tmp_path: Path) -> None:
    clock = Clock()
    async with running(ONE, tmp_path, clock=clock, timings=StreamTimings(resume_grace=0.2)) as runner:
        async with raw_worker(runner, EXECUTOR, "w") as executor:
            ref = await runner.start("one")
            await executor.assigned()
            clock.ahead = -HOUR
        await until_event(runner, ref, "lease_lost")
