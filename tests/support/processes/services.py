"""Services as a user starts them: `python -m …` in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0  # seconds; a service starts and ends in about one
ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


@asynccontextmanager
async def started(module: str, *flags: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    """A service process; killed at the end if it is still there."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNOFF_", "OPENAI_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *flags),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env=outer | dict(env or {}),
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def ended(process: Process) -> Ended:
    """Waits for the end without closing standard input, and reads what is left of both streams."""
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        out, err = await asyncio.gather(process.stdout.read(), process.stderr.read())
        code = await process.wait()
    return Ended(code=code, out=out.decode(), err=err.decode())


async def run(module: str, *flags: str, env: Mapping[str, str] | None = None) -> Ended:
    """A service that is to end by itself."""
    async with started(module, *flags, env=env) as process:
        return await ended(process)


async def until_logged(process: Process, event: str) -> list[str]:
    """The log lines up to the one with an event, which must come."""
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async for line in process.stderr:
            lines.append(line.decode())
            if event in lines[-1]:
                return lines
    raise AssertionError(f"expected a line with {event}, but the log ended:\n{''.join(lines)}")
