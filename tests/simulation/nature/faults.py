"""Kinds of faults: each does something to a world, and reads some fields of a Fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from signoff.v1 import runner_pb2
from tests.simulation.nature import bugs
from tests.simulation.nature.crashing import Trap
from tests.simulation.nature.host import Host
from tests.simulation.nature.network import Line
from tests.simulation.nature.weather import Weather
from tests.simulation.players import liar, models
from tests.simulation.players.people import Person
from tests.simulation.players.watchers import Follower
from tests.simulation.players.workers import Supervised
from tests.simulation.scenario import Fault


class FaultyWorld(Protocol):
    """The parts of a world that faults happen to."""

    host: Host
    trap: Trap
    weather: Weather
    workers: dict[str, Supervised]
    person: Person
    followers: dict[int, Follower]
    task_ids: tuple[str, ...]


async def inject(world: FaultyWorld, fault: Fault) -> None:
    """Plays a fault from its beginning to its end."""
    await KINDS[fault.kind](world, fault)


# ---------------------------------------------------------------- the runner


async def _runner_dies(world: FaultyWorld, fault: Fault) -> None:
    """Kills the runner. `how`: at once; with its machine ("power"); or at a point of crashing.POINTS."""
    if fault.how in ("", "power"):
        world.host.kill(fault.seconds, silently=fault.how == "power")
    else:
        world.trap.set(fault.how, fault.seconds)


async def _runner_dies_amid_files(world: FaultyWorld, fault: Fault) -> None:
    """Kills the runner while files come. `how`: at a point of crashing.FILE_POINTS."""
    world.trap.set(fault.how, fault.seconds)


async def _runner_freezes(world: FaultyWorld, fault: Fault) -> None:
    await world.host.freeze(fault.seconds)


async def _runner_stops(world: FaultyWorld, fault: Fault) -> None:
    await world.host.stop(fault.seconds)


async def _clock_is_set(world: FaultyWorld, fault: Fault) -> None:
    """Sets the clock on the wall by `seconds`, ahead or back: by a person, or as a machine wakes up."""
    world.weather.clock_ahead += fault.seconds


# ---------------------------------------------------------------- workers and their lines


async def _worker_dies(world: FaultyWorld, fault: Fault) -> None:
    """Kills a worker. `how`: "power" kills its machine, so that the runner hears of no end."""
    worker = world.workers[fault.who]
    if worker.newest is not None:
        worker.kill(worker.newest, silently=fault.how == "power")
        await asyncio.sleep(fault.seconds)
        worker.start()


async def _worker_is_lost(world: FaultyWorld, fault: Fault) -> None:
    """Ends a worker's machine for good, with all processes of that worker."""
    worker = world.workers[fault.who]
    while worker.newest is not None:
        worker.kill(worker.newest, silently=True)


async def _worker_freezes(world: FaultyWorld, fault: Fault) -> None:
    victim = world.workers[fault.who].newest
    if victim is not None:
        victim.process.freeze()
        await asyncio.sleep(fault.seconds)
        victim.process.thaw()


async def _worker_drains(world: FaultyWorld, fault: Fault) -> None:
    worker = world.workers[fault.who]
    if worker.newest is not None:
        await worker.drain(worker.newest)


async def _worker_doubles(world: FaultyWorld, fault: Fault) -> None:
    """Starts a worker a second time."""
    world.workers[fault.who].start()


def _line(world: FaultyWorld, fault: Fault) -> Line | None:
    worker = world.workers[fault.who].newest
    return worker.lines[-1] if worker is not None and worker.lines else None


async def _line_breaks(world: FaultyWorld, fault: Fault) -> None:
    if (line := _line(world, fault)) is not None:
        line.break_off()


async def _line_goes_silent(world: FaultyWorld, fault: Fault) -> None:
    """Makes a line lose everything. `how`: up, down or both."""
    if (line := _line(world, fault)) is not None:
        line.up.silent |= fault.how != "down"
        line.down.silent |= fault.how != "up"


async def _line_stalls(world: FaultyWorld, fault: Fault) -> None:
    """Makes a line hold everything back, which then arrives late. `how`: as above."""
    if (line := _line(world, fault)) is not None:
        for way, other in ((line.up, "down"), (line.down, "up")):
            if fault.how != other:
                way.stall(fault.seconds)


async def _calls_break(world: FaultyWorld, fault: Fault) -> None:
    """Breaks the calls that a worker has beside its stream."""
    worker = world.workers[fault.who].newest
    if worker is not None:
        worker.calls.break_off()


async def _watcher_breaks(world: FaultyWorld, fault: Fault) -> None:
    if int(fault.who) in world.followers:
        world.followers[int(fault.who)].break_off()


# ---------------------------------------------------------------- the weather and the people


async def _window(world: FaultyWorld, fault: Fault) -> None:
    """Raises a rate of the weather for a while."""
    world.weather.begin(fault.kind, fault.rate)
    await asyncio.sleep(fault.seconds)
    world.weather.end(fault.kind, fault.rate)


def _ref(world: FaultyWorld, fault: Fault) -> runner_pb2.ExecutionRef | None:
    """Returns the reference to the execution of a command; None while it has not begun."""
    name = world.person.executions.get(int(fault.who))
    return None if name is None else runner_pb2.ExecutionRef(execution_id=name)


async def _pause(world: FaultyWorld, fault: Fault) -> None:
    """Pauses an execution. `how` is the request id, as for every command."""
    if (ref := _ref(world, fault)) is not None:
        request = runner_pb2.PauseExecutionRequest(ref=ref, request_id=fault.how, reason="lunch")
        await world.person.order("PauseExecution", request)


async def _resume(world: FaultyWorld, fault: Fault) -> None:
    if (ref := _ref(world, fault)) is not None:
        request = runner_pb2.ResumeExecutionRequest(ref=ref, request_id=fault.how)
        await world.person.order("ResumeExecution", request)


async def _stop(world: FaultyWorld, fault: Fault) -> None:
    if (ref := _ref(world, fault)) is not None:
        request = runner_pb2.StopExecutionRequest(ref=ref, request_id=fault.how, reason="enough")
        await world.person.order("StopExecution", request)


async def _retry(world: FaultyWorld, fault: Fault) -> None:
    """Retries a task; `rate` is its place in the plan."""
    if (ref := _ref(world, fault)) is not None:
        task = world.task_ids[int(fault.rate * len(world.task_ids)) % len(world.task_ids)]
        await world.person.order("RetryTask", runner_pb2.RetryTaskRequest(ref=ref, request_id=fault.how, task_id=task))


KINDS: Mapping[str, Callable[[FaultyWorld, Fault], Awaitable[None]]] = {
    "runner dies": _runner_dies,
    "runner freezes": _runner_freezes,
    "runner stops": _runner_stops,
    "clock is set": _clock_is_set,
    "worker dies": _worker_dies,
    "worker is lost": _worker_is_lost,
    "worker freezes": _worker_freezes,
    "worker drains": _worker_drains,
    "worker doubles": _worker_doubles,
    "line breaks": _line_breaks,
    "line goes silent": _line_goes_silent,
    "line stalls": _line_stalls,
    "watcher breaks": _watcher_breaks,
    "calls break": _calls_break,
    "runner dies amid files": _runner_dies_amid_files,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "retry": _retry,
    **dict.fromkeys((*models.FAULTS, *liar.LIES, *bugs.THROWS), _window),
    **dict.fromkeys(("writes fail", "reads fail", "messages lost", "messages repeated"), _window),
}
