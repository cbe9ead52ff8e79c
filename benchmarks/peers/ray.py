"""ray: remote functions; dependencies are passed as references to objects."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_DEDUP_LOGS", "0")

import ray

from benchmarks.driving import SLOTS, Result, Stopwatch, arguments, body, nodes_of, report

WARM_UP = 500  # tasks
ROOT = Path(__file__).parents[2]
OBJECT_STORE = 512 * 1024 * 1024  # bytes


@ray.remote
def step(task_id: str, *_before: Any) -> Result:
    return body(task_id)


@ray.remote
def process_id() -> int:
    time.sleep(0.2)  # long enough that each slot gets one
    return os.getpid()


def warm_up() -> None:
    """Starts a process for every slot: without them the first run takes four times as long."""
    while len(set(ray.get([process_id.remote() for _ in range(SLOTS)]))) < SLOTS:
        pass
    ray.get([step.remote(f"warm{n}") for n in range(WARM_UP)])


def main() -> None:
    chosen = arguments()
    nodes = nodes_of(chosen)
    ray.init(
        num_cpus=SLOTS,
        include_dashboard=False,
        logging_level=logging.ERROR,
        _node_ip_address="127.0.0.1",
        object_store_memory=OBJECT_STORE,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )
    warm_up()
    with Stopwatch() as watch:
        references: dict[str, Any] = {}
        for node in nodes:
            references[node.id] = step.remote(node.id, *(references[name] for name in node.depends_on))
        values = ray.get(list(references.values()))
    results = {value["id"]: value for value in values}
    report(chosen, nodes, results, watch, version=ray.__version__, durable=False, note=f"num_cpus={SLOTS}")
    ray.shutdown()


if __name__ == "__main__":
    main()
