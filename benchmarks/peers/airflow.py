"""Airflow's `dag.test()`: one process runs the tasks one by one, with their states in a new SQLite database.

Without scheduler, executor or worker this is its cheapest way to run a graph. A deployment adds the scheduler's loop
and a process for each task.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.driving import BrokenRun, Stopwatch, arguments, body, nodes_of, report
from benchmarks.shapes import Node

_STAMPS = "BENCHMARK_AIRFLOW_STAMPS"  # the file that tasks write their results to
_DAG_FILE = """# an airflow dag file: Airflow passes over files without these two words
from benchmarks.peers.airflow import graph_of
from benchmarks.shapes import graph
warm = graph_of("warm", graph("fan-out", 3))
bench = graph_of("bench", graph({shape!r}, {tasks}, {phases}))
"""


def graph_of(name: str, nodes: Sequence[Node]) -> Any:
    """Returns an Airflow DAG of these nodes."""
    from airflow.sdk import dag, task

    @dag(dag_id=name, schedule=None)
    def build() -> None:
        steps: dict[str, Any] = {}
        for node in nodes:
            steps[node.id] = task(task_id=node.id)(step)(node.id)
            for before in node.depends_on:
                steps[before] >> steps[node.id]

    return build()


def step(task_id: str) -> None:
    with Path(os.environ[_STAMPS]).open("a") as file:
        file.write(json.dumps(body(task_id)) + "\n")


def run(dag: Any) -> None:
    """Runs the graph. Raises BrokenRun when a task failed."""
    with contextlib.redirect_stdout(io.StringIO()):
        state = dag.test().state
    if state != "success":
        raise BrokenRun(f"expected Airflow to do all tasks, but it ended as {state}")


def configure(home: Path) -> None:
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        _STAMPS: str(home / "stamps.jsonl"),
    }
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    chosen = arguments()
    nodes = nodes_of(chosen)
    with tempfile.TemporaryDirectory(prefix="airflow-") as folder:
        dags = Path(folder) / "dags"
        dags.mkdir()
        text = _DAG_FILE.format(shape=chosen.shape, tasks=chosen.tasks, phases=chosen.phases)
        (dags / "benchmark_dags.py").write_text(text)
        configure(Path(folder))
        import airflow

        logging.disable(logging.CRITICAL)
        sys.path.insert(0, str(dags))
        made = importlib.import_module("benchmark_dags")
        run(made.warm)
        with Stopwatch() as watch:
            run(made.bench)
        lines = (Path(folder) / "stamps.jsonl").read_text().splitlines()
        results = {result["id"]: result for result in map(json.loads, lines)}
    note = "dag.test(): one process, one task at a time, SQLite"
    report(chosen, nodes, results, watch, version=airflow.__version__, durable=True, note=note)


if __name__ == "__main__":
    main()
