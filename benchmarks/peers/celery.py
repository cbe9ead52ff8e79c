"""Celery with Redis in memory: its own canvas over two prefork workers of seven and five processes.

A fan-out is a group (of chains, when each task is validated), a chain is a chain. Its canvas knows no single
dependencies, so layers are one group after another, for each of which the client waits.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import celery

from benchmarks.driving import EXECUTORS, VALIDATORS, BrokenRun, Result, Stopwatch, arguments, body, nodes_of, report
from benchmarks.shapes import LAYER_WIDTH, Node, graph

PORT = "SIGNOFF_BENCH_REDIS_PORT"
LOOK_AGAIN = 0.005  # seconds; Celery's own half second would hide everything else
ANSWER_WITHIN = 300.0  # seconds

app = celery.Celery("benchmark")
app.conf.update(
    broker_url=f"redis://127.0.0.1:{os.environ.get(PORT, '0')}/0",
    result_backend=f"redis://127.0.0.1:{os.environ.get(PORT, '0')}/1",
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
    worker_send_task_events=False,
    task_default_queue="execute",
)


@app.task(name="step")
def step(task_id: str) -> Result:
    return body(task_id)


def canvases(shape: str, phases: int, nodes: Sequence[Node]) -> list[Any]:
    """Returns the canvases to send, one after another."""
    signatures = [step.si(node.id).set(queue=node.phase if phases == 2 else "execute") for node in nodes]
    if shape == "chain":
        return [celery.chain(*signatures)]
    if shape == "fan-out" and phases == 2:
        pairs = zip(signatures[::2], signatures[1::2], strict=True)
        return [celery.group(celery.chain(execute, validate) for execute, validate in pairs)]
    width = len(signatures) if shape == "fan-out" else LAYER_WIDTH
    return [celery.group(signatures[start : start + width]) for start in range(0, len(signatures), width)]


def run(wanted: Sequence[Any]) -> list[Any]:
    answers = []
    for canvas in wanted:
        answers.append(canvas.apply_async())
        answers[-1].get(timeout=ANSWER_WITHIN, interval=LOOK_AGAIN)
    return answers


def results_of(answer: Any) -> Iterator[Result]:
    """Yields the results of every step: the members of groups, and the earlier steps of chains."""
    while answer is not None:
        members = getattr(answer, "results", None)
        if members is None:
            yield answer.get(timeout=ANSWER_WITHIN, interval=LOOK_AGAIN)
        for member in members or ():
            yield from results_of(member)
        answer = answer.parent


@contextmanager
def services(phases: int) -> Iterator[None]:
    """Runs Redis on a free loopback port, and the two workers."""
    with tempfile.TemporaryDirectory(prefix="celery-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        os.environ[PORT] = port
        app.conf.update(broker_url=f"redis://127.0.0.1:{port}/0", result_backend=f"redis://127.0.0.1:{port}/1")
        redis = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"]
        processes = [subprocess.Popen([*redis, "--dir", folder], stdout=subprocess.DEVNULL)]
        try:
            until_up(int(port))
            processes += [worker(role, slots, phases) for role, slots in _ROLES]
            yield
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()


_ROLES = (("execute", EXECUTORS), ("validate", VALIDATORS))


def worker(role: str, slots: int, phases: int) -> subprocess.Popen[bytes]:
    queue = role if phases == 2 else "execute"
    flags = ("-n", f"{role}@localhost", "-c", str(slots), "-Q", queue, "-l", "ERROR")
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.celery", "worker", *flags, *quiet]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until_up(port: int) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < 10:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(LOOK_AGAIN)
    raise BrokenRun("expected redis-server within 10 s, but nothing listens")


def measure(chosen: argparse.Namespace) -> None:
    nodes = nodes_of(chosen)
    run(canvases("fan-out", chosen.phases, graph("fan-out", 60, chosen.phases)))
    wanted = canvases(chosen.shape, chosen.phases, nodes)
    with Stopwatch() as watch:
        answers = run(wanted)
    results = {result["id"]: result for answer in answers for result in results_of(answer)}
    note = f"Redis in memory, prefork {EXECUTORS} and {VALIDATORS}; the client waits for each layer"
    report(chosen, nodes, results, watch, version=celery.__version__, durable=False, note=note)


def main() -> None:
    chosen = arguments()
    with services(chosen.phases):
        measure(chosen)


if __name__ == "__main__":
    main()
