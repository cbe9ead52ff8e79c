"""The runner's clock, over clocks that a test sets."""

from __future__ import annotations

import random

import pytest

from runner_svc.clock import JUMP, SteadyClock

NOON = 1_700_000_000.0
HOUR = 3600.0


class Machine:
    """The two clocks of a machine. `ahead`: of the one on the wall, in seconds."""

    def __init__(self) -> None:
        self.up = 77.0
        self.ahead = 0.0
        self.clock = SteadyClock(lambda: NOON + self.up + self.ahead, lambda: self.up)

    def passes(self, seconds: float) -> float:
        """Lets time pass. Returns by how much the clock has moved."""
        before = self.clock.now()
        self.up += seconds
        return round(self.clock.now() - before, 6)

    @property
    def off_by(self) -> float:
        """Seconds by which the clock is before the one on the wall."""
        return round(self.clock.now() - (NOON + self.up + self.ahead), 6)


def test_it_goes_as_the_machines_clock_does() -> None:
    machine = Machine()
    assert [machine.passes(seconds) for seconds in (0.0, 0.25, 10.0, HOUR)] == [0.0, 0.25, 10.0, HOUR]
    assert (machine.off_by, machine.clock.take_jump()) == (0.0, 0.0)


@pytest.mark.guard(name="time goes on when the clock is set back")
def test_when_the_machines_clock_is_set_back_time_goes_on_a_little_slower_until_they_agree() -> None:
    machine = Machine()
    machine.ahead = -HOUR
    assert machine.passes(60.0) == 54.0
    machine.passes(11 * HOUR)
    assert machine.passes(60.0) == 60.0
    assert (machine.off_by, machine.clock.take_jump()) == (0.0, 0.0)


@pytest.mark.guard(name="a jump of the clock is told")
def test_a_jump_ahead_is_made_at_once_and_told_once() -> None:
    machine = Machine()
    machine.passes(5.0)
    machine.ahead = 8 * HOUR
    assert machine.off_by == 0.0
    assert machine.clock.take_jump() == pytest.approx(8 * HOUR)
    assert machine.passes(1.0) == 1.0
    assert machine.clock.take_jump() == 0.0


def test_a_small_step_is_drift_and_is_made_up_for_slowly() -> None:
    machine = Machine()
    machine.ahead = JUMP - 1
    assert machine.passes(10.0) == 11.0
    machine.passes(60.0)
    assert (machine.off_by, machine.clock.take_jump()) == (0.0, 0.0)


def test_it_never_goes_back_and_never_stands_still_whatever_the_machines_clock_does() -> None:
    chance, machine = random.Random(1), Machine()
    for _ in range(10_000):
        seconds = chance.choice((0.0, 0.001, 1.0, 100.0))
        if chance.random() < 0.1:
            machine.ahead += chance.choice((-HOUR, -10.0, -0.5, 0.5, 10.0, HOUR))
        assert machine.passes(seconds) >= round(0.9 * seconds, 6) - 1e-6
