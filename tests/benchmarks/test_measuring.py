"""Engines take turns; one that cannot go on says why, and the others go on."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from benchmarks.driving import BrokenRun
from benchmarks.external import peer
from benchmarks.measuring import measured
from benchmarks.peers.table import PEERS
from benchmarks.results import Result, problems_of
from benchmarks.sample import Sample
from benchmarks.workloads import Entry, Workload
from tests.support.values.benchmark_results import engine, sample


async def results_of(
    workload: Workload, *, runs: int = 2, limit: float = 10.0, only: tuple[str, ...] = ()
) -> list[Result]:
    return [result async for result in measured(workload, runs=runs, limit=limit, session="s1", only=only)]


def workload(**engines: Entry) -> Workload:
    return Workload(name="w", tasks=100, engines=engines)


async def test_engines_take_turns_run_by_run() -> None:
    order: list[str] = []

    def named(name: str) -> Entry:
        async def run() -> Sample:
            order.append(name)
            return sample()

        return Entry(set_up=engine(run), phases=2)

    await results_of(workload(a=named("a"), b=named("b")))
    assert order == ["a", "b", "a", "b"]


async def test_figures_are_median_minimum_and_maximum_of_the_runs() -> None:
    seconds = iter((1.0, 4.0, 2.0))

    async def run() -> Sample:
        return sample(next(seconds))

    (result,) = await results_of(workload(a=Entry(set_up=engine(run), phases=2)), runs=3)
    spread = result.figures["seconds"]
    assert (spread.median, spread.min, spread.max) == (2.0, 1.0, 4.0)
    assert result.processes[0]["cpu_seconds"] == {"median": 2.0, "min": 1.0, "max": 4.0}
    assert result.processes[0]["peak_mib"] == 40.0
    assert (result.runs, result.phases, result.tasks) == (3, 2, 100)
    assert list(problems_of(result.to_json())) == []


async def test_an_engine_over_the_limit_is_said_to_be_and_taken_down_before_the_others_go_on() -> None:
    taken_down: list[bool] = []
    seen: list[bool] = []

    async def stuck() -> Sample:
        never: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()
        return await never

    async def run() -> Sample:
        seen.append(bool(taken_down))
        return sample()

    entries = {"stuck": Entry(set_up=engine(stuck, taken_down)), "other": Entry(set_up=engine(run))}
    over, other = await results_of(workload(**entries), limit=0.05)
    assert (over.status, over.reason, over.runs) == ("over", "over 0 s", 0)
    assert (other.status, other.runs) == ("measured", 2)
    assert seen == [True, True]
    assert list(problems_of(over.to_json())) == []


async def test_an_engine_that_breaks_its_run_has_failed_and_says_why() -> None:
    async def broken() -> Sample:
        raise BrokenRun("expected 3 results, but 1 is missing")

    (result,) = await results_of(workload(a=Entry(set_up=engine(broken))))
    assert (result.status, result.reason) == ("failed", "expected 3 results, but 1 is missing")


async def test_an_engine_without_an_environment_is_not_here_and_not_left_out(tmp_path: Path) -> None:
    entry = Entry(set_up=partial(peer, PEERS["dask"], tmp_path, ()))
    (result,) = await results_of(workload(dask=entry))
    assert result.status == "not here"
    assert "python -m benchmarks.peers dask" in result.reason
    assert list(problems_of(result.to_json())) == []


async def test_a_mistake_of_the_benchmark_itself_is_no_result() -> None:
    async def bug() -> Sample:
        raise AttributeError("a bug")

    with pytest.raises(AttributeError):
        await results_of(workload(a=Entry(set_up=engine(bug))))


async def test_in_a_hurry_each_engine_has_one_run() -> None:
    async def run() -> Sample:
        return sample()

    chosen = workload(a=Entry(set_up=engine(run)), b=Entry(set_up=engine(run)))
    results = [result async for result in measured(chosen, runs=3, limit=10.0, session="s1", hurry_at=0.0)]
    assert [result.runs for result in results] == [1, 1]


async def test_only_the_engines_asked_for_are_set_up() -> None:
    async def run() -> Sample:
        return sample()

    entries = {"a": Entry(set_up=engine(run)), "b": Entry(set_up=engine(run))}
    assert [result.engine for result in await results_of(workload(**entries), only=("b",))] == ["b"]
