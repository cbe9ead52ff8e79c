"""A plan's graph as lines of a terminal: a block for each stage, with groups around their tasks.

Every line fits. Long lists end in a count; of many stages and many nodes the first are shown, and of stages the last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len, set_cell_size

from signoff.cli.graph.picture import Group, Node, Picture, Wait
from signoff.cli.show.amounts import counted
from signoff.display.visible_text import one_line

FIRST_STAGES, LAST_STAGES = 100, 20  # that are shown when there are more
MOST_NODES = 400  # in all stages together, but
LEAST_NODES = 5  # are shown of every stage
MOST_GROUPS = 4  # in each other, of a heading
MOST_EQUAL, FIRST_EQUAL = 5, 3  # tasks of a class that have a line each; when there are more
INDENT = "  "


def text_lines(picture: Picture, width: int = 80) -> Iterator[str]:
    """Yields the lines of a picture, each of at most so many cells of a terminal."""
    return (_clipped(line, width) for line in _Text(picture, width).lines())


def shown(text: str) -> str:
    """Returns a text of a plan on one line, with control characters written out."""
    return one_line(" ".join(text.split()))


def _clipped(line: str, width: int) -> str:
    return line if cell_len(line) <= width else set_cell_size(line, width - 1).rstrip() + "…"


class _Text:
    """The lines of one picture."""

    def __init__(self, picture: Picture, width: int) -> None:
        self._picture, self._width = picture, width
        self._waits = _by_target(picture.waits)
        self._sizes = {node.task_id: len(node.tasks) for node in picture.nodes}
        self._everywhere = _around_all(picture)
        self._told: set[str] = set()  # groups whose waits were shown
        self._most = max(LEAST_NODES, MOST_NODES // max(1, min(picture.stage_count, FIRST_STAGES + LAST_STAGES)))

    def lines(self) -> Iterator[str]:
        yield from self._head()
        stages = [list(nodes) for _, nodes in groupby(self._picture.nodes, key=lambda node: node.stage)]
        if len(stages) <= FIRST_STAGES + LAST_STAGES:
            yield from self._stages(stages)
            return
        yield from self._stages(stages[:FIRST_STAGES])
        left_out = stages[FIRST_STAGES:-LAST_STAGES]
        yield ""
        yield f"… and {counted(len(left_out), 'more stage')} with {_tasks_of(_chained(left_out))}"
        yield from self._stages(stages[-LAST_STAGES:])

    def _head(self) -> Iterator[str]:
        picture = self._picture
        tasks, stages = counted(picture.task_count, "task"), counted(picture.stage_count, "stage")
        groups = f", {counted(len(picture.groups), 'group')}" if picture.groups else ""
        yield f"{picture.plan_id or 'plan'}: {tasks} in {stages}{groups}"
        if picture.idea.strip():
            yield shown(picture.idea)
        yield from (_heading([group]) for group in self._everywhere)

    def _stages(self, stages: Sequence[Sequence[Node]]) -> Iterator[str]:
        for nodes in stages:
            yield ""
            yield f"Stage {nodes[0].stage:,}: {_tasks_of(nodes)}"
            yield from self._nodes(nodes[: self._most])
            if len(nodes) > self._most:
                yield f"{INDENT}… and {_tasks_of(nodes[self._most :])} more"

    def _nodes(self, nodes: Sequence[Node]) -> Iterator[str]:
        """Yields the nodes of a stage, below the headings of the groups that they are in."""
        for group_id, inside in groupby(nodes, key=lambda node: node.group_id):
            around = self._picture.groups_around(group_id)[len(self._everywhere) :]
            indent = INDENT * 2 if around else INDENT
            if around:
                yield INDENT + _heading(around)
                yield from self._first_of(around, indent)
            for node in inside:
                yield from self._node(node, indent)

    def _first_of(self, groups: Sequence[Group], indent: str) -> Iterator[str]:
        """Yields what groups wait for, where they are shown for the first time."""
        for group in groups:
            if group.group_id not in self._told:
                self._told.add(group.group_id)
                yield from self._waits_for(group.group_id, f"{indent}[{group.group_id}] ")

    def _node(self, node: Node, indent: str) -> Iterator[str]:
        """Yields the tasks of a node, the first few of many, and what each of them waits for."""
        tasks = node.tasks if len(node.tasks) <= MOST_EQUAL else node.tasks[:FIRST_EQUAL]
        yield from (f"{indent}{task.task_id}  {shown(task.description)}".rstrip() for task in tasks)
        more = [task.task_id for task in node.tasks[len(tasks) :]]
        if more:
            yield self._listed(f"{indent}… and {counted(len(more), 'equal task')}: ", more)
        each = "each " if len(node.tasks) > 1 else ""
        yield from self._waits_for(node.task_id, f"{indent}{INDENT}{each}")

    def _waits_for(self, target: str, head: str) -> Iterator[str]:
        waits = self._waits.get(target, ())
        for inferred, words in ((False, "waits for"), (True, "reads from")):
            sources = [self._with_size(wait.source_id) for wait in waits if wait.is_inferred is inferred]
            if sources:
                yield self._listed(f"{head}{words} ", sources)

    def _with_size(self, node_id: str) -> str:
        if node_id in self._picture.groups:
            return f"[{node_id}]"
        size = self._sizes.get(node_id, 1)
        return f"{node_id} ×{size:,}" if size > 1 else node_id

    def _listed(self, head: str, names: Sequence[str]) -> str:
        """Returns the names that fit on a line, and how many more there are."""
        line = head + names[0]
        for number, name in enumerate(names[1:], start=1):
            more = f" … and {len(names) - number:,} more"
            is_last = number == len(names) - 1
            room = self._width if is_last else self._width - len(f" … and {len(names) - number - 1:,} more")
            if cell_len(line) + 2 + len(name) > room:
                return line + more
            line += f", {name}"
        return line


def _tasks_of(nodes: Sequence[Node]) -> str:
    return counted(sum(len(node.tasks) for node in nodes), "task")


def _chained(stages: Sequence[Sequence[Node]]) -> list[Node]:
    return [node for nodes in stages for node in nodes]


def _heading(groups: Sequence[Group]) -> str:
    """Returns the ids of groups from the outermost on, the last few of many, and what the innermost is about."""
    path = [f"[{group.group_id}]" for group in groups[-MOST_GROUPS:]]
    shortened = ["…", *path] if len(groups) > MOST_GROUPS else path
    return f"{' › '.join(shortened)}  {shown(groups[-1].description)}".rstrip()


def _around_all(picture: Picture) -> list[Group]:
    """Returns the groups that every node is in, the outermost first."""
    below = Counter(node.group_id for node in picture.nodes)
    for group in reversed([*picture.groups.values()]):
        below[group.parent_id] += below[group.group_id]
    return [group for group in picture.groups.values() if below[group.group_id] == len(picture.nodes)]


def _by_target(waits: Sequence[Wait]) -> dict[str, list[Wait]]:
    found: dict[str, list[Wait]] = {}
    for wait in waits:
        found.setdefault(wait.target_id, []).append(wait)
    return found
