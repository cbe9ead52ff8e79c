"""Checks of an optional part of the protocol are not tried on a worker that does not announce it, and say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signoff.conformance.checks import CHECKS
from signoff.conformance.messages import EXECUTOR, VALIDATOR, Role
from signoff.conformance.outcome import CheckOutcome
from signoff.manifest.manifest import FILES
from tests.support.conformance import faults_of_files
from tests.support.conformance.in_process import QUICK, tried

MADE = {check.id for check in CHECKS if check.feature == FILES and check.role == EXECUTOR}
PATIENT = replace(QUICK, answer=10.0)  # a validator starts a process for its checks, on a busy machine too
READ = {check.id for check in CHECKS if check.feature == FILES and check.role is None}


def test_the_checks_of_files_are_for_workers_that_announce_them() -> None:
    assert {check.id for check in CHECKS if check.id.startswith("files.")} == MADE | READ


@pytest.mark.guard(name="parts that a worker does not announce are not tried")
@pytest.mark.parametrize("role", [EXECUTOR, VALIDATOR])
async def test_a_worker_that_announces_no_files_is_given_none(role: Role) -> None:
    results = await tried(role, faults_of_files.AnnouncesNothing, ["files"])
    wanted = MADE | READ if role == EXECUTOR else READ
    skipped = {results[name].outcome for name in wanted}, {results[name].reason for name in wanted}
    assert skipped == ({CheckOutcome.SKIP}, {"not tried: it announces no files"})


async def test_an_executor_without_a_function_is_given_files_to_read_and_none_to_make() -> None:
    results = await tried(EXECUTOR, faults_of_files.OffersModelsAlone, ["files"], PATIENT)
    assert {name: results[name].outcome for name in READ} == dict.fromkeys(READ, CheckOutcome.PASS)
    reasons = {results[name].reason for name in MADE}
    assert reasons == {"not tried: its handlers name no function, and a model makes no files"}


@pytest.mark.parametrize("role", [EXECUTOR, VALIDATOR])
async def test_a_worker_may_fetch_files_one_by_one_and_in_ranges(role: Role) -> None:
    results = await tried(role, faults_of_files.FetchesRangesOfOneFileAfterTheOther, READ, PATIENT)
    assert {name: result.outcome for name, result in results.items()} == dict.fromkeys(READ, CheckOutcome.PASS)


async def test_a_worker_that_asks_nothing_may_send_all_files() -> None:
    results = await tried(
        EXECUTOR, faults_of_files.NeverAsks, ["files.brought", "files.missing", "files.broken"], PATIENT
    )
    assert results["files.brought"].outcome is CheckOutcome.PASS
    for check in ("files.missing", "files.broken"):
        assert results[check].outcome is CheckOutcome.SKIP
        assert results[check].reason.startswith("it does not ask what is missing")
