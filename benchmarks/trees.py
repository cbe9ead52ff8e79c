"""Generated plan trees: six children a node, every second sibling follows the one before, the leaves are atomic.

They are made as bytes, piece by piece: the largest has two million tasks.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

WIDTH = 6  # children of a node
FOLLOWS = 0.5  # the probability that a task depends on the sibling before it
SEED = 7


def atomic_tasks(depth: int) -> int:
    return int(WIDTH**depth)


def tree_json(depth: int) -> bytes:
    """Returns plan.json of the tree with `depth` levels: 4 has 1,296 atomic tasks, 8 has 1,679,616."""
    chance = random.Random(SEED)
    root = json.dumps({"task_id": "0", "description": "the idea", "dependencies": []})
    return b"".join((b'{"idea":"a benchmark","tasks":[', root.encode(), *_level("", depth, chance), b"]}"))


def _level(parent: str, below: int, chance: random.Random) -> Iterator[bytes]:
    for n in range(1, WIDTH + 1):
        task_id, before = f"{parent}{n}", f"{parent}{n - 1}"
        follows = f'"{before}"' if n > 1 and chance.random() < FOLLOWS else ""
        yield f',{{"task_id":"{task_id}","description":"step {task_id}","dependencies":[{follows}]'.encode()
        if below == 1:
            yield f',"input":{{"description":"input of {task_id}"}}'.encode()
            yield f',"output":{{"artifact":"a{task_id}","format":"json"}}}}'.encode()
        else:
            yield b"}"
            yield from _level(f"{task_id}_", below - 1, chance)
