"""Deadlines of leases that have ended are dropped, and never many of them at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner_svc.core.fleet.deadlines import MOOT_AT_ONCE, Deadlines, Due
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model.states import DONE
from tests.support.story import accepted, executor, given, passes, signed_off, started, validator

BURST = 5 * MOOT_AT_ONCE


def a_lease() -> LiveLease:
    run = given("a", executor("w1"), started)
    return run.machine.state.roster.leases[run.lease("a")]


@pytest.mark.guard(name="ended leases are dropped part by part")
def test_a_burst_of_ended_leases_is_looked_at_part_by_part() -> None:
    looked: list[LiveLease] = []

    def is_out(lease: LiveLease) -> bool:
        looked.append(lease)
        return False

    deadlines, lease = Deadlines(is_out), a_lease()
    for n in range(BURST):
        deadlines.look_at(replace(lease), 60.0 + n)
    deadlines.remind(9_000.0, Due.RATE, None)

    assert deadlines.next == 60.0 + MOOT_AT_ONCE
    assert len(looked) == MOOT_AT_ONCE
    later = [deadlines.next for _ in range(BURST // MOOT_AT_ONCE - 1)]
    assert later == [*(60.0 + n for n in range(2 * MOOT_AT_ONCE, BURST, MOOT_AT_ONCE)), 9_000.0]


def test_a_deadline_of_an_ended_lease_that_comes_is_looked_at_in_vain() -> None:
    run = given("a", executor("w1"), validator("v1"), started, accepted("a"), *signed_off("a"))
    run.when(passes(900))
    run.then(events=[], commands=[], statuses={"a": DONE})
