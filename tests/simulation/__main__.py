"""`python -m tests.simulation --seeds 10000 [--first 0] [--tell SEED]`: many worlds, and the seeds with a fault."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from typing import Any

import structlog

from tests.simulation.clock import run
from tests.simulation.world import World


def _drop(_logger: Any, _name: str, _event: structlog.types.EventDict) -> structlog.types.EventDict:
    raise structlog.DropEvent


def quiet() -> None:
    """What the services log would drown what the simulation has to say."""
    structlog.configure(processors=[_drop])


def simulate(seed: int) -> World:
    """One world to its end. Raises what is wrong with it."""
    world = World(seed)
    run(world.run())
    return world


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--tell", type=int, help="Tell one seed's story instead.")
    arguments = parser.parse_args()
    quiet()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    if arguments.tell is not None:
        seeds = range(arguments.tell, arguments.tell + 1)
    begun, bad = time.monotonic(), []
    for seed in seeds:
        world = World(seed)
        try:
            run(world.run())
        except Exception:  # noqa: BLE001 - whatever it is, the seed is what matters
            bad.append(seed)
            sys.stdout.write(f"seed {seed}:\n{traceback.format_exc(limit=-6)}\n")
        if arguments.tell is not None:
            sys.stdout.write("\n".join(world.told) + "\n")
    seconds = time.monotonic() - begun
    sys.stdout.write(f"{len(seeds)} seeds in {seconds:.0f} s, {len(bad)} bad{': ' if bad else ''}{bad or ''}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
