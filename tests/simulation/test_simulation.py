"""Many worlds in the ordinary run, more with --long; `python -m tests.simulation --seeds N` for any number of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from unittest import mock

import pytest

from tests.simulation.many import Outcome, journal_of, outcome_of, outcomes, silenced
from tests.simulation.nature.bugs import THROWS
from tests.simulation.nature.crashing import FILE_POINTS, POINTS
from tests.simulation.nature.faults import KINDS
from tests.simulation.scenario import DRAWN, draw, from_json, to_json
from tests.simulation.world import play
from tests.support.draws import so_many

SEEDS = so_many(120, long=200)  # the fewest in which each place throws and each runner dies


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with silenced():
        yield


@pytest.fixture(scope="module")
def worlds() -> Sequence[Outcome]:
    return list(outcomes(range(SEEDS)))


def test_every_promise_holds_in_every_world_and_every_execution_ends(worlds: Sequence[Outcome]) -> None:
    stories = [f"python -m tests.simulation --tell {world.seed}\n{world.story}" for world in worlds if world.failure]
    assert not stories, "\n".join(stories)


def test_a_promise_that_is_broken_for_good_ends_the_world_at_once() -> None:
    """The engine survives a broken promise as it survives every bug, and builds its state anew, again and again."""
    with mock.patch("tests.support.invariants.check_state", side_effect=AssertionError("it never holds")):
        world = outcome_of(0)
    assert "it never holds" in world.story


#: What is done in one turn of a loop, which no world is large enough to reach.
PARTS = (
    *(
        "runner_svc.engine.STEPS_AT_ONCE",
        "runner_svc.engine.WRITTEN_AT_ONCE",
        "runner_svc.core.decide.policy.LOOKED_AT_ONCE",
    ),
    *(
        "runner_svc.recovery.recovery.ROWS_A_TURN",
        "runner_svc.recovery.recovery.EXECUTIONS_A_TURN",
        "runner_svc.recovery.checkpoints.TASKS_A_TURN",
        "runner_svc.recovery.checkpoints.EXECUTIONS_A_TURN",
    ),
    *("runner_svc.codec.views.WORK_A_TURN", "runner_svc.core.decide.assign.WORK_A_STEP"),
)


@pytest.mark.parametrize("seed", range(1000, 1000 + so_many(10, long=20)))
def test_every_promise_holds_when_everything_is_done_in_the_smallest_parts(seed: int) -> None:
    with contextlib.ExitStack() as stack:
        for name in PARTS:
            stack.enter_context(mock.patch(name, 1))
        world = outcome_of(seed)
    assert not world.failure, world.story


def test_runners_died_at_every_point_between_decide_append_publish_and_act(worlds: Sequence[Outcome]) -> None:
    sprung: Counter[str] = sum((world.sprung for world in worlds), Counter())
    assert set(sprung) == {*POINTS, *FILE_POINTS}


def test_the_runners_own_code_threw_at_every_place(worlds: Sequence[Outcome]) -> None:
    thrown: Counter[str] = sum((world.thrown for world in worlds), Counter())
    assert set(thrown) == set(THROWS)


def test_every_kind_of_fault_is_drawn_and_known() -> None:
    drawn = {fault.kind for seed in range(SEEDS) for fault in draw(seed).faults}
    assert drawn == set(DRAWN) == set(KINDS)


def test_the_same_seed_makes_the_same_world_in_every_process(worlds: Sequence[Outcome]) -> None:
    with_files = next(seed for seed in range(SEEDS) if draw(seed).files)
    for seed in (7, 8, with_files):
        first, second = play(draw(seed)), play(draw(seed))
        assert first.story == second.story
        assert journal_of(first) == journal_of(second) == worlds[seed].journal


def test_a_scenario_is_the_same_when_it_was_written_down() -> None:
    for seed in range(20):
        scenario = draw(seed)
        assert from_json(to_json(scenario)) == scenario
