"""DBOS Transact on SQLite: one durable workflow runs the graph, each task is a step with a checkpoint."""

from __future__ import annotations

import asyncio
import os
import tempfile
import warnings
from importlib.metadata import version

from dbos import DBOS, DBOSConfig

from benchmarks import dag
from benchmarks.driving import SLOTS, Result, Stopwatch, arguments, body, nodes_of, report
from benchmarks.shapes import graph


@DBOS.step()
async def step(task_id: str) -> Result:
    return body(task_id)


@DBOS.workflow()
async def whole(shape: str, tasks: int, phases: int) -> dict[str, Result]:
    return await dag.run(graph(shape, tasks, phases), lambda node: step(node.id), SLOTS)


def main() -> None:
    chosen = arguments()
    nodes = nodes_of(chosen)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="dbos-") as folder:
        config: DBOSConfig = {
            "name": "benchmark",
            "system_database_url": f"sqlite:///{folder}/dbos.sqlite",
            "log_level": "ERROR",
            "executor_id": f"benchmark-{os.getpid()}",
            "application_version": f"benchmark-{os.getpid()}",
        }
        DBOS(config=config)
        DBOS.launch()

        async def measured() -> tuple[dict[str, Result], Stopwatch]:
            await whole("fan-out", 24, 1)
            with Stopwatch() as watch:
                results = await whole(chosen.shape, chosen.tasks, chosen.phases)
            return results, watch

        results, watch = asyncio.run(measured())
        note = f"one process, {SLOTS} steps of one workflow at once, SQLite"
        report(chosen, nodes, results, watch, version=version("dbos"), durable=True, note=note)
        DBOS.destroy()


if __name__ == "__main__":
    main()
