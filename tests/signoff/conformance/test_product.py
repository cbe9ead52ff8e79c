"""The product's own workers pass the kit."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from signoff.conformance.checks import CHECKS
from signoff.conformance.messages import EXECUTOR, VALIDATOR, Role
from signoff.conformance.outcome import CheckOutcome
from tests.support.conformance.in_process import LATE, QUICK, failed, tried


@pytest.mark.guard(name="input digest")
@pytest.mark.guard(name="stale lease of an input")
@pytest.mark.guard(name="unknown messages")
@pytest.mark.guard(name="only what is missing is sent")
@pytest.mark.guard(name="contents wait for a runner that is away")
@pytest.mark.guard(name="a lease that has ended ends its uploads")
async def test_a_worker_of_the_product_passes_every_check_of_its_role() -> None:
    """Both at once: the kit mostly waits."""
    async with asyncio.TaskGroup() as both:
        for role in (EXECUTOR, VALIDATOR):
            both.create_task(_passes(role))


async def _passes(role: Role) -> None:
    results = await tried(role, timings=replace(QUICK, answer=LATE))
    assert failed(results) == {}
    passed = {name for name, result in results.items() if result.outcome is CheckOutcome.PASS}
    assert passed == {check.id for check in CHECKS if check.role in (None, role)}
