"""Artifacts: the producer of each that tasks read, and the producers that a plan forgot to wait for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from planner_svc.diagnostics import Diagnostics, listed, quoted
from planner_svc.graph.artifact_names import ArtifactNames
from planner_svc.graph.downstream import Downstream
from planner_svc.graph.graph import DataEdges, Graph, Levels, compute_levels, stuck_gates
from planner_svc.graph.nesting import NONE
from planner_svc.model import Task, TaskInput
from signoff.plan.limits import MAX_INPUTS

_NAMED_EACH = 100  # of the producers and of the readers in one diagnostic
MOST_CHECKED = 5_000_000  # gates visited to tell which of several edges closes a cycle; later edges are refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A task that reads an artifact, and the one other task that makes it."""

    reader: int
    producer: int
    name: str
    path: str  #: place in plan.json where the reader names it

    @property
    def edge(self) -> tuple[int, int]:
        return self.reader, self.producer


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """All readings of a plan, and the names that have no producer."""

    found: list[Reading]
    unmade: Mapping[int, frozenset[str]]  #: the names that no other task makes, by their reader
    makers: Mapping[str, Sequence[int]]  #: the tasks that make each artifact


def find_readings(
    graph: Graph, tasks: Sequence[Task], diagnostics: Diagnostics, *, given: Set[str] = frozenset()
) -> Readings:
    """no-producer, ambiguous-producer: finds the producer of each artifact that is read, in natural order.

    `given`: the names of the plan's inputs. A task that reads one waits for no other task.
    """
    makers: dict[str, list[int]] = {}
    for maker, task in enumerate(tasks):
        if task.output is not None and task.output.artifact:
            makers.setdefault(task.output.artifact, []).append(maker)
    readings, ambiguous, unmade = list[Reading](), dict[str, list[int]](), dict[int, set[str]]()
    names: ArtifactNames | None = None
    for reader, name, path in _named_inputs(tasks):
        if name in given:
            continue
        others = makers.get(name, [])
        if reader in others[:3]:
            others = [maker for maker in others if maker != reader]
        if len(others) == 1:
            readings.append(Reading(reader=reader, producer=others[0], name=name, path=path))
        elif others:
            ambiguous.setdefault(name, []).append(reader)
        else:
            unmade.setdefault(reader, set()).add(name)
            if not diagnostics.left_out("no-producer"):
                names = names or ArtifactNames(tasks, makers)
                waits = _waits_for_something(graph, reader)
                _report_no_producer(tasks[reader], name, names.suggestion(name), waits, path, diagnostics)
    for name, readers in ambiguous.items():
        _report_ambiguous(name, [tasks[n] for n in makers[name]], [tasks[n] for n in readers], diagnostics)
    return Readings(
        found=readings, unmade={reader: frozenset(missing) for reader, missing in unmade.items()}, makers=makers
    )


def _named_inputs(tasks: Sequence[Task]) -> Iterator[tuple[int, str, str]]:
    for reader, task in enumerate(tasks):
        if task.input is not None and task.input.artifacts:
            places = {name: n for n, name in reversed(list(enumerate(task.input.artifacts)))}
            for name in dict.fromkeys(task.input.artifacts):
                yield reader, name, f"tasks[{task.position}].input.artifacts[{places[name]}]"


def _waits_for_something(graph: Graph, node: int) -> bool:
    while node != NONE and not graph.direct[node]:
        node = graph.nesting.parents[node]
    return node != NONE


def _report_no_producer(task: Task, name: str, meant: str, waits: bool, path: str, diagnostics: Diagnostics) -> None:
    instead = "what the tasks it waits for made" if waits else "nothing"
    hint = f"; did you mean {quoted(meant)}?" if meant else ""
    message = (
        f"{task.task_id} reads {quoted(name)}, which no other task makes: in its place it receives {instead}{hint}"
    )
    diagnostics.add("no-producer", message, task_ids=[task.task_id], path=path, position=task.position)


def _report_ambiguous(name: str, makers: Sequence[Task], readers: Sequence[Task], diagnostics: Diagnostics) -> None:
    made, read = [task.task_id for task in makers], [task.task_id for task in readers]
    message = f"the artifact {quoted(name)} is made by {listed(made)}: it is unclear whose {listed(read)} should read"
    path = f"tasks[{makers[1].position}].output.artifact"
    task_ids = [*made[:_NAMED_EACH], *read[:_NAMED_EACH]]
    diagnostics.add("ambiguous-producer", message, task_ids=task_ids, path=path, position=makers[1].position)


def with_inputs_instead(tasks: Sequence[Task], readings: Readings) -> list[Task]:
    """Returns the tasks without the names that no task makes: readers receive what their dependencies made instead.

    A task that names no other artifact receives all that its dependencies made; a task that does receives both.
    """
    changed = list(tasks)
    for reader, unmade in readings.unmade.items():
        given = tasks[reader].input or TaskInput()
        named = tuple(name for name in given.artifacts if name not in unmade)
        # guard: a task that also names what is made gets both ->
        #     changed[reader] = tasks[reader]._replace(input=given._replace(artifacts=named, with_dependencies=False))
        changed[reader] = tasks[reader]._replace(input=given._replace(artifacts=named, with_dependencies=bool(named)))
    return changed


