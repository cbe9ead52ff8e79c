"""Services as a user starts them: `python -m …` in a process of its own, which a test reads and ends."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from tests.support.processes.commands import ROOT, ProcessResult, environment

PATIENCE = 20.0  # seconds; a service starts and ends in about one


@asynccontextmanager
async def started(module: str, *flags: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    """Starts a service, and kills it at the end of the block if it is still there."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *flags),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env=environment() | dict(env or {}),
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def result_of(process: Process) -> ProcessResult:
    """Waits for the end without closing standard input, and reads what is left of both streams."""
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        out, err = await asyncio.gather(process.stdout.read(), process.stderr.read())
        code = await process.wait()
    return ProcessResult(code, out.decode(), err.decode())


async def run(module: str, *flags: str, env: Mapping[str, str] | None = None) -> ProcessResult:
    """Runs a service that ends by itself."""
    async with started(module, *flags, env=env) as process:
        return await result_of(process)


async def until_logged(process: Process, event: str) -> list[str]:
    """Reads the log up to the line with an event, which must come; returns the lines."""
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async for line in process.stderr:
            lines.append(line.decode())
            if event in lines[-1]:
                return lines
    raise AssertionError(f"expected a line with {event}, but the log ended:\n{''.join(lines)}")
