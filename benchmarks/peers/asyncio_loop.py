"""A bare event loop in one process, without any engine: a counter of the open dependencies of each node."""

from __future__ import annotations

import asyncio
import platform

from benchmarks import dag
from benchmarks.driving import SLOTS, Result, Stopwatch, arguments, body, nodes_of, report
from benchmarks.shapes import Node, graph


async def step(node: Node) -> Result:
    await asyncio.sleep(0)
    return body(node.id)


def main() -> None:
    chosen = arguments()
    nodes = nodes_of(chosen)
    asyncio.run(dag.run(graph("fan-out", 24), step, SLOTS))
    with Stopwatch() as watch:
        results = asyncio.run(dag.run(nodes, step, SLOTS))
    version = f"Python {platform.python_version()}"
    report(chosen, nodes, results, watch, version=version, durable=False, note="one process, nothing else")


if __name__ == "__main__":
    main()
