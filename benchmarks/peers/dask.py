"""dask.distributed: two worker processes of six threads; the whole graph is handed over in one call."""

from __future__ import annotations

import logging

import distributed

from benchmarks.driving import SLOTS, Result, Stopwatch, arguments, body, nodes_of, report

WORKERS = 2
WARM_UP = 48  # tasks


def step(task_id: str, *_before: Result) -> Result:
    return body(task_id)


def key(name: str) -> str:
    """Makes a key that equals no argument: dask would take the argument as a reference to the result."""
    return f"key-{name}"


def main() -> None:
    chosen = arguments()
    nodes = nodes_of(chosen)
    logging.disable(logging.CRITICAL)  # the workers' last heartbeats
    with (
        distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=SLOTS // WORKERS, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(WORKERS)
        client.gather([client.submit(step, f"warm{n}", pure=False) for n in range(WARM_UP)])
        with Stopwatch() as watch:
            tasks = {key(node.id): (step, node.id, *map(key, node.depends_on)) for node in nodes}
            values = client.get(tasks, [key(node.id) for node in nodes])
        results = {value["id"]: value for value in values}
        note = f"{WORKERS} processes of {SLOTS // WORKERS} threads, one graph"
        report(chosen, nodes, results, watch, version=distributed.__version__, durable=False, note=note)


if __name__ == "__main__":
    main()