def report_too_many(
    graph: Graph, tasks: Sequence[Task], waits: Sequence[Sequence[int]], data: DataEdges, diagnostics: Diagnostics
) -> None:
    """too-many-inputs: reports tasks that would receive more artifacts than a runner gives."""
    for reader, task in enumerate(tasks):
        given = task.input or TaskInput()
        takes_all = not given.artifacts or given.with_dependencies
        if len(given.artifacts) + (len(tasks) if takes_all else 0) <= MAX_INPUTS:
            continue  # no more than all tasks: to count them would take as long again as the rest
        made = sum(last - first for first, last in graph.nesting.runs(waits[reader])) if takes_all else 0
        count = len(given.artifacts) + made + (len(data.get(reader, ())) if takes_all else 0)
        # guard: no task has more inputs than a runner gives -> if False:
        if count > MAX_INPUTS:
            message = (
                f"{task.task_id} would receive {count:,} artifacts, more than {MAX_INPUTS:,}: "
                "name what it needs in input.artifacts, or let tasks in between gather it"
            )
            path = f"tasks[{task.position}].input.artifacts"
            diagnostics.add("too-many-inputs", message, task_ids=[task.task_id], path=path, position=task.position)


def not_waited_for(
    graph: Graph, levels: Levels, waits: Sequence[Sequence[int]], readings: list[Reading]
) -> list[Reading]:
    """Returns the readings whose reader waits for the producer neither itself nor by way of other tasks."""
    candidates: dict[int, set[int]] = {}
    for reading in readings:
        if not _waits_directly(graph, waits[reading.reader], reading.producer):
            candidates.setdefault(reading.producer, set()).add(reading.reader)
    downstream = Downstream(graph, levels)
    missing = {
        (reader, producer)
        for producer, readers in candidates.items()
        for reader in downstream.unreached(producer, readers)
    }
    return [reading for reading in readings if reading.edge in missing]


def _waits_directly(graph: Graph, waits: Sequence[int], producer: int) -> bool:
    """Tells whether a task itself waits for the producer, or for a group around it."""
    node = producer
    while node != NONE:
        place = bisect_left(waits, node)
        if place < len(waits) and waits[place] == node:
            return True
        node = graph.nesting.parents[node]
    return False


def inferred_edges(graph: Graph, missing: Sequence[Reading]) -> tuple[DataEdges, list[Reading]]:
    """Returns data dependencies for the missing readings, and the readings whose dependency would close a cycle."""
    if not missing:
        return {}, []
    everything = _edges(missing)
    stuck = compute_levels(graph, everything)
    if stuck.acyclic:
        return everything, []
    refused = _refused(graph, stuck, missing, everything)
    return _edges([reading for reading in missing if reading.edge not in refused]), [
        reading for reading in missing if reading.edge in refused
    ]


def _edges(readings: Sequence[Reading]) -> DataEdges:
    found: dict[int, set[int]] = {}
    for reading in readings:
        found.setdefault(reading.reader, set()).add(reading.producer)
    return {reader: tuple(sorted(producers)) for reader, producers in found.items()}


def _refused(graph: Graph, stuck: Levels, missing: Sequence[Reading], everything: DataEdges) -> set[tuple[int, int]]:
    """Adds the edges that lie on cycles one by one, in natural order, and returns those that close a cycle."""
    import networkx as nx

    gates = stuck_gates(graph, stuck, everything)
    knot_of = {gate: knot for knot in nx.strongly_connected_components(gates) if len(knot) > 1 for gate in knot}
    edges = dict.fromkeys(reading.edge for reading in missing)
    tied = [(r, p) for r, p in edges if 2 * r in knot_of and knot_of[2 * r] is knot_of.get(2 * p + 1)]
    inside = nx.DiGraph()
    inside.add_nodes_from(knot_of)
    inside.add_edges_from((a, b) for a, b in gates.edges if knot_of.get(a) is knot_of.get(b) is not None)
    inside.remove_edges_from([(2 * r, 2 * p + 1) for r, p in tied])
    refused, visited = set[tuple[int, int]](), 0
    for reader, producer in tied:
        visited += len(knot_of[2 * reader])
        if visited > MOST_CHECKED or nx.has_path(inside, 2 * producer + 1, 2 * reader):
            refused.add((reader, producer))
        else:
            inside.add_edge(2 * reader, 2 * producer + 1)
    return refused


def report_missing(
    tasks: Sequence[Task],
    missing: Sequence[Reading],
    refused: Sequence[Reading],
    inferred: bool,
    diagnostics: Diagnostics,
) -> None:
    """producer-not-waited-for, data-cycle: reports the missing readings, and whether a dependency was added."""
    turned_down = {reading.edge for reading in refused}
    for reading in missing:
        reader, producer = tasks[reading.reader], tasks[reading.producer]
        says = f"{reader.task_id} reads {quoted(reading.name)} of {producer.task_id}"
        if reading.edge in turned_down:
            code, message = "data-cycle", f"{says}, but waiting for it would close a cycle: it may not receive it"
        else:
            outcome = "this was added as a data dependency" if inferred else "it may not receive it"
            code, message = "producer-not-waited-for", f"{says}, but does not wait for it: {outcome}"
        task_ids = [reader.task_id, producer.task_id]
        diagnostics.add(code, message, task_ids=task_ids, path=reading.path, position=reader.position)
