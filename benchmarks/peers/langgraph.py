"""LangGraph: a StateGraph, at most twelve nodes at once.

A fan-out is one node and a Send for each task, of which each may send its validation; other graphs have a node for each
step and join edges. `--checkpoint none` keeps everything in memory.
"""

from __future__ import annotations

import argparse
import operator
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from benchmarks.driving import SLOTS, Result, Stopwatch, arguments, body, nodes_of, report
from benchmarks.shapes import EXECUTE, Node, graph


class State(TypedDict, total=False):
    todo: list[str]
    id: str
    done: Annotated[list[Result], operator.add]


def sends(phases: int) -> Any:
    """Returns a graph that sends every task of `todo` to one node."""

    def execute(state: State) -> Any:
        made = {"done": [body(state["id"])]}
        if phases == 1:
            return made
        return Command(update=made, goto=Send("validate", {"id": f"v{state['id']}"}))

    built = StateGraph(State)
    built.add_node("execute", execute)
    built.add_node("validate", lambda state: {"done": [body(state["id"])]})
    built.add_conditional_edges(START, lambda state: [Send("execute", {"id": name}) for name in state["todo"]])
    return built


def joined(nodes: list[Node]) -> Any:
    """Returns a graph with a node for each step."""
    built = StateGraph(State)
    awaited = {name for node in nodes for name in node.depends_on}
    for node in nodes:
        built.add_node(node.id, lambda _, name=node.id: {"done": [body(name)]})
        several = len(node.depends_on) > 1
        built.add_edge(list(node.depends_on) if several else (*node.depends_on, START)[0], node.id)
        if node.id not in awaited:
            built.add_edge(node.id, END)
    return built


def invoke(built: Any, first: State, thread: str) -> list[Result]:
    config = {"configurable": {"thread_id": thread}, "max_concurrency": SLOTS, "recursion_limit": 50_000}
    done: list[Result] = built.invoke(first, config)["done"]
    return done


@contextmanager
def checkpoints(kind: str) -> Iterator[Any]:
    """Returns a saver with its default durability, or none."""
    if kind == "none":
        yield None
        return
    with (
        tempfile.TemporaryDirectory(prefix="langgraph-") as folder,
        SqliteSaver.from_conn_string(str(Path(folder) / "checkpoints.sqlite")) as saver,
    ):
        yield saver


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", choices=("sqlite", "none"), default="sqlite")
    chosen = arguments(parser)
    nodes = nodes_of(chosen)
    with checkpoints(chosen.checkpoint) as saver:
        invoke(sends(1).compile(checkpointer=saver), {"todo": [node.id for node in graph("fan-out", 24)]}, "warm")
        fans = chosen.shape == "fan-out"
        compiled = (sends(chosen.phases) if fans else joined(nodes)).compile(checkpointer=saver)
        first: State = {"todo": [node.id for node in nodes if node.phase == EXECUTE] if fans else []}
        with Stopwatch() as watch:
            done = invoke(compiled, first, "run")
    results = {result["id"]: result for result in done}
    note = f"one process, {SLOTS} threads, checkpoints: {chosen.checkpoint}; the graph's own compiling is not counted"
    durable = chosen.checkpoint != "none"
    report(chosen, nodes, results, watch, version=version("langgraph"), durable=durable, note=note)


if __name__ == "__main__":
    main()
