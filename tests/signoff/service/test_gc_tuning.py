"""The collector of cycles: paused while something large is built, and calm in a busy service."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from signoff.service.gc_tuning import RARELY, collect_rarely, gc_paused


def test_cycles_are_collected_again_when_the_last_one_has_left() -> None:
    with gc_paused():
        with gc_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_build_in_another_thread_keeps_the_collector_away() -> None:
    entered, leave = threading.Event(), threading.Event()

    def build() -> None:
        with gc_paused():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=build)
    with gc_paused():
        thread.start()
        entered.wait()
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_a_build_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ValueError, match="broken"), gc_paused():
        raise ValueError("broken")
    assert gc.isenabled()


@pytest.fixture
def usual_thresholds() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)
    gc.unfreeze()


@pytest.mark.usefixtures("usual_thresholds")
def test_a_busy_service_still_collects_cycles() -> None:
    collect_rarely()
    before = gc.get_stats()[0]["collections"]
    kept: list[list[object]] = [[] for _ in range(RARELY[0] + 1)]
    assert gc.get_stats()[0]["collections"] > before, f"{len(kept)} new objects were not looked at"
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
