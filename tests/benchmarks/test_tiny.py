"""Every workload runs, at a size that proves nothing but that it runs. No times are looked at.

The quick workloads, which CI runs after the tests (`python -m benchmarks --quick`), and workloads that are measured the
same way as another one here, take --long.
"""

from __future__ import annotations

import pytest

from benchmarks.driving import BrokenRun
from benchmarks.engine import NotHere, SetUp
from benchmarks.external import driver, peer, sample_of
from benchmarks.ours import graphs, names, page, reruns, restart, streams, trees, turns, watchers
from benchmarks.peers.table import PACKAGES, PEERS, Peer
from benchmarks.sample import Sample
from benchmarks.workloads import FLOOR, OURS, quick_workloads, workloads

INLINE = 256 * 1024  # bytes; larger artifacts travel by reference


async def one_run(set_up: SetUp) -> Sample:
    async with set_up() as measure:
        return await measure()


async def test_graphs_of_every_shape() -> None:
    async with graphs.shape("layers", 100) as measure:
        first, second = await measure(), await measure()
    assert set(first.figures) == {"seconds", "tasks_per_second", "ms_per_task", "files_later_seconds"}
    assert [process.name for process in second.processes] == [
        "client",
        "executor-1",
        "planner",
        "runner",
        "validator-1",
    ]
    assert first.durable


@pytest.mark.long
async def test_growth_looks_at_the_runners_memory() -> None:
    assert "runner_kib_per_task" in (await one_run(lambda: graphs.growth(20))).figures


@pytest.mark.long
async def test_in_flight_has_all_tasks_in_hand_at_once() -> None:
    sample = await one_run(lambda: graphs.in_flight(50))
    assert sample.figures["most_in_flight"] == 50


@pytest.mark.long
async def test_artifacts_above_the_inline_limit_are_made_judged_and_read() -> None:
    sample = await one_run(lambda: graphs.artifacts(INLINE + 1, 3))
    assert sample.figures["mib_per_second"] > 0


async def test_a_tree_is_compiled_set_and_started() -> None:
    figures = (await one_run(lambda: trees.tree(2))).figures
    assert {"compile_seconds", "set_layout_seconds", "start_seconds"} <= set(figures)


async def test_after_a_kill_of_the_runner_somebody_is_given_work_again() -> None:
    figures = (await one_run(lambda: restart.restart(40))).figures
    assert figures["seconds"] >= figures["listening_seconds"] > 0


async def test_a_changed_task_is_run_again_and_the_others_are_kept() -> None:
    figures = (await one_run(lambda: reruns.rerun(100))).figures
    assert figures["seconds"] >= figures["answered_seconds"] > 0
    assert figures["of_compile_and_three_restarts"] > 0


async def test_streams_join_and_are_idle() -> None:
    assert "runner_kib_per_stream" in (await one_run(lambda: streams.streams(4, 0.1))).figures


@pytest.mark.long
async def test_the_longest_turn_of_each_phase_is_told_with_its_story() -> None:
    sample = await one_run(lambda: turns.longest_turn(40))
    phases = {name for name in sample.figures if name.endswith("_turn_ms")}
    assert phases == {
        *("join_turn_ms", "layout_turn_ms", "start_turn_ms", "run_turn_ms", "leave_turn_ms", "rollback_turn_ms"),
        *("snapshot_turn_ms", "pages_turn_ms", "lists_turn_ms", "restart_turn_ms", "end_turn_ms"),
        *("undone_snapshot_turn_ms", "undone_pages_turn_ms", "undone_lists_turn_ms"),
    }
    assert sample.figures["turn_ms"] == max(sample.figures[name] for name in phases) > 0
    assert "run: " in sample.note


@pytest.mark.long
async def test_many_names_are_compared_with_a_join() -> None:
    figures = (await one_run(lambda: names.many_names(10, 2))).figures
    assert figures["named_over_joined"] > 0


@pytest.mark.long
async def test_watchers_see_every_event() -> None:
    tasks = 400
    figures = (await one_run(lambda: watchers.watchers(3, tasks))).figures
    events = tasks * 4 + 5  # assigned, made, assigned, passed; created, started, paused, resumed, succeeded
    assert figures["events_seen"] == 3 * events
    assert figures["cut_off"] == 0


@pytest.mark.parametrize("phases", ["1", "2"])
async def test_the_floor(phases: str) -> None:
    flags = ("--shape", "layers", "--tasks", "100", "--phases", phases)
    sample = await one_run(lambda: driver("benchmarks.floor", flags))
    assert {process.name for process in sample.processes} == {"driver", "benchmarks.floor"}


async def test_a_peer_that_needs_no_environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    flags = ("--shape", "chain", "--tasks", "10", "--phases", "1")
    venvs = tmp_path_factory.mktemp("venvs")
    sample = await one_run(lambda: peer(PEERS["asyncio"], venvs, flags))
    assert sample.figures["tasks_per_second"] > 0


async def test_json_loads() -> None:
    sample = await one_run(lambda: driver("benchmarks.json_loads", ("--depth", "2")))
    assert "compile_seconds" in sample.figures


async def test_a_peer_without_an_environment_is_not_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(NotHere, match="no environment dask"):
        await one_run(lambda: peer(PEERS["dask"], tmp_path_factory.mktemp("venvs"), ()))


async def test_a_peer_without_its_program_is_not_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    entry = Peer(environment="", module="benchmarks.peers.asyncio_loop", program="no-such-program")
    with pytest.raises(NotHere, match="no no-such-program on the PATH"):
        await one_run(lambda: peer(entry, tmp_path_factory.mktemp("venvs"), ()))


def test_a_driver_without_a_result_is_quoted() -> None:
    with pytest.raises(BrokenRun, match="ValueError: no"):
        sample_of("hello\n", "Traceback\nValueError: no\n")


def test_every_peer_has_packages_and_a_driver() -> None:
    from importlib.util import find_spec

    for entry in PEERS.values():
        assert not entry.environment or entry.environment in PACKAGES
        assert find_spec(entry.module) is not None


def test_the_workloads_are_those_of_the_table(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = {workload.name: workload for workload in workloads(tmp_path_factory.mktemp("venvs"))}
    assert set(found) == {
        *("fan-out-1000", "fan-out-10000", "chain-200", "layers-1000", "growth-100000"),
        *("tree-1296", "tree-7776", "tree-46656", "tree-279936", "tree-1679616"),
        *("longest-turn-1000", "longest-turn-20000", "longest-turn-100000", "many-names-1000x100"),
        *("restart-100000", "rerun-10000", "watchers-100", "streams-1000", "in-flight-10000"),
        *("artifacts-1KiB", "artifacts-256KiB", "artifacts-64MiB", "page-2000"),
        *("files-10x100KiB", "files-10000x100KiB", "files-1x1000MiB"),
    }
    assert all(OURS in workload.engines for workload in found.values())
    quick = {workload.name: set(workload.engines) for workload in quick_workloads()}
    beside_the_floor = {name for name, engines in quick.items() if engines == {OURS, FLOOR}}
    assert beside_the_floor == {"fan-out-1000", "chain-200", "layers-1000"}
    assert quick.keys() - beside_the_floor == {"longest-turn-1000", "many-names-200x20"}


@pytest.mark.long
async def test_the_page_is_watched_in_a_browser() -> None:
    try:
        figures = (await one_run(lambda: page.page(100, 1.0))).figures
    except NotHere as reason:
        pytest.skip(str(reason))
    assert {"first_paint_ms", "graph_longest_frame_ms", "table_longest_task_ms", "heap_mib"} <= set(figures)
    assert figures["events_per_second"] > 0
