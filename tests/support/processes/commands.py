"""The command line as a real process, and the processes it starts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
_OURS = ("SIGNOFF_", "OPENAI_")


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """The exit code and the output of a process that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Returns the lines of its standard error."""
        return self.err.splitlines()


async def start_signoff(*arguments: str | Path, cwd: Path, keep: Sequence[str] = ()) -> asyncio.subprocess.Process:
    """Starts `signoff …`; standard output and error are pipes. `keep`: variables that it inherits."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "signoff.cli", *map(str, arguments)),
        cwd=cwd,
        env=environment(keep),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def signoff(*arguments: str | Path, cwd: Path, within: float = 60.0, keep: Sequence[str] = ()) -> ProcessResult:
    """Runs `signoff …` to its end."""
    process = await start_signoff(*arguments, cwd=cwd, keep=keep)
    async with asyncio.timeout(within):
        out, err = await process.communicate()
    assert process.returncode is not None
    return ProcessResult(process.returncode, out.decode(), err.decode())


async def in_turn(
    *commands: Sequence[str | Path], cwd: Path, within: float = 60.0, keep: Sequence[str] = ()
) -> list[ProcessResult]:
    """Runs `signoff …` for each command line, one after the other, in one process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.processes.in_turn"),
        cwd=cwd,
        env=environment(keep),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(within):
        out, _ = await process.communicate(json.dumps([[*map(str, command)] for command in commands]).encode())
    assert process.returncode == 0
    return [ProcessResult(*result) for result in json.loads(out)]


async def until(process: asyncio.subprocess.Process, text: str, *, times: int = 1, within: float = 60.0) -> None:
    """Reads standard output until so many lines with this text have come. Raises when the command ends before."""
    assert process.stdout is not None
    async with asyncio.timeout(within):
        while times:
            line = (await process.stdout.readline()).decode()
            assert line, f"expected {text!r} {times} more times, but the command has ended"
            times -= text in line


async def vanished(marker: str, within: float = 20.0) -> None:
    """Returns when no process has this text in its command line."""
    async with asyncio.timeout(within):
        while list(processes_with(marker)):  # noqa: ASYNC110 - the kernel sends no event for other processes' children
            await asyncio.sleep(0.02)


def environment(keep: Sequence[str] = ()) -> dict[str, str]:
    """Returns this environment without variables that choose a model or a runner, and with this checkout to import."""
    ours = {key: value for key, value in os.environ.items() if key in keep or not key.startswith(_OURS)}
    return {**ours, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}


def processes_with(marker: str) -> Iterator[tuple[int, str]]:
    """Yields the pid and the command line of every other process whose command line contains this text."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it has ended meanwhile
            if marker in line and int(folder.name) != os.getpid():
                yield int(folder.name), line


def kill_one(module: str, marker: str) -> int:
    """Kills the one process of a service whose command line contains this text. Returns its pid."""
    pids = [pid for pid, line in processes_with(marker) if f"-m {module}" in line]
    assert len(pids) == 1, f"expected one {module} on {marker}, but found {pids}"
    os.kill(pids[0], signal.SIGKILL)
    return pids[0]
