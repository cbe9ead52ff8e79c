"""luigi: local scheduler, twelve worker processes, a file for each task, so that a second run skips what is done."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import luigi

from benchmarks.driving import SLOTS, BrokenRun, Stopwatch, arguments, body, nodes_of, report
from benchmarks.shapes import Node

NODES: dict[str, Node] = {}


class Step(luigi.Task):
    folder = luigi.Parameter()
    name = luigi.Parameter()

    def requires(self) -> list[Any]:
        return [Step(folder=self.folder, name=name) for name in NODES[self.name].depends_on]

    def output(self) -> Any:
        return luigi.LocalTarget(str(Path(self.folder) / f"{self.name}.json"))

    def run(self) -> None:
        with self.output().open("w") as file:
            json.dump(body(self.name), file)


def run(nodes: Iterable[Node], folder: str) -> None:
    """Runs the graph. Raises BrokenRun when luigi reports a failure."""
    NODES.update((node.id, node) for node in nodes)
    steps = [Step(folder=folder, name=node.id) for node in nodes]
    if not luigi.build(steps, workers=SLOTS, local_scheduler=True, no_lock=True, log_level="CRITICAL"):
        raise BrokenRun("expected luigi to do all tasks, but it says that some failed")


def main() -> None:
    chosen = arguments()
    nodes = nodes_of(chosen)
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="luigi-") as folder:
        run([Node(f"warm{n}") for n in range(SLOTS)], folder)
        with Stopwatch() as watch:
            run(nodes, folder)
        results = {node.id: json.loads((Path(folder) / f"{node.id}.json").read_text()) for node in nodes}
    note = f"{SLOTS} workers, a fork for each task, a file for each task"
    report(chosen, nodes, results, watch, version=luigi.__version__, durable=True, note=note)


if __name__ == "__main__":
    main()
