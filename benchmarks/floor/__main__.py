"""`python -m benchmarks.floor --shape chain --tasks 200 --phases 2`: one run of the floor, one JSON line."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from benchmarks.driving import EXECUTORS, VALIDATORS, Stopwatch, arguments, nodes_of, report
from benchmarks.floor.runner import Runner
from benchmarks.floor.state import State
from benchmarks.floor.worker import work
from benchmarks.shapes import EXECUTE, VALIDATE, graph

WARM_UP = 60  # tasks
END_WITHIN = 10.0  # seconds a worker has to end by itself


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--log", choices=("none", "normal", "full"), default="full", help="SQLite's synchronous.")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="uvloop")
    parser.add_argument("--items", type=int, default=32, help="The most in a frame.")
    parser.add_argument("--ahead", type=int, default=1, help="Items a worker is given for each slot.")
    parser.add_argument("--worker", nargs=3, metavar=("ADDRESS", "PHASE", "SLOTS"), help=argparse.SUPPRESS)
    chosen = arguments(parser)
    run = loop_of(chosen.loop)
    if chosen.worker:
        address, phase, slots = chosen.worker
        run(work(address, phase, int(slots), chosen.items))
    else:
        run(measure(chosen))


def loop_of(name: str) -> Callable[[Coroutine[Any, Any, None]], None]:
    if name == "asyncio":
        return asyncio.run
    import uvloop

    return uvloop.run


async def measure(chosen: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="floor-") as folder:
        log = None if chosen.log == "none" else Path(folder) / "log.db"
        synchronous = chosen.log.upper()
        runner = Runner(
            items_a_frame=chosen.items, ahead=chosen.ahead, phases=chosen.phases, log=log, synchronous=synchronous
        )
        with workers(chosen, await runner.start()):
            try:
                await measured(chosen, runner)
            finally:
                await runner.stop()


async def measured(chosen: argparse.Namespace, runner: Runner) -> None:
    await runner.arrived(2)
    await runner.run(State(graph("fan-out", WARM_UP, chosen.phases), chosen.phases))
    nodes = nodes_of(chosen)
    with Stopwatch() as watch:
        state = State(nodes, chosen.phases)
        await runner.run(state)
    report(
        *(chosen, nodes, state.results, watch),
        version=f"grpcio {grpc.__version__}",
        durable=False,
        note=f"no leases, no replay; SQLite {chosen.log}, {chosen.loop}, {chosen.items} items a frame",
    )


@contextmanager
def workers(chosen: argparse.Namespace, address: str) -> Iterator[None]:
    """Starts an executor and a validator process; they end when the runner ends their streams."""
    flags = ["--loop", chosen.loop, "--items", str(chosen.items)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.floor", "--worker", address, phase, str(slots), *flags],
            stdin=subprocess.DEVNULL,
        )
        for phase, slots in ((EXECUTE, EXECUTORS), (VALIDATE, VALIDATORS))
    ]
    try:
        yield
    finally:
        for process in processes:
            try:
                process.wait(END_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


if __name__ == "__main__":
    main()
