"""The pause of the collector of cycles, while something large is built."""

from __future__ import annotations

import gc
import threading

import pytest

from signoff.garbage import uncollected


def test_cycles_are_collected_again_when_the_last_one_has_left() -> None:
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_build_in_another_thread_keeps_the_collector_away() -> None:
    entered, leave = threading.Event(), threading.Event()

    def build() -> None:
        with uncollected():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=build)
    with uncollected():
        thread.start()
        entered.wait()
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_a_build_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ValueError, match="broken"), uncollected():
        raise ValueError("broken")
    assert gc.isenabled()
