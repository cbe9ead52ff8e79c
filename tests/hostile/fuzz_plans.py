"""`python -m tests.hostile.fuzz_plans`: compiles many drawn plans, and checks all results of each.

--inputs 100000      how many
--seed 1             which ones; a seed and a number name one plan
--only 4711          that one alone, with its traceback

The compiler never raises, and takes little time. A map is encoded, laid out, written as execution.json, read by
the runner, and compiled again to the same map. The places that diagnostics name exist.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from planner_svc.compiler import Compiled, compile_plan
from planner_svc.criteria.notes import notes
from planner_svc.layout.layout import lay_out
from planner_svc.wire.execution_json import execution_json
from planner_svc.wire.maps import map_to_bytes
from runner_svc.codec.maps import map_from_parts
from signoff.v1 import plan_pb2
from tests.hostile.drawn_plans import drawn

SLOWEST = 5.0  # seconds of CPU for one plan
TELL_EVERY = 10_000
MOST_TOLD = 5
MAX_FRAME = 4 << 20


@dataclass(slots=True)
class Counts:
    """The outcomes of the plans so far."""

    plans: int = 0
    compiled: int = 0
    undamaged: int = 0
    undamaged_compiled: int = 0
    slowest: float = 0.0
    slowest_number: int = -1
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str]] = field(default_factory=list)

    def __str__(self) -> str:
        share = f"{self.compiled / max(1, self.plans):.1%}"
        whole = f"{self.undamaged_compiled:,} of the {self.undamaged:,} undamaged"
        slow = f"the slowest, number {self.slowest_number}, took {self.slowest:.2f} s of CPU"
        return (
            f"{self.plans:,} plans, {self.compiled:,} compiled ({share}; {whole}), {len(self.failures)} failed; {slow}"
        )


def fuzz(inputs: int, seed: int, first: int = 0) -> Counts:
    """Checks so many plans, and goes on after one that fails."""
    counts = Counts()
    for number in range(first, first + inputs):
        data, is_whole = drawn(seed, number)
        begun = time.process_time()
        try:
            result = look_at(data)
        except Exception:  # noqa: BLE001 - whatever it is, it is what is searched for
            counts.failures.append((number, traceback.format_exc(limit=-6)))
            result = None
        _count(counts, number, result, is_whole, time.process_time() - begun)
    return counts


def _count(counts: Counts, number: int, result: Compiled | None, is_whole: bool, seconds: float) -> None:
    counts.plans += 1
    counts.undamaged += is_whole
    if result is not None:
        counts.compiled += result.ok
        counts.undamaged_compiled += result.ok and is_whole
        counts.codes.update({diagnostic.code for diagnostic in result.diagnostics})
    if seconds > counts.slowest:
        counts.slowest, counts.slowest_number = seconds, number
    if seconds > SLOWEST:
        counts.failures.append((number, f"expected at most {SLOWEST} s of CPU, but it took {seconds:.2f}"))


def look_at(data: bytes) -> Compiled:
    """Compiles a plan and checks the results. Raises AssertionError, or the error of the code, when one is wrong."""
    result = compile_plan(data, plan_id="fuzzed")
    _look_at_diagnostics(result, data)
    if result.map is None or result.encoded is None:
        assert any(found.severity.value == "error" for found in result.diagnostics), "nothing says why"
        return result
    parts = list(map_to_bytes(result.map, result.encoded, lay_out(result.map, result.direct)))
    assert max(map(len, parts)) < MAX_FRAME
    read = map_from_parts(map(plan_pb2.MapPart.FromString, parts))
    assert read.task_ids == tuple(task.task_id for task in result.map.tasks)
    document = json.loads(execution_json(result.map))
    assert [task["task_id"] for task in document["tasks"]] == list(read.task_ids)
    assert all("\n" not in note for note in notes(result.map))
    again = compile_plan(data, plan_id="fuzzed")
    assert again.map is not None
    assert (again.map.digest, again.diagnostics) == (result.map.digest, result.diagnostics)
    return result


def _look_at_diagnostics(result: Compiled, data: bytes) -> None:
    told = {found.code for found in result.diagnostics}
    raw = None if "misspelt-field" in told else _loaded(data)  # what is below such a field is told by its right name
    for found in result.diagnostics:
        assert found.message.encode(), "it says nothing"
        assert len(found.message) < 20_000, found.message[:200]
        assert len(found.path) < 1_000, found.path[:200]
        assert raw is None or exists(raw, found.path), f"{found.code} names {found.path}, which is not there"


def _loaded(data: bytes) -> Any:
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None


def exists(raw: Any, path: str) -> bool:
    """Tells whether a path leads somewhere; its last step may name a field that is missing.

    What the plan has in its short form counts as the long form: a text for a list of one or a column of that name, a
    list for a command.
    """
    steps = re.findall(r"[^.\[\]]+|\[\d+\]", path)
    place = raw
    for n, step in enumerate(steps):
        index = int(step[1:-1]) if step.startswith("[") else None
        if isinstance(place, list) and index is not None and index < len(place):
            place = place[index]
        elif isinstance(place, dict) and step in place:
            place = place[step]
        elif (isinstance(place, str) and step in ("[0]", "name")) or (isinstance(place, list) and step == "argv"):
            continue
        else:
            return isinstance(place, dict) and n == len(steps) - 1
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile.fuzz_plans",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="NUMBER")
    arguments = parser.parse_args()
    if arguments.only is not None:
        result = look_at(drawn(arguments.seed, arguments.only)[0])
        _say("\n".join(f"{found.severity.value} {found.code} {found.message}" for found in result.diagnostics))
        return 0
    counts = Counts()
    for first in range(0, arguments.inputs, TELL_EVERY):
        _add(counts, fuzz(min(TELL_EVERY, arguments.inputs - first), arguments.seed, first))
        _say(f"seed {arguments.seed}: {counts}")
    _say("\n".join(f"{count:9,} plans with {code}" for code, count in counts.codes.most_common()))
    for number, story in counts.failures[:MOST_TOLD]:
        _say(f"--seed {arguments.seed} --only {number}:\n{story}")
    return 1 if counts.failures else 0


def _add(counts: Counts, more: Counts) -> None:
    counts.plans += more.plans
    counts.compiled += more.compiled
    counts.undamaged += more.undamaged
    counts.undamaged_compiled += more.undamaged_compiled
    counts.codes.update(more.codes)
    counts.failures += more.failures
    if more.slowest > counts.slowest:
        counts.slowest, counts.slowest_number = more.slowest, more.slowest_number


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
