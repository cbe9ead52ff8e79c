"""A result of many files, or of a large one: made by a program, checked, and read by another program.

Both workers are those that users start. What counts besides the time is the memory of runner and workers: it must not
grow with the files.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from benchmarks.driving import BrokenRun
from benchmarks.engine import Measure
from benchmarks.ours.executions import check, compiled, layout_set, started, until_succeeded
from benchmarks.ours.services import Services
from benchmarks.sample import Sample, rates
from benchmarks.shapes import Node
from signoff.local.child import ServiceProgram
from signoff.manifest.manifest import manifest_from_json
from worker_svc.__main__ import DEFAULT_SLOTS

MIB = 1024 * 1024
NODES = (Node("t0"), Node("t1", ("t0",)))

_MAKE = """
import os, sys
count, size = int(sys.argv[1]), int(sys.argv[2])
for number in range(count):
    folder = f"outputs/{number // 1000:03}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{number:06}.bin", "wb") as file:
        left = size
        while left:
            left -= file.write(os.urandom(min(left, 1 << 20)))
"""
_READ = """
import os, sys
given = sys.argv[1]  # the file itself when there is one
paths = [os.path.join(folder, name) for folder, _, names in os.walk(given) for name in names] or [given]
found = [os.path.getsize(path) for path in paths]
print(len(found), sum(found))
"""


@asynccontextmanager
async def files(count: int, size: int) -> AsyncIterator[Measure]:
    """Sets up a program that makes so many files of `size` bytes, and one that reads them all."""
    numbers = itertools.count(1)
    async with Services(crews=()) as services:
        for role in DEFAULT_SLOTS:
            flags = ("--role", role, "--name", role, "--runner", services.addresses["runner"], "--allow-commands")
            await services.start(ServiceProgram(name=role, module="worker_svc", flags=flags))

        async def once() -> Sample:
            plan_id = f"files_{next(numbers)}"
            await compiled(services, _plan(count, size), plan_id)
            await layout_set(services, plan_id)
            meter = services.meter()
            meter.begin()
            begun = time.perf_counter()
            ref = await started(services, plan_id)
            await until_succeeded(services, ref, NODES)
            seconds = time.perf_counter() - begun
            processes = meter.end()
            await check(services, ref, NODES)
            manifest = manifest_from_json((await services.client.artifact(ref, "t0")).content)
            if (len(manifest.files), manifest.size) != (count, count * size):
                raise BrokenRun(f"expected {count} files, but got {len(manifest.files)} with {manifest.size} bytes")
            figures = rates(len(NODES), seconds) | {"mib_per_second": round(manifest.size / MIB / seconds, 2)}
            return Sample(figures=figures, processes=processes, version=version("signoff"), durable=True)

        yield once


def _plan(count: int, size: int) -> bytes:
    make = ["python", "-c", _MAKE, str(count), str(size)]
    read = ["python", "-c", _READ, "{input:of_t0}"]
    tasks = [
        {
            "task_id": "t0",
            "description": "make files",
            "input": {"description": "nothing"},
            "output": {"artifact": "of_t0", "files": ["**/*.bin"]},
            "executor": {"command": make, "idle_timeout": 600},
            "validation": {"checks": [{"type": "file_size", "file": "**/*.bin", "min_bytes": size, "max_bytes": size}]},
        },
        {
            "task_id": "t1",
            "description": "read files",
            "dependencies": ["t0"],
            "input": {"artifacts": ["of_t0"]},
            "output": {"artifact": "of_t1", "format": "text"},
            "executor": {"command": read, "idle_timeout": 600},
            "validation": {"checks": [{"type": "contains", "phrases": [f"{count} {count * size}"]}]},
        },
    ]
    return json.dumps({"idea": "files", "tasks": tasks}).encode()
