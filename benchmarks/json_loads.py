"""`python -m benchmarks.json_loads --depth 4`: the cost of reading a plan as JSON alone."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time

from benchmarks.driving import Stopwatch
from benchmarks.sample import Sample
from benchmarks.trees import atomic_tasks, tree_json

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.json_loads", description=__doc__)
    parser.add_argument("--depth", type=int, required=True)
    depth = parser.parse_args().depth
    text = tree_json(depth)
    with Stopwatch() as watch:
        begun = time.perf_counter()
        plan = json.loads(text)
        seconds = time.perf_counter() - begun
    figures = {
        "compile_seconds": round(seconds, 4),
        "compile_us_per_task": round(seconds / atomic_tasks(depth) * 1e6, 2),
    }
    sample = Sample(figures=figures, processes=watch.processes, version=f"Python {platform.python_version()}")
    sys.stdout.write(json.dumps({"sample": sample.to_json()}) + "\n")
