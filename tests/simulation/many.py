"""Many worlds at once, on all cores. Their outcomes are values that can be sent between processes."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from tests.simulation.scenario import draw
from tests.simulation.shrink import kind_of
from tests.simulation.world import World, play

CHUNK = 10  # worlds handed to a process at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one seed's world."""

    seed: int
    failure: str = ""  #: its kind; empty: every promise was kept
    story: str = ""  #: of a failure
    journal: str = ""  #: SHA-256 of everything in the store at the end
    sprung: Counter[str]  #: crash points at which a runner died
    thrown: Counter[str]  #: kinds of bugs that came up in a runner


def quiet() -> None:
    """Silences the logs of the services, which would drown the simulation's output."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@contextmanager
def silenced() -> Iterator[None]:
    """Silences the logs until the block ends."""
    before = structlog.get_config()
    quiet()
    try:
        yield
    finally:
        structlog.configure(**before)


def outcome_of(seed: int) -> Outcome:
    try:
        world = play(draw(seed))
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed is what matters
        story = "".join(traceback.format_exception(error, limit=-6))
        return Outcome(seed=seed, failure=kind_of(error), story=story, sprung=Counter(), thrown=Counter())
    return Outcome(seed=seed, journal=journal_of(world), sprung=world.trap.sprung, thrown=world.bugs.thrown)


def journal_of(world: World) -> str:
    rows = b"".join(row.body for row in world.store.rows)
    return hashlib.sha256(rows).hexdigest()


def outcomes(seeds: Iterable[int], jobs: int | None = None) -> Iterator[Outcome]:
    """Yields the outcomes in the order of the seeds. Its processes are spawned: gRPC does not survive a fork."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=context, initializer=quiet) as pool:
        yield from pool.map(outcome_of, seeds, chunksize=CHUNK)
