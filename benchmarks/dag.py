"""A graph that the driver itself runs, for engines that take single tasks but no graph. Standard library only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.driving import Result
from benchmarks.shapes import Node, followers_of

Start = Callable[[Node], Awaitable[Result]]


async def run(nodes: Sequence[Node], start: Start, at_once: int) -> dict[str, Result]:
    """Starts each node when its last dependency has a result, at most `at_once` at a time. Raises a node's error."""
    results: dict[str, Result] = {}
    by_id, followers = {node.id: node for node in nodes}, followers_of(nodes)
    waiting = {node.id: len(node.depends_on) for node in nodes}
    room = asyncio.Semaphore(at_once)

    async def one(node: Node) -> None:
        async with room:
            results[node.id] = await start(node)
        for follower in followers[node.id]:
            waiting[follower] -= 1
            if not waiting[follower]:
                group.create_task(one(by_id[follower]))

    async with asyncio.TaskGroup() as group:
        for node in nodes:
            if not node.depends_on:
                group.create_task(one(node))
    return results
