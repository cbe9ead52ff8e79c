"""Three hundred worlds in the ordinary run; `python -m tests.simulation --seeds 10000` for the long one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.__main__ import simulate

SEEDS, BATCH = 300, 25


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_every_promise_holds_in_every_world_and_every_execution_ends(first: int) -> None:
    for seed in range(first, first + BATCH):
        try:
            simulate(seed)
        except BaseException:
            print(f"seed {seed}: python -m tests.simulation --tell {seed}")  # noqa: T201 - names the world
            raise


def test_the_same_seed_makes_the_same_world() -> None:
    first, second = simulate(7), simulate(7)
    assert first.told == second.told
    assert [entry.event.at for entry in first.witness.history] == [entry.event.at for entry in second.witness.history]
