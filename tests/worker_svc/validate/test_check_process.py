"""The process for checks that may never end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from signoff.v1 import execution_pb2
from tests.support.work.givens import json_schema, regex
from worker_svc.validate.check_process import CheckProcess

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
ENDLESS = regex(r"(?=a)(a+)+$")  # no linear-time engine looks ahead
VICTIM = b"a" * 64 + b"!"


@pytest.fixture
async def process() -> AsyncIterator[CheckProcess]:
    process = CheckProcess(timedelta(seconds=0.3))
    yield process
    await process.close()


async def test_a_check_gives_the_same_result_as_in_this_process(process: CheckProcess) -> None:
    result = await process.check_result(json_schema({"type": "object"}), b"[]")
    assert (result.outcome, result.reason) == (FAIL, "$: [] is not of type 'object'")
    assert (await process.check_result(regex("b"), b"abc")).outcome == PASS


async def test_a_pattern_that_backtracks_without_end_is_given_up_and_the_next_check_runs(process: CheckProcess) -> None:
    result = await process.check_result(ENDLESS, VICTIM)
    assert result.outcome == ERROR
    assert "not decided within 0.3 s" in result.reason
    assert (await process.check_result(regex("a"), VICTIM)).outcome == PASS


async def test_a_schema_pattern_that_backtracks_is_given_up_too(process: CheckProcess) -> None:
    schema = json_schema({"pattern": "^(a+)+$"})
    assert (await process.check_result(schema, json.dumps(VICTIM.decode()).encode())).outcome == ERROR


@pytest.mark.guard(name="checks run in a process of their own")
async def test_the_event_loop_runs_on_while_a_check_hangs(process: CheckProcess) -> None:
    hanging = asyncio.create_task(process.check_result(ENDLESS, VICTIM))
    turns = 0
    while not hanging.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 100
    assert hanging.result().outcome == ERROR


async def test_a_cancelled_check_leaves_a_process_that_works(process: CheckProcess) -> None:
    await process.check_result(regex("a"), b"a")  # it is up
    hanging = asyncio.create_task(process.check_result(ENDLESS, VICTIM))
    await asyncio.sleep(0)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert (await process.check_result(regex("a"), b"a")).outcome == PASS


async def test_checks_at_the_same_time_get_their_own_answers(process: CheckProcess) -> None:
    contents = [b"a", b"b"] * 10
    results = await asyncio.gather(*(process.check_result(regex("a"), content) for content in contents))
    assert [result.outcome for result in results] == [PASS, FAIL] * 10


async def test_a_large_candidate_passes_through_the_pipe(process: CheckProcess) -> None:
    result = await process.check_result(regex("end$"), b"x" * 3_000_000 + b"end")
    assert result.outcome == PASS
