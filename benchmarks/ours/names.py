"""Tasks that each name all of many artifacts, compared with one task between that joins them: whole commands."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.driving import BrokenRun
from benchmarks.engine import Measure
from benchmarks.ours.graphs import version
from benchmarks.sample import Sample


def named(makers: int, readers: int) -> list[dict[str, Any]]:
    """Returns makers, and readers that each name the artifacts of all makers and do not say that they wait for them."""
    names = [f"of_p{n}" for n in range(makers)]
    return [*(_task(f"p{n}") for n in range(makers)), *(_task(f"r{n}", reads=names) for n in range(readers))]


def joined(makers: int, readers: int) -> list[dict[str, Any]]:
    """Returns makers, one task that waits for all of them, and the readers of that task."""
    join = _task("join", waits=[f"p{n}" for n in range(makers)])
    return [
        *(_task(f"p{n}") for n in range(makers)),
        join,
        *(_task(f"r{n}", waits=["join"], reads=["of_join"]) for n in range(readers)),
    ]


def _task(task_id: str, waits: Sequence[str] = (), reads: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "description": f"step {task_id}",
        "dependencies": list(waits),
        "input": {"description": "x", "artifacts": list(reads)},
        "output": {"artifact": f"of_{task_id}", "format": "text"},
        "validation": {"criteria": ["it was made"]},
    }


@asynccontextmanager
async def many_names(makers: int, readers: int) -> AsyncIterator[Measure]:
    """Runs both plans, one after the other, each by a command of its own with an empty data folder."""

    async def once() -> Sample:
        with _folder() as folder:
            by_join = await _run(folder, "joined", joined(makers, readers))
            by_name = await _run(folder, "named", named(makers, readers))
        figures = {
            "named_seconds": round(by_name, 3),
            "joined_seconds": round(by_join, 3),
            "named_over_joined": round(by_name / by_join, 3),
        }
        return Sample(figures=figures, version=version(), durable=True)

    yield once


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="signoff-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(folder: Path, name: str, tasks: list[dict[str, Any]]) -> float:
    """Returns the seconds that `signoff run` takes, with all that it starts. Raises BrokenRun when it fails."""
    plan = folder / f"{name}.json"
    plan.write_text(json.dumps({"idea": name, "tasks": tasks}))
    command = (sys.executable, "-m", "signoff.cli", "run", str(plan), "--data-dir", str(folder / name))
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, "--model", "mock", stdout=DEVNULL, stderr=PIPE)
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode != os.EX_OK:
        raise BrokenRun(f"expected {name} to succeed, but got {said.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - begun
