"""Finds a runner for a command: at the address given, on the data directory, or a temporary one over it.

After `signoff run` has ended no runner listens, but the data directory keeps everything: a temporary runner reads it
and answers. No worker knows its address, so no work goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from signoff.client.client import Client
from signoff.client.values import by_execution, by_plan
from signoff.display.natural_order import natural
from signoff.errors import ConfigurationError, ExecutionNotFound, InvalidField, Unavailable
from signoff.files.data_directory import JOURNAL, RUNNER_ADDRESS_FILE
from signoff.files.notes import read_note_text
from signoff.local.child import ServiceDied, ServiceProgram, address_of, ended_in_order, spawn
from signoff.local.services import LOOPBACK
from signoff.rpc.ports import RUNNER_ADDRESS
from signoff.v1 import execution_pb2

STORE = "SIGNOFF_RUNNER_STORE"  # the runner's own variable: its journal may be in a database
TAKEN_WITHIN, LOOK_AGAIN = 2.0, 0.5  # seconds: how long and how often a data directory that is in use is tried
DRAIN_WITHIN = 10.0  # seconds; it has nothing to drain
KNOWN_LOOKED_AT, KNOWN_SHOWN = 100, 10  # executions and plan ids, for a message


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerLocation:
    """The place to look for a runner."""

    runner: str = ""  #: the address given; empty: look for one
    data_dir: Path = Path("db")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedRunner:
    """A client whose runner answers."""

    client: Client
    is_temporary: bool = False  #: it answers questions and keeps commands, but has no workers


@asynccontextmanager
async def reach(where: RunnerLocation) -> AsyncIterator[ReachedRunner]:
    """Connects to a runner for a command. Raises Unavailable or ConfigurationError, with what to do about it."""
    async with AsyncExitStack() as stack:
        address, is_temporary = await _runner_for(where, stack)
        client = await stack.enter_async_context(Client(runner=address))
        yield ReachedRunner(client=client, is_temporary=is_temporary)


async def _runner_for(where: RunnerLocation, stack: AsyncExitStack) -> tuple[str, bool]:
    """Returns the address of a runner, and whether it is a temporary one that ends with the stack.

    Another command may hold the data directory for a moment, with a temporary runner that starts or ends. Then this one
    looks again.
    """
    waited = 0.0
    while True:
        address = where.runner or await _address_that_answers(where)
        if address:
            return address, False
        try:
            return await stack.enter_async_context(_temporary_runner(where.data_dir)), True
        except (ServiceDied, ConfigurationError):
            if waited >= TAKEN_WITHIN:
                raise
        waited += LOOK_AGAIN
        await asyncio.sleep(LOOK_AGAIN)


async def _address_that_answers(where: RunnerLocation) -> str:
    """Returns the address of the runner on the data directory, or of the one at the default address.

    Empty when there is a journal but no runner answers. Raises ConfigurationError when there is neither.
    """
    written = written_address(where.data_dir)
    if written and await answers(written):
        return written
    if has_journal(where.data_dir):
        return ""
    if await answers(RUNNER_ADDRESS):
        return RUNNER_ADDRESS
    raise ConfigurationError(
        f"expected a runner or what one left behind, but none answers at {RUNNER_ADDRESS} "
        f"and {where.data_dir} holds no journal: name one with --runner ADDRESS (SIGNOFF_RUNNER) or --data-dir DIR "
        "(SIGNOFF_DATA_DIR), or start one with `signoff run PLAN` or `signoff serve`"
    )


def has_journal(data_dir: Path) -> bool:
    """Tells whether a temporary runner would find a journal: in the data directory, or in the database of STORE."""
    return (data_dir / JOURNAL).exists() or (os.environ.get(STORE) or "sqlite") != "sqlite"


def written_address(data_dir: Path) -> str:
    return read_note_text(data_dir / RUNNER_ADDRESS_FILE)


async def answers(address: str) -> bool:
    async with Client(runner=address) as client:
        try:
            await client.list(at_most=1)
        except Unavailable:
            return False
    return True


@asynccontextmanager
async def _temporary_runner(data_dir: Path) -> AsyncIterator[str]:
    flags = ("--data-dir", str(data_dir), "--no-stand-by")
    program = ServiceProgram(name="temporary runner", module="runner_svc", flags=flags, listens_at=LOOPBACK)
    with tempfile.TemporaryDirectory(prefix="signoff-") as folder:
        address_file = Path(folder) / "address"
        child = await spawn(program, log=Path(folder) / "log", address_file=address_file)
        try:
            yield await address_of(child, address_file)
        finally:
            await ended_in_order(child.process, DRAIN_WITHIN)


async def execution_named(client: Client, name: str) -> execution_pb2.Execution:
    """Returns the newest execution of the plan of that name, or the execution with that id."""
    for ref in (by_plan(name), by_execution(name)):
        with contextlib.suppress(ExecutionNotFound, InvalidField):
            return await client.get(ref)
    known = natural({execution.plan_id for execution in await client.list(at_most=KNOWN_LOOKED_AT)})
    hint = f"it has {', '.join(known[:KNOWN_SHOWN])}" if known else "it has none yet"
    raise ExecutionNotFound(f"expected a plan or an execution that the runner knows, but got {name!r}: {hint}")
