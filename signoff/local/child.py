"""A service as a child process: starting it, reading its address and its log, ending it.

It listens on loopback and logs to a file of its own. It stops when its standard input ends, so it does not outlive
this process, however that one dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from signoff.errors import ConfigurationError, SignoffError
from signoff.service.environment import python_command
from signoff.service.exit_codes import EXIT_BAD_INPUT
from signoff.service.logs import LOG_FILE

START_WITHIN = 30.0  # seconds until a service listens; it takes about one
LOOK_AGAIN = 0.02  # seconds between looks at an address file


class ServiceDied(SignoffError):
    """A child process ended although it was not asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProgram:
    """The program of one child, with its flags."""

    name: str  #: unique; names its log
    module: str
    flags: tuple[str, ...]
    listens_at: str = ""  #: empty: it does not listen
    paths: tuple[str, ...] = ()  #: folders in which its module lies, when it is not an installed one


@dataclass(slots=True)
class Child:
    """A running child process."""

    program: ServiceProgram
    process: Process
    log: Path
    log_start: int  #: where in the log this process began
    is_stopping: bool = False

    def last_words(self) -> str:
        """Returns the end of its log, for a message."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(self.log_start)
            lines = file.read().decode(errors="replace").strip().splitlines()
            return "\n".join(lines[-5:])
        return ""

    def how_it_ended(self) -> str:
        code = self.process.returncode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return f"the {self.program.name} {how}"

    def story(self) -> SignoffError:
        """Returns how it ended, with the end of its log; a ConfigurationError when its settings were wrong."""
        words = self.last_words()
        if self.process.returncode == EXIT_BAD_INPUT and words:
            return ConfigurationError(words.splitlines()[-1].removeprefix(f"{self.program.module}: "))
        return ServiceDied(self.how_it_ended() + (f"; the end of {self.log}:\n{words}" if words else ""))


async def spawn(program: ServiceProgram, *, log: Path, address_file: Path) -> Child:
    """Starts a child in a session of its own: a Ctrl-C in the terminal is for this process to handle, not for it."""
    listening = ("--address", program.listens_at, "--address-file", str(address_file)) if program.listens_at else ()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("ab")
    except OSError as error:
        raise ConfigurationError(f"expected a data directory that can be written, but got {error}") from error
    with file:
        begin = file.tell()  # before the child shares the file's position
        process = await asyncio.create_subprocess_exec(
            *python_command(program.module, *program.flags, *listening, "--stop-on-stdin-eof"),
            env=_environment(program, log),
            stdin=PIPE,  # never written to: its end tells the child that this process is gone
            stdout=file,  # where functions of an app print
            stderr=file,
            start_new_session=True,
        )
        return Child(program=program, process=process, log=log, log_start=begin)


def _environment(program: ServiceProgram, log: Path) -> Mapping[str, str]:
    paths = (*program.paths, *filter(None, [os.environ.get("PYTHONPATH", "")]))
    return os.environ | {LOG_FILE: str(log)} | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})


async def address_of(child: Child, address_file: Path) -> str:
    """Waits for the address that a child writes. Raises the child's error when it ends first or takes too long."""
    try:
        async with asyncio.timeout(START_WITHIN):
            while not (address := _written(address_file)):
                if child.process.returncode is not None:
                    raise child.story()
                await asyncio.sleep(LOOK_AGAIN)
            return address
    except TimeoutError:
        send_signal(child.process, kill=True)
        words = child.last_words() or "it said nothing"
        raise ServiceDied(f"the {child.program.name} did not listen within {START_WITHIN:.0f} s:\n{words}") from None


def _written(address_file: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return address_file.read_text()
    return ""


async def ended_in_order(process: Process, within: float) -> bool:
    """Ends a process with SIGTERM, and with SIGKILL when that takes too long. Tells whether SIGTERM was enough."""
    send_signal(process)
    try:
        async with asyncio.timeout(within):
            await process.wait()
        return True
    except TimeoutError:
        send_signal(process, kill=True)
        await process.wait()
        return False
    finally:
        if process.stdin is not None:
            process.stdin.close()


def send_signal(process: Process, *, kill: bool = False) -> None:
    with contextlib.suppress(ProcessLookupError):
        if kill:
            process.kill()
        else:
            process.terminate()
