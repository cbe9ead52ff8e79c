"""The graphs that every engine runs: nodes with dependencies, in topological order.

Standard library only: the peers' drivers import it in their own environments.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

LAYER_WIDTH, FAN_IN, SEED = 50, 3, 7
INPUT = "x" * 200  # characters of the input of a task; the floor sends as many

EXECUTE, VALIDATE = "execute", "validate"


@dataclass(frozen=True, slots=True)
class Node:
    """One no-op step. Ids are letters and digits, unique in their graph."""

    id: str
    depends_on: tuple[str, ...] = ()
    phase: str = EXECUTE


def fan_out(count: int) -> list[Node]:
    """Returns tasks that wait for nothing."""
    return [Node(f"t{n}") for n in range(count)]


def chain(count: int) -> list[Node]:
    """Returns tasks that each wait for the one before."""
    return [Node(f"t{n}", (f"t{n - 1}",) if n else ()) for n in range(count)]


def layers(count: int) -> list[Node]:
    """Returns layers of 50, each task waiting for 3 of the layer before. `count` is rounded down to whole layers."""
    chance = random.Random(SEED)
    nodes: list[Node] = []
    for start in range(0, count - count % LAYER_WIDTH, LAYER_WIDTH):
        for n in range(start, start + LAYER_WIDTH):
            before = sorted(chance.sample(range(start - LAYER_WIDTH, start), FAN_IN)) if start else []
            nodes.append(Node(f"t{n}", tuple(f"t{other}" for other in before)))
    return nodes


SHAPES: Mapping[str, Callable[[int], list[Node]]] = {"fan-out": fan_out, "chain": chain, "layers": layers}


def in_two_phases(nodes: Iterable[Node]) -> list[Node]:
    """Puts a validation behind every task; nodes that waited for the task wait for its validation."""
    steps: list[Node] = []
    for node in nodes:
        steps.append(Node(node.id, tuple(f"v{name}" for name in node.depends_on)))
        steps.append(Node(f"v{node.id}", (node.id,), VALIDATE))
    return steps


def graph(shape: str, count: int, phases: int = 1) -> list[Node]:
    """Returns the steps of a shape with `count` tasks: one or two for each task."""
    nodes = SHAPES[shape](count)
    return in_two_phases(nodes) if phases == 2 else nodes


def followers_of(nodes: Sequence[Node]) -> dict[str, list[str]]:
    """Returns for each id the nodes that wait for it."""
    followers: dict[str, list[str]] = {node.id: [] for node in nodes}
    for node in nodes:
        for name in node.depends_on:
            followers[name].append(node.id)
    return followers


def plan_json(nodes: Iterable[Node], idea: str = "a benchmark") -> bytes:
    """Returns the plan whose atomic tasks are these nodes, each with one criterion."""
    tasks = [
        {
            "task_id": node.id,
            "description": f"step {node.id}",
            "dependencies": list(node.depends_on),
            "input": {"description": INPUT},
            "output": {"artifact": f"of_{node.id}", "format": "JSON"},
            "validation": {"criteria": ["it was made"]},
        }
        for node in nodes
    ]
    return json.dumps({"idea": idea, "tasks": tasks}).encode()
