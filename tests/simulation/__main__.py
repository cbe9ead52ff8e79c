"""`python -m tests.simulation`: plays many worlds, prints the seeds that fail, and shrinks them.

--seeds 10000        the long run
--tell 17            one seed's story
--replay FILE        the story of a scenario that was written down, such as those of tests/simulation/regressions

A scenario that was shrunk is printed as JSON. Kept in tests/simulation/regressions, it is played by every test run.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.simulation.many import Outcome, outcomes, quiet
from tests.simulation.scenario import Scenario, draw, from_json, to_json
from tests.simulation.shrink import shrink
from tests.simulation.world import World, play

TELL_EVERY = 1000  # worlds
MOST_SHRUNK = 3  # failures of a run that are shrunk, each of another kind


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, help="Processes; as many as there are cores by default.")
    parser.add_argument("--tell", type=int, metavar="SEED")
    parser.add_argument("--replay", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    quiet()
    if arguments.tell is not None:
        return _tell(draw(arguments.tell))
    if arguments.replay is not None:
        return _tell(from_json(arguments.replay.read_text()))
    return _play(range(arguments.first, arguments.first + arguments.seeds), arguments.jobs)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _tell(scenario: Scenario) -> int:
    _say(to_json(scenario))
    worlds: list[World] = []
    try:
        play(scenario, worlds.append)
    except Exception:  # noqa: BLE001 - whatever it is, it is what we want to see
        _say("\n".join(worlds[0].story))
        _say(traceback.format_exc(limit=-8))
        return 1
    _say("\n".join(worlds[0].story))
    return 0


def _play(seeds: Sequence[int], jobs: int | None) -> int:
    begun, sprung, thrown = time.monotonic(), Counter[str](), Counter[str]()
    bad: list[Outcome] = []
    for done, outcome in enumerate(outcomes(seeds, jobs), 1):
        sprung += outcome.sprung
        thrown += outcome.thrown
        if done % TELL_EVERY == 0:
            _say(f"{done} of {len(seeds)} in {time.monotonic() - begun:.0f} s")
        if outcome.failure:
            bad.append(outcome)
            _say(f"seed {outcome.seed}: {outcome.failure}\n{outcome.story}")
    for outcome in list({outcome.failure: outcome for outcome in bad}.values())[:MOST_SHRUNK]:
        _say(f"seed {outcome.seed}, shrunk:\n{to_json(shrink(draw(outcome.seed)))}")
    _say(f"runners died at {dict(sorted(sprung.items()))}")
    _say(f"their own code {dict(sorted(thrown.items()))}")
    numbers = ", ".join(str(outcome.seed) for outcome in bad)
    _say(f"{len(seeds)} seeds in {time.monotonic() - begun:.0f} s, {len(bad)} bad{': ' if bad else ''}{numbers}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
