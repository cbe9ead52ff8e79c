"""Inputs of plans and files of results that earlier versions have stored go on to workers and people as they were."""

from __future__ import annotations

from runner_svc.leftovers import Leftovers
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2, worker_pb2
from tests.stored.answers import events_of
from tests.stored.crew import Crew
from tests.stored.messages import candidate_of
from tests.stored.opened import FINAL, PAUSED, SHOP, Laid, finish
from tests.stored.shop import GOALS, LEFT_BEHIND, MONTH, RULES, SALES, UNNAMED
from tests.support.servers.runner import Running
from tests.support.work.brought_files import digest_of, files_in

STOPPED = FINAL[2]


async def test_inputs_that_were_given_before_reach_the_workers_as_they_were(with_files: Laid) -> None:
    paused = with_files.stored.execution(SHOP, pb.ExecutionState.Name(PAUSED))
    async with with_files.opened() as runner, Crew(runner.channel).at_work() as (executor, _):
        await finish(runner, paused)
    given = {one.task.task_id: one for one in executor.given if one.execution_id == paused}
    assert given["table"].idea == f"Tell the shop about {MONTH}"
    inputs = {each.name: each.inline for one in given.values() for each in one.inputs if not each.task_id}
    assert inputs == {
        "month": MONTH.encode(),
        "goals": GOALS.replace(": ", ":").replace(", ", ",").encode(),
        "rules": RULES,
        **{f"sales/{path}": body for path, body in SALES.items()},
    }


async def test_files_that_no_candidate_has_named_go_when_their_lease_has_ended(with_files: Laid) -> None:
    async with with_files.opened() as runner:
        ended = await lease_of(runner, with_files.stored.execution(SHOP, STOPPED))
        out = await lease_of(runner, with_files.stored.execution(SHOP, "EXECUTION_STATE_RUNNING", number=-2))
        assert await missing(runner, ended, LEFT_BEHIND) == await missing(runner, out, UNNAMED) == 0
        assert await missing(runner, out, LEFT_BEHIND) == await missing(runner, "", UNNAMED) == 2
        assert await Leftovers(runner.engine, kept_for=0).remove() == len(LEFT_BEHIND)
        assert await missing(runner, ended, LEFT_BEHIND) == len(LEFT_BEHIND)
        assert await missing(runner, out, UNNAMED) == 0


async def test_files_that_were_brought_before_are_named_by_a_candidate_that_comes_late(with_files: Laid) -> None:
    stopped = with_files.stored.execution(SHOP, STOPPED)
    ref = runner_pb2.ExecutionRef(execution_id=stopped)
    async with with_files.opened() as runner, Crew(runner.channel).at_work() as (executor, _):
        late = worker_pb2.Assign(lease_id=await lease_of(runner, stopped))
        await executor.say(candidate_of(late, LEFT_BEHIND))
        await executor.hears("ack", of=late.lease_id)
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref))
        await finish(runner, stopped)
        request = runner_pb2.GetArtifactRequest(ref=ref, task_id="table")
        assert await files_in(runner, request) == LEFT_BEHIND


async def lease_of(runner: Running, execution_id: str) -> str:
    """Returns the last lease of an execution's table."""
    ref = runner_pb2.ExecutionRef(execution_id=execution_id)
    told = await events_of(runner.stub, ref)
    given = [event.task_assigned for event in told if event.HasField("task_assigned") and event.task_id == "table"]
    return given[-1].lease_id


async def missing(runner: Running, lease_id: str, files: dict[str, bytes]) -> int:
    """Returns how many of some files are not there for a lease."""
    digests = [digest_of(body) for body in files.values()]
    request = runner_pb2.ListMissingContentsRequest(digests=digests, lease_id=lease_id)
    return len((await runner.stub.ListMissingContents(request)).digests)
