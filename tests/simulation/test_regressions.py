"""Worlds that failed once, shrunk. Most failed because a guard was taken away; the mark names it.

A failing seed of `python -m tests.simulation` is printed as such a file. Add it to regressions/ and to the list.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.many import silenced
from tests.simulation.scenario import from_json
from tests.simulation.world import play

FOLDER = Path(__file__).parent / "regressions"
guard, world = pytest.mark.guard, pytest.param

WORLDS = (
    world("a_command_twice", marks=guard(name="world: request ids")),
    world("a_digest_is_wrong", marks=guard(name="world: digests are checked")),
    world("a_retry_falls_due_in_a_rebuild"),
    world("a_retry_outlives_the_runner"),
    world("a_runner_dies_acting", marks=guard(name="world: leases outlive the runner")),
    world("a_runner_is_not_heard", marks=guard(name="world: a silent runner is left")),
    world("a_slow_watcher", marks=guard(name="world: a slow watcher is cut off")),
    world("a_stop"),
    world("a_verdict_contradicts_itself"),
    world("a_worker_is_lost", marks=guard(name="world: the grace ends")),
    world("a_worker_is_not_heard", marks=guard(name="world: three missed pings")),
    world("a_write_fails", marks=guard(name="world: rebuild after a refused write")),
    world("acknowledged_too_soon", marks=guard(name="world: remember before acting")),
    world("an_assignment_is_lost", marks=guard(name="world: accept deadline")),
    world("an_old_report_of_costs"),
    world("answered_too_soon", marks=guard(name="world: remember before answering")),
    world("events_nobody_published", marks=guard(name="world: watchers are cut off at a rebuild")),
    world("forged_results", marks=guard(name="world: lease fence")),
    world("hung_work_on_streams_that_rotate", marks=guard(name="world: to come back is no progress")),
    world("more_work_than_slots", marks=guard(name="world: credit")),
    world("workers_of_a_rebuild", marks=guard(name="world: workers come back after a rebuild")),
)


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_that_failed_once_keeps_every_promise(name: str) -> None:
    with silenced():
        play(from_json((FOLDER / f"{name}.json").read_text()))


def test_every_world_that_was_written_down_is_played() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {world.values[0] for world in WORLDS}
