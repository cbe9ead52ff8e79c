"""The inputs of a plan on the command line: `--input` and `--set`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signoff.cli.flag_groups import PlanFlags
from signoff.cli.run.plan_files import STDIN
from signoff.client.inputs import ResolvedInputs, named_values, resolve_inputs

if TYPE_CHECKING:
    from signoff.v1 import plan_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFlags:
    """The flags as they were given."""

    paths: tuple[str, ...] = ()  #: each NAME=PATH
    values: tuple[str, ...] = ()  #: each NAME=VALUE


NO_FLAGS = InputFlags()


def given_inputs(flags: PlanFlags) -> InputFlags:
    """Returns the flags about inputs, of those about a plan."""
    return InputFlags(paths=tuple(flags.input_ or ()), values=tuple(flags.set_ or ()))


async def read_inputs(header: plan_pb2.MapHeader, plan: str, flags: InputFlags) -> ResolvedInputs:
    """Reads all inputs of a plan; its own paths are from its file's folder. Raises ConfigurationError."""
    folder = Path() if plan == STDIN else Path(plan).parent
    paths, values = named_values("--input", flags.paths), named_values("--set", flags.values)
    return await asyncio.to_thread(resolve_inputs, header.inputs, folder, paths, values)
