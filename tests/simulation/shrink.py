"""Shrinking: makes a scenario that fails as small as it can be while it fails in the same way."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tests.simulation.scenario import ORDERS, Fault, Scenario
from tests.simulation.world import play

T = TypeVar("T")

MOST_PLAYS = 500  # of one shrinking
_ROOT = Path(__file__).parents[2]


def kind_of(error: BaseException) -> str:
    """Returns the kind of a failure: the error, and its place in the project."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(_ROOT))]
    where = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "nowhere"
    return f"{type(error).__name__} in {where}"


def failure_of(scenario: Scenario) -> str:
    """Returns the kind of a scenario's failure; empty when it does not fail."""
    try:
        play(scenario)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return kind_of(error)
    return ""


def shrink(scenario: Scenario, failure: Callable[[Scenario], str] = failure_of) -> Scenario:
    """Returns the smallest scenario found that fails as this one does.

    Greedy, the largest cuts first: Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
    """
    wanted, left = failure(scenario), MOST_PLAYS
    assert wanted, "expected a scenario that fails"
    cuts = smaller(scenario)
    while left and (cut := next(cuts, None)) is not None:
        left -= 1
        if failure(cut) == wanted:
            scenario, cuts = cut, smaller(cut)
    return scenario


def smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Yields scenarios with one cut each, the largest cut first."""
    return filter(_can_end, _cuts(scenario))


def _can_end(scenario: Scenario) -> bool:
    """Tells whether each role has a worker left: without one, any execution is stuck."""
    lost = {fault.who for fault in scenario.faults if fault.kind == "worker is lost"}
    return {name[0] for name in scenario.workers if name not in lost} == {"w", "v"}


def _cuts(scenario: Scenario) -> Iterator[Scenario]:
    for faults in _parts(scenario.faults):
        yield replace(scenario, faults=faults)
    for number in range(len(scenario.watchers)):
        yield _without_watcher(scenario, number)
    for number in range(len(scenario.executions)):
        yield _without_execution(scenario, number)
    for workers in _parts(scenario.workers):
        yield replace(scenario, workers=workers, faults=[f for f in scenario.faults if _concerns(f, workers)])
    for number in range(len(scenario.plan.split(";"))):
        yield replace(scenario, plan=_without_task(scenario.plan, number))
    yield from _plainer(scenario)


def _parts(whole: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """Yields the sequence without a half, without a quarter, down to without one."""
    size = len(whole) // 2
    while size:
        for start in range(0, len(whole), size):
            yield (*whole[:start], *whole[start + size :])
        size //= 2
    if len(whole) == 1:
        yield ()


def _concerns(fault: Fault, workers: Sequence[str]) -> bool:
    return fault.who in workers or not fault.who or fault.who.isdigit()


def _without_watcher(scenario: Scenario, number: int) -> Scenario:
    watchers = [watch for n, watch in enumerate(scenario.watchers) if n != number]
    return replace(scenario, watchers=watchers, faults=_renumbered(scenario.faults, ("watcher breaks",), number))


def _without_execution(scenario: Scenario, number: int) -> Scenario:
    watchers = [
        replace(watch, execution=watch.execution - (watch.execution > number))
        for watch in scenario.watchers
        if watch.execution != number
    ]
    executions = [start for n, start in enumerate(scenario.executions) if n != number]
    faults = _renumbered(scenario.faults, ORDERS, number)
    return replace(scenario, executions=executions, watchers=watchers, faults=faults)


def _renumbered(faults: Sequence[Fault], kinds: Sequence[str], gone: int) -> list[Fault]:
    """Returns the faults after number `gone` was removed: those of `kinds` name executions or watchers by number."""
    left = []
    for fault in faults:
        if fault.kind not in kinds:
            left.append(fault)
        elif int(fault.who) != gone:
            left.append(replace(fault, who=str(int(fault.who) - (int(fault.who) > gone))))
    return left


def _without_task(plan: str, number: int) -> str:
    """Removes a task, and the dependencies on it. A plan without sense fails in another way, and is not kept."""
    lines = [line.strip() for line in plan.split(";")]
    path = lines.pop(number).partition("<-")[0].partition("[")[0].partition("(")[0].strip()
    names = {path, path.rpartition("/")[2]}
    kept = []
    for line in lines:
        head, _, waits = line.partition("<-")
        left = [name.strip() for name in waits.split(",") if name.strip() and name.strip() not in names]
        kept.append(f"{head.strip()} <- {', '.join(left)}" if left else head.strip())
    return "; ".join(kept)


def _plainer(scenario: Scenario) -> Iterator[Scenario]:
    usual = Scenario(seed=0, plan="")
    for name in ("checkpoint_every", "queue_limit", "max_stream_age", "people", "files"):
        if getattr(scenario, name) != getattr(usual, name):
            yield replace(scenario, **{name: getattr(usual, name)})
    for number, start in enumerate(scenario.executions):
        for plain in (replace(start, settings={}), replace(start, at=0.0)):
            if plain != start:
                executions = [*scenario.executions]
                executions[number] = plain
                yield replace(scenario, executions=executions)
