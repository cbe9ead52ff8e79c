"""The kit finds what is wrong with a worker, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from signoff.conformance.checks import CHECKS
from tests.support.conformance.broken import BROKEN, RUINED, Broken
from tests.support.conformance.in_process import LATE, failed, tried

AT_ONCE = 8  # kits, which mostly wait
GROUPS = 15  # of faults, of about as many
SOON = 1.0  #: seconds for an answer that mostly never comes: of these checks none is to pass
LONG_BEAT = 1.0  #: seconds of a beat, when a fault did not show in the silence of some short ones
DISTURBS = {"ping.busy"}  # it computes without a pause, and what else goes on in this process waits

KEEPS_WORK = {"stop.drops"}  # what it goes on with disturbs whichever check comes next


def name_of(broken: Broken) -> str:
    return f"{broken.fault.__name__}-{broken.role}"


@pytest.mark.parametrize("group", range(GROUPS))
async def test_a_fault_is_found_by_the_checks_that_are_about_it(group: int) -> None:
    """Several at once: the kit mostly waits for what does not come."""
    faults = [*BROKEN, *RUINED][group::GROUPS]
    quiet = [broken for broken in faults if not DISTURBS & set(broken.found_by)]
    found = dict(zip(map(name_of, quiet), await asyncio.gather(*map(_found, quiet)), strict=True))
    for broken in faults:
        results = found.get(name_of(broken)) or await _found(broken)
        assert sorted(results) == sorted(broken.found_by), name_of(broken)
        assert all("expected" in reason and ", but " in reason for reason in results.values()), name_of(broken)


async def _found(broken: Broken) -> dict[str, str]:
    """The checks that should find it and do, with what they say.

    Some listen for what must not come, and short silences pass on a machine that is too busy to break them: what was
    missed is looked for again in long ones.
    """
    timings = replace(broken.fault.kit_timings, answer=min(broken.fault.kit_timings.answer, SOON))
    found = failed(await tried(broken.role, broken.fault, broken.found_by, timings))
    if missed := [check for check in broken.found_by if check not in found]:
        found |= failed(await tried(broken.role, broken.fault, missed, replace(timings, beat=LONG_BEAT)))
    return found


def test_every_check_finds_some_fault() -> None:
    found = {check for broken in (*BROKEN, *RUINED) for check in broken.found_by}
    assert {check.id for check in CHECKS} - found == {"progress.made"}, "the check that no worker has to pass"


@pytest.mark.long
async def test_a_fault_is_found_by_no_other_check() -> None:
    turn = asyncio.Semaphore(AT_ONCE)

    async def others(broken: Broken) -> dict[str, str]:
        async with turn:
            rest = ids - {*broken.found_by, *broken.besides}
            timings = broken.fault.kit_timings
            return failed(
                await tried(broken.role, broken.fault, rest, replace(timings, answer=max(timings.answer, LATE)))
            )

    ids = {check.id for check in CHECKS} - DISTURBS
    alone = [broken for broken in BROKEN if not (DISTURBS | KEEPS_WORK) & set(broken.found_by)]
    strays = await asyncio.gather(*map(others, alone))
    assert {name_of(broken): stray for broken, stray in zip(alone, strays, strict=True) if stray} == {}
