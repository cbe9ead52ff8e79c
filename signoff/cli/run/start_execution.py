"""Takes a plan from its bytes to a running execution, on services that are up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from signoff.cli.run.plan_files import finding_from_proto, plan_id_of, show_findings
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.previews import changes_in_words, in_words
from signoff.client.client import Client
from signoff.client.inputs import NO_INPUTS, ResolvedInputs
from signoff.client.values import Ref, by_execution
from signoff.display.wire_names import state_name
from signoff.errors import ConfigurationError, PlanInvalid, WrongState
from signoff.states import UNFINISHED
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2

WARNINGS_SHOWN, UNKEPT_SHOWN = 5, 5
MOST_PREVIEWED = 5000  # tasks that a preview is asked to tell

Say = Callable[[str], None]


class PlanSummary:
    """A map as its parts pass by: its header, how many checks were derived, and the names of tasks and groups.

    Names are kept when they are wanted alone: a map may have millions.
    """

    def __init__(self, *, names: bool = False) -> None:
        self.header = plan_pb2.MapHeader()
        self.derived = 0  #: checks made from criteria in words
        self._wants_names = names
        self._tasks: list[tuple[str, int]] = []  # ids, and the numbers of their parents
        self._groups: list[tuple[str, int]] = []

    def take(self, part: plan_pb2.MapPart) -> None:
        for task in part.tasks.tasks:
            self.derived += sum(bool(check.criterion) for check in task.spec.validation.checks)
        if self._wants_names:
            self._tasks += [(task.spec.task_id, _parent_of(task)) for task in part.tasks.tasks]
            self._groups += [(group.task_id, _parent_of(group)) for group in part.groups.groups]

    def tasks_below(self, names: Iterable[str]) -> set[str]:
        """Returns the ids of the tasks that these names stand for: tasks, and those in groups."""
        wanted, nodes = set(names), [*self._tasks, *self._groups]
        below = set[str]()
        for task, parent in self._tasks:
            name = task
            while name not in wanted and parent >= 0:
                name, parent = nodes[parent]
            if name in wanted:
                below.add(task)
        return below


def _parent_of(node: plan_pb2.MapTask | plan_pb2.MapGroup) -> int:
    """Returns the number of the group around a task or a group; -1: there is none."""
    return node.parent if node.HasField("parent") else -1


async def compile_on(
    client: Client,
    plan_json: bytes,
    plan: str,
    output: CommandOutput,
    *,
    plan_id: str,
    infer: bool,
    names: bool = False,
) -> PlanSummary:
    """Has the planner compile and store a plan. Prints its diagnostics, and how many criteria became checks.

    `names`: the summary is asked for tasks below names.

    Raises PlanInvalid when the plan has errors.
    """
    summary = PlanSummary(names=names)
    compiled = await client.compile_plan(plan_json, plan_id=plan_id or plan_id_of(plan), infer=infer, see=summary.take)
    findings = [finding_from_proto(diagnostic) for diagnostic in compiled.diagnostics]
    show_findings(output, findings, at_most=WARNINGS_SHOWN)
    if compiled.header is None:
        errors = sum(finding.severity == "error" for finding in findings)
        raise PlanInvalid(f"expected a plan without errors, but {plan} has {errors}")
    if summary.derived:
        are = "criterion is" if summary.derived == 1 else "criteria are"
        output.note(f"{summary.derived:,} {are} checked by code, not judged: `signoff compile` shows how")
    summary.header = compiled.header
    return summary


async def refuse_unkept(
    client: Client,
    plan: PlanSummary,
    settings: pb.ExecutionSettings | None,
    only: Sequence[str],
    inputs: ResolvedInputs = NO_INPUTS,
) -> None:
    """Raises ConfigurationError when only some tasks are asked for, and others would have to be done for them."""
    if not only:
        return
    found = await client.preview(plan.header.plan_id, settings, at_most=MOST_PREVIEWED, inputs=inputs.given)
    asked = plan.tasks_below(only)
    others = [task for task in found.tasks if task.task_id not in asked]
    if others:
        named = ", ".join(f"{task.task_id} ({changes_in_words(task)})" for task in others[:UNKEPT_SHOWN])
        more = f" and {len(others) - UNKEPT_SHOWN} more" if len(others) > UNKEPT_SHOWN else ""
        asked_for, there_is = " ".join(f"--only {name}" for name in only), f"there is {named}{more} to do"
        raise ConfigurationError(f"{asked_for}: expected all that it needs to be kept, but {there_is}")


@dataclass(frozen=True, slots=True)
class StartedExecution:
    """An execution that was started or resumed."""

    execution: pb.Execution
    before: int  #: the sequence of its last event before the resume; 0: it is new


async def start_or_resume(
    client: Client,
    header: plan_pb2.MapHeader,
    settings: pb.ExecutionSettings | None,
    say: Say,
    *,
    new: bool,
    inputs: ResolvedInputs = NO_INPUTS,
) -> StartedExecution:
    """Resumes the newest execution of this very plan and inputs when it is unfinished; otherwise starts a new one."""

    def warn(warning: str) -> None:
        say(f"warning: {warning}")

    newest = next(iter(await client.list(header.plan_id, at_most=1)), None)
    is_unfinished = newest is not None and newest.state in UNFINISHED and newest.map_digest == header.map_digest
    # guard: other inputs begin a new execution -> if False:
    if newest is not None and is_unfinished and newest.inputs_digest != inputs.digest:
        say(f"{newest.execution_id}, which is unfinished, was given other inputs: this is a new execution")
        is_unfinished = False
    if newest is None or new or not is_unfinished:
        if newest is not None:
            found = await client.preview(header.plan_id, settings, at_most=1, inputs=inputs.given)
            if found.kept or found.to_judge:
                say(f"{in_words(found)} (`signoff diff` shows why, --fresh does all anew)")
        await client.upload(inputs)
        return StartedExecution(await client.start(header.plan_id, settings, warn, inputs=inputs.given), 0)
    say(
        f"going on with {newest.execution_id}, which was {state_name(newest.state)} "
        f"with {newest.counts.done} of {header.task_count} signed off (--new starts anew)"
    )
    if settings is not None:
        say("the settings on the command line are for new executions: this one keeps its own")
    ref = by_execution(newest.execution_id)
    return StartedExecution(await unless_ended(client, ref, client.resume(ref, warn)), newest.sequence)


async def unless_ended(client: Client, ref: Ref, order: Awaitable[pb.Execution]) -> pb.Execution:
    """Gives an order to an execution that may end by itself just before. Returns the execution, then as it has ended.

    Raises WrongState when the order is refused for another reason.
    """
    try:
        return await order
    # guard: an execution that ends first is followed to its end -> except ConnectionError:
    except WrongState:
        found = await client.get(ref)
        if found.state in UNFINISHED:
            raise
        return found
