"""AutoGen core over gRPC: a host, an executor and a validator process, and this driver, which runs the graph."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from autogen_core import AgentId, MessageContext, RoutedAgent, message_handler, try_get_known_serializers_for_type
from autogen_ext.runtimes.grpc import GrpcWorkerAgentRuntime, GrpcWorkerAgentRuntimeHost

from benchmarks import dag
from benchmarks.driving import EXECUTORS, SLOTS, VALIDATORS, Result, Stopwatch, arguments, body, nodes_of, report
from benchmarks.shapes import VALIDATE, Node, graph

ROLES = ("host", "executor", "validator")


@dataclass
class Work:
    id: str


@dataclass
class Done:
    id: str
    t: float
    ok: bool = True


class NoOpAgent(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("a worker")

    @message_handler
    async def work(self, message: Work, ctx: MessageContext) -> Done:
        return Done(**body(message.id))


def runtime(address: str) -> Any:
    made = GrpcWorkerAgentRuntime(host_address=address)
    for kind in (Work, Done):
        made.add_message_serializer(try_get_known_serializers_for_type(kind))
    return made


async def serve(role: str, address: str) -> None:
    """Runs one of the processes beside the driver, until its standard input ends."""
    if role == "host":
        served: Any = GrpcWorkerAgentRuntimeHost(address=address)
        served.start()
    else:
        served = runtime(address)
        await served.start()
        await NoOpAgent.register(served, role, NoOpAgent)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await served.stop()


async def drive(chosen: argparse.Namespace, address: str) -> None:
    driver = runtime(address)
    await driver.start()
    executors = [AgentId("executor", str(n)) for n in range(EXECUTORS)]
    validators = [AgentId("validator", str(n)) for n in range(VALIDATORS)]
    turns = itertools.count()

    async def step(node: Node) -> Result:
        agents = executors + validators if chosen.phases == 1 else executors
        agents = validators if node.phase == VALIDATE else agents
        done = await driver.send_message(Work(node.id), agents[next(turns) % len(agents)])
        return {"ok": done.ok, "id": done.id, "t": done.t}

    await dag.run(graph("fan-out", 60, chosen.phases), step, SLOTS)
    nodes = nodes_of(chosen)
    with Stopwatch() as watch:
        results = await dag.run(nodes, step, SLOTS)
    await driver.stop()
    note = f"host, 2 workers, driver; grpcio {version('grpcio')}"
    report(chosen, nodes, results, watch, version=version("autogen-core"), durable=False, note=note)


@contextmanager
def processes(address: str) -> Iterator[None]:
    started: list[subprocess.Popen[str]] = []
    try:
        for role in ROLES:
            command = [sys.executable, "-m", "benchmarks.peers.autogen", "--role", role, "--address", address]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            started.append(process)
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        for process in reversed(started):
            process.kill()
            process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", choices=ROLES)
    parser.add_argument("--address")
    chosen = arguments(parser)
    if chosen.role:
        asyncio.run(serve(chosen.role, chosen.address))
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with processes(address):
        asyncio.run(drive(chosen, address))


if __name__ == "__main__":
    main()
