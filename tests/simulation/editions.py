"""The editions of a world's plan: each changes one task of the one before, in what it is made from or judged by."""

from __future__ import annotations

import random
from collections.abc import Iterable

from signoff.v1 import plan_pb2
from tests.simulation.players.models import LARGER, SMALLER

Specs = dict[str, plan_pb2.TaskSpec]

TOPIC = "topic"  #: the name of the input
PLACE = "{{inputs.topic}}"


def editions(task_ids: Iterable[str], seed: int, count: int, *, people: bool, files: bool = False) -> list[Specs]:
    """Returns the specs of so many editions, by task id.

    Each task has a canary that looks like its candidate, and a larger model after two failures. `people`: every second
    task asks for a person's verdict. `files`: the first task, and every second one of the others, makes files.
    """
    found = [_first(task_ids, people=people, files=files)]
    chance = random.Random(f"{seed} edits")
    while len(found) < count:
        found.append(_edited(found[-1], chance, len(found)))
    return found


def topics(seed: int, count: int) -> list[str]:
    """Returns the value of the plan's one input in so many editions. The first task has a place for it."""
    chance, found = random.Random(f"{seed} topics"), ["mars"]
    while len(found) < count:
        found.append(f"topic {len(found)}" if chance.random() < 0.3 else found[-1])
    return found


def _first(task_ids: Iterable[str], *, people: bool, files: bool) -> Specs:
    canaries = {name: plan_pb2.Canary(candidate=f"{name}(known)", good=True) for name in task_ids}
    executor = plan_pb2.ExecutorSpec(model=SMALLER, escalation=[SMALLER, LARGER])
    return {
        name: plan_pb2.TaskSpec(
            description="" if number else PLACE,
            validation=plan_pb2.Validation(canaries=[canary], human=people and number % 2 == 0),
            executor=executor,
            output=plan_pb2.TaskOutput(files=["*"] if files and number in (0, *range(1, len(canaries), 2)) else []),
        )
        for number, (name, canary) in enumerate(canaries.items())
    }


def _edited(before: Specs, chance: random.Random, number: int) -> Specs:
    edited = dict(before)
    name = chance.choice(sorted(before))
    spec = plan_pb2.TaskSpec()
    spec.CopyFrom(before[name])
    if chance.random() < 0.5:
        spec.description = f"in edition {number}"
    else:
        spec.validation.description = f"as edition {number} wants it"
    edited[name] = spec
    return edited
