"""Prefect: one flow whose tasks are submitted to twelve threads; its server, on SQLite, is a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.driving import SLOTS, BrokenRun, Result, Stopwatch, arguments, body, nodes_of, report
from benchmarks.shapes import graph

UP_WITHIN = 90.0  # seconds
LOOK_AGAIN = 0.2  # seconds


@contextmanager
def server() -> Iterator[None]:
    """Runs a server on a free loopback port, and configures this process to use it."""
    with tempfile.TemporaryDirectory(prefix="prefect-") as home, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        os.environ |= {
            "PREFECT_HOME": home,
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_LOGGING_LEVEL": "ERROR",
            "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        flags = ("--host", "127.0.0.1", "--port", str(port), "--no-ui")
        command = [sys.executable, "-m", "prefect", "server", "start", *flags]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until_up(f"http://127.0.0.1:{port}/api/health")
            yield
        finally:
            process.terminate()
            process.wait()


def until_up(url: str) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < UP_WITHIN:
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            time.sleep(LOOK_AGAIN)
    raise BrokenRun(f"expected Prefect's server within {UP_WITHIN:.0f} s, but it does not answer")


def flow() -> Any:
    """Makes the flow. Imports Prefect late, because it reads its settings when it is imported."""
    import prefect
    from prefect.cache_policies import NO_CACHE
    from prefect.task_runners import ThreadPoolTaskRunner

    @prefect.task(persist_result=False, cache_policy=NO_CACHE)
    def step(task_id: str) -> Result:
        return body(task_id)

    @prefect.flow(task_runner=ThreadPoolTaskRunner(max_workers=SLOTS))
    def run(shape: str, tasks: int, phases: int) -> dict[str, Result]:
        futures: dict[str, Any] = {}
        for node in graph(shape, tasks, phases):
            futures[node.id] = step.submit(node.id, wait_for=[futures[name] for name in node.depends_on])
        return {name: future.result() for name, future in futures.items()}

    return run


def main() -> None:
    chosen = arguments()
    with server():
        run = flow()
        run("fan-out", SLOTS, 1)
        with Stopwatch() as watch:
            results = run(chosen.shape, chosen.tasks, chosen.phases)
        from prefect import __version__ as version

        note = f"states in the server's SQLite, results in memory; one process, {SLOTS} threads"
        report(chosen, nodes_of(chosen), results, watch, version=version, durable=False, note=note)


if __name__ == "__main__":
    main()
