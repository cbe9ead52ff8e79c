"""The rows: executions, each with a fault at a place of its stream, and the faults themselves."""

from __future__ import annotations

import asyncio

from tests.support.servers.billing import (
    Answer,
    nothing,
    thought_in_total_only,
    without_thought,
)
from tests.support.servers.model_server import Reply, status
from tests.system.books.answers import EVIDENCE, FIGURES, PROSE, THOUGHT, each, first, verdict
from tests.system.books.billed_cluster import FURTHER, BilledCluster, Happening, Row, Run


async def _stop(run: Run) -> None:
    await run.comes_to_its_middle(streams=3)
    ended = await run.billed.signoff("stop", run.row.name)
    assert ended.code == 0, ended.err
    await run.is_left()


async def _pause(run: Run) -> None:
    await run.comes_to_its_middle()
    await run.cluster.client.pause(run.ref)
    await run.goes_on()
    await run.is_left()
    await run.cluster.client.resume(run.ref)


def _restarts(name: str) -> Happening:
    async def happens(run: Run) -> None:
        await run.comes_to_its_middle()
        await run.cluster[name].kill()
        if name != "runner":
            await run.is_left()
        await run.goes_on()
        await run.cluster.heal()

    return happens


async def _terminate(run: Run) -> None:
    await run.comes_to_its_middle()
    assert await run.cluster["executor-1"].terminate() == 0
    await run.goes_on()
    await run.cluster.heal()


async def _kill_all(run: Run) -> None:
    await run.comes_to_its_middle()
    await _end_all(run)


async def _kill_all_unheard(run: Run) -> None:
    """Kills all services after a stream is held; the runner stands still from the assignment on."""
    await run.watched.reaches("task_assigned")
    run.cluster["runner"].freeze()
    await run.billed.server.valve(run.row.name).holds()
    await _end_all(run)


async def _executors_are_new(billed: BilledCluster) -> None:
    """Starts new executors, whose first request takes longest: they load the client of models first."""
    await billed.cluster["executor-1"].kill()
    await billed.cluster.heal()


async def _end_all(run: Run) -> None:
    services = [run.cluster[name] for name in ("planner", "runner", *run.cluster.workers)]
    await asyncio.gather(*(service.kill() for service in services))
    await run.is_left()
    await run.goes_on()
    await asyncio.gather(*(service.start() for service in services))
    await run.cluster.heal()


HELD_ONCE = Answer(text=PROSE, held=True)
HELD_VERDICT = Answer(text=verdict(), held=True)
KNOWN_SO_FAR = Answer(text=PROSE, reports_after=30, cut_after=60)

ROWS = (
    Row(name="plain", says="nothing goes wrong", script=first(), is_exact=True, tasks=3),
    Row(
        name="thoughts",
        says="thoughts are streamed, prompts are cached",
        script=each(Answer(text=PROSE, thought=THOUGHT, cached=64)),
        is_exact=True,
    ),
    Row(name="votes", says="three judges vote", script=first(), is_exact=True, votes=3),
    Row(
        name="second-asking",
        says="a judge is asked again for evidence",
        script=first(of_judges=[Answer(text=verdict(quote="It was opened by the king himself"))]),
        is_exact=True,
    ),
    Row(
        name="retries",
        says="two candidates are rejected",
        script=first(of_judges=[Answer(text=verdict(passes=False))] * 2),
        is_exact=True,
        executor={"max_failures": 3},
    ),
    Row(
        name="refusals",
        says="429, then 500, then an answer",
        script=first(status(429, Retry_After="0"), status(500)),
        is_exact=True,
    ),
    Row(
        name="cut-off",
        says="a stream breaks off, nothing was counted",
        script=first(Answer(text=PROSE, cut_after=60)),
    ),
    Row(
        name="cut-off-counted",
        says="a stream breaks off, half of it was counted",
        script=first(KNOWN_SO_FAR),
    ),
    Row(
        name="total",
        says="5,000 thought tokens in the total only",
        script=each(Answer(text=PROSE, hidden=5_000, report=thought_in_total_only)),
        is_exact=True,
    ),
    Row(
        name="thoughts-uncounted",
        says="thoughts are streamed and not counted",
        script=each(Answer(text=PROSE, thought=THOUGHT, report=without_thought)),
    ),
    Row(
        name="uncounted",
        says="the endpoint never counts",
        script=lambda asked: Answer(text=verdict() if asked.is_judge else PROSE, report=nothing, tokens_a_piece=5),
    ),
    Row(
        name="figures-uncounted",
        says="the same, with a table of figures to read and to write",
        script=lambda asked: Answer(
            text=verdict() if asked.is_judge else f"{EVIDENCE}.\n{FIGURES}", report=nothing, tokens_a_piece=5
        ),
        task=f"Copy this table:\n{FIGURES}",
    ),
    Row(
        name="silent",
        says="silence before the answer, before its first piece, and in its middle",
        script=first(Reply(mute=True), Answer(text=PROSE, silent_after=0), Answer(text=PROSE, silent_after=30)),
        executor={"idle_timeout": 1},
    ),
    Row(
        name="too-slow",
        says="an answer takes longer than run_timeout",
        script=first(Answer(text=PROSE * 4, pause=0.02)),
        executor={"run_timeout": 1},
    ),
    Row(
        name="stopped",
        says="`signoff stop` in the middle of three streams",
        script=each(HELD_ONCE),
        happens=_stop,
        tasks=3,
        ends="execution_stopped",
    ),
    Row(
        name="paused",
        says="`signoff pause` in the middle of a stream, then resume",
        script=each(HELD_ONCE),
        happens=_pause,
        is_exact=True,
    ),
    Row(
        name="terminated",
        says="SIGTERM of an executor in the middle of a stream",
        script=first(HELD_ONCE),
        happens=_terminate,
    ),
    Row(
        name="executor-killed",
        says="kill -9 of an executor in the middle of a stream",
        script=first(HELD_ONCE),
        happens=_restarts("executor-1"),
    ),
    Row(
        name="validator-killed",
        says="kill -9 of a validator in the middle of a verdict",
        script=first(of_judges=[HELD_VERDICT]),
        happens=_restarts("validator-1"),
    ),
    Row(
        name="runner-killed",
        says="kill -9 of the runner in the middle of a stream",
        script=first(HELD_ONCE),
        happens=_restarts("runner"),
        is_exact=True,
    ),
    Row(
        name="all-killed",
        says="kill -9 of everything in the middle of a stream",
        script=first(HELD_ONCE),
        happens=_kill_all,
    ),
    Row(
        name="all-killed-unheard",
        says="kill -9 of everything, before the runner has heard of a request",
        script=first(HELD_ONCE),
        before=_executors_are_new,
        held_at=FURTHER,
        happens=_kill_all_unheard,
    ),
)
