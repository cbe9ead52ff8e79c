"""A plan's graph as a flowchart of Mermaid: subgraphs for groups, arrows from what comes first, dotted when inferred.

Ids are made here, and labels have every character but letters, digits and a few harmless ones written as its number, so
that no text of a plan can end a label or begin a directive.
"""

from __future__ import annotations

from collections.abc import Iterator

from signoff.cli.graph.picture import Picture
from signoff.cli.graph.text import shown

LABEL_CHARS = 60
HARMLESS = frozenset(" _,-()/+=!?'")
MOST_EDGES, MOST_CHARS = 500, 50_000  # that Mermaid draws unless its maxEdges and maxTextSize say more
INDENT = "  "


def mermaid_lines(picture: Picture) -> Iterator[str]:
    """Yields the lines of a flowchart. Nodes come by stage and row, which Mermaid follows where it can."""
    ids = _ids(picture)
    yield "flowchart LR"
    yield from _nodes(picture, ids)
    for wait in picture.waits:
        arrow = "-.->" if wait.is_inferred else "-->"
        yield f"{INDENT}{ids[wait.source_id]} {arrow} {ids[wait.target_id]}"


def label(text: str) -> str:
    """Returns a text as the label of a node: a quoted text in which nothing has a meaning to Mermaid."""
    text = shown(text)
    cut = text if len(text) <= LABEL_CHARS else f"{text[: LABEL_CHARS - 1]}…"
    return '"' + "".join(map(_escaped, cut)) + '"'


def _escaped(character: str) -> str:
    is_plain = character.isalnum() or character in HARMLESS
    return character if is_plain else f"#{ord(character)};"


def _ids(picture: Picture) -> dict[str, str]:
    nodes = {node.task_id: f"n{number}" for number, node in enumerate(picture.nodes)}
    return nodes | {group: f"g{number}" for number, group in enumerate(picture.groups)}


def _nodes(picture: Picture, ids: dict[str, str]) -> Iterator[str]:
    """Yields the nodes at the top, then each subgraph with what is in it. Nothing recurses, so depth is no limit."""
    inside: dict[str, list[str]] = {}
    for node in picture.nodes:
        times = f" ×{len(node.tasks):,}" if len(node.tasks) > 1 else ""
        begin, end = ("[[", "]]") if times else ("[", "]")
        text = label(f"{node.task_id}{times} {node.tasks[0].description}")
        inside.setdefault(node.group_id, []).append(f"{ids[node.task_id]}{begin}{text}{end}")
    yield from (f"{INDENT}{line}" for line in inside.get("", ()))
    around: list[str] = []
    for group in picture.groups.values():
        while around and around[-1] != group.parent_id:
            yield f"{INDENT * len(around)}end"
            around.pop()
        around.append(group.group_id)
        yield f"{INDENT * len(around)}subgraph {ids[group.group_id]}[{label(f'{group.group_id} {group.description}')}]"
        yield from (f"{INDENT * (len(around) + 1)}{line}" for line in inside.get(group.group_id, ()))
    for depth in range(len(around), 0, -1):
        yield f"{INDENT * depth}end"
