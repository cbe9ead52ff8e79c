"""Engines that are measured by a driver in a process of its own, often in another virtual environment."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from benchmarks.driving import BrokenRun
from benchmarks.engine import Measure, NotHere
from benchmarks.peers.table import Peer
from benchmarks.sample import Sample, sample_from_json

ROOT = Path(__file__).parents[1]
VENVS = ROOT / ".venvs"
LEAVE_WITHIN = 5.0  # seconds between SIGTERM and SIGKILL
MOST_OUTPUT = 64 * 1024 * 1024  # bytes of one line


@asynccontextmanager
async def driver(module: str, flags: Sequence[str], python: Path | str = sys.executable) -> AsyncIterator[Measure]:
    """Makes an engine whose runs are new processes of a driver, each of which prints one JSON line.

    A run is ended with all its children.
    """

    async def once() -> Sample:
        process = await asyncio.create_subprocess_exec(
            *(str(python), "-m", module, *flags),
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
            limit=MOST_OUTPUT,
        )
        try:
            out, err = await process.communicate()
        finally:
            await end_group(process)
        return sample_of(out.decode(), err.decode())

    yield once


@asynccontextmanager
async def peer(entry: Peer, venvs: Path, flags: Sequence[str]) -> AsyncIterator[Measure]:
    """Makes the engine of a peer. Raises NotHere when there is no environment for it."""
    python = venvs / entry.environment / "bin" / "python" if entry.environment else Path(sys.executable)
    if not python.exists():
        raise NotHere(f"no environment {entry.environment}: python -m benchmarks.peers {entry.environment}")
    if entry.program and shutil.which(entry.program) is None:
        raise NotHere(f"no {entry.program} on the PATH")
    async with driver(entry.module, (*entry.flags, *flags), python) as once:
        yield once


def sample_of(out: str, err: str) -> Sample:
    """Reads the sample that a driver printed. Raises BrokenRun with the end of its output when there is none."""
    lines = [line for line in out.splitlines() if line.startswith('{"sample"')]
    if not lines:
        words = (err.strip() or out.strip()).splitlines()[-1:] or ["it said nothing"]
        raise BrokenRun(f"expected a result of the driver, but: {words[0][:300]}")
    return sample_from_json(json.loads(lines[-1])["sample"])


async def end_group(process: Process) -> None:
    """Ends a driver and its children, which are in a process group of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_WITHIN):
            await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # children may outlive the driver
    await process.wait()
