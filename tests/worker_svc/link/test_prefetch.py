"""The work that a worker takes ahead of its slots."""

from __future__ import annotations

import pytest

from worker_svc.link.prefetch import AHEAD, MOST_AHEAD, Prefetch


def prefetch_after(slots: int, *, seconds: float, times: int = 100) -> Prefetch:
    prefetch = Prefetch(slots)
    for _ in range(times):
        prefetch.took(seconds)
    return prefetch


def test_a_worker_that_knows_nothing_takes_nothing_ahead() -> None:
    assert Prefetch(7).ahead == 0


def test_a_few_quick_pieces_of_work_say_nothing_yet() -> None:
    assert prefetch_after(7, seconds=0.0, times=5).ahead == 0
    assert prefetch_after(7, seconds=0.0, times=20).ahead > 0


def test_work_that_costs_nothing_is_taken_up_to_the_bound() -> None:
    assert prefetch_after(7, seconds=0.0).ahead == MOST_AHEAD


@pytest.mark.parametrize(
    ("slots", "seconds", "ahead"), [(7, 0.01, 16), (1, 0.01, 4), (7, 0.05, 4), (7, 0.1, 0), (7, 9, 0)]
)
def test_no_more_is_taken_than_the_slots_finish_in_the_time(slots: int, seconds: float, ahead: int) -> None:
    assert prefetch_after(slots, seconds=seconds).ahead == ahead
    assert ahead * seconds <= slots * AHEAD


def test_a_worker_that_was_stuck_takes_nothing_ahead_until_work_is_quick_again() -> None:
    prefetch = prefetch_after(7, seconds=0.0)
    prefetch.is_stuck()
    assert prefetch.ahead == 0
    for _ in range(50):
        prefetch.took(0.0)
    assert prefetch.ahead == MOST_AHEAD
