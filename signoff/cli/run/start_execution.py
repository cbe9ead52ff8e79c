"""Takes a plan from its bytes to a running execution, on services that are up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from signoff.cli.run.plan_files import finding_from_proto, plan_id_of, show_findings
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.previews import in_words
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.display.wire_names import state_name
from signoff.errors import PlanInvalid
from signoff.states import UNFINISHED
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2

WARNINGS_SHOWN = 5

Say = Callable[[str], None]


async def compile_on(
    client: Client, plan_json: bytes, plan: str, output: CommandOutput, *, plan_id: str, infer: bool
) -> plan_pb2.MapHeader:
    """Has the planner compile and store a plan. Prints its diagnostics, and how many criteria became checks.

    Raises PlanInvalid when the plan has errors.
    """
    derived = DerivedChecks()
    compiled = await client.compile_plan(
        plan_json, plan_id=plan_id or plan_id_of(plan), infer=infer, see=derived.count_in
    )
    findings = [finding_from_proto(diagnostic) for diagnostic in compiled.diagnostics]
    show_findings(output, findings, at_most=WARNINGS_SHOWN)
    if compiled.header is None:
        errors = sum(finding.severity == "error" for finding in findings)
        raise PlanInvalid(f"expected a plan without errors, but {plan} has {errors}")
    if derived.number:
        are = "criterion is" if derived.number == 1 else "criteria are"
        output.note(f"{derived.number:,} {are} checked by code, not judged: `signoff compile` shows how")
    return compiled.header


class DerivedChecks:
    """Counts the checks of a map that were made from criteria in words."""

    def __init__(self) -> None:
        self.number = 0

    def count_in(self, part: plan_pb2.MapPart) -> None:
        for task in part.tasks.tasks:
            self.number += sum(bool(check.criterion) for check in task.spec.validation.checks)


@dataclass(frozen=True, slots=True)
class StartedExecution:
    """An execution that was started or resumed."""

    execution: pb.Execution
    before: int  #: the sequence of its last event before the resume; 0: it is new


async def start_or_resume(
    client: Client, header: plan_pb2.MapHeader, settings: pb.ExecutionSettings | None, say: Say, *, new: bool
) -> StartedExecution:
    """Resumes the newest execution of this very plan when it is unfinished; otherwise starts a new one."""

    def warn(warning: str) -> None:
        say(f"warning: {warning}")

    newest = next(iter(await client.list(header.plan_id, at_most=1)), None)
    is_unfinished = newest is not None and newest.state in UNFINISHED and newest.map_digest == header.map_digest
    if newest is None or new or not is_unfinished:
        if newest is not None:
            found = await client.preview(header.plan_id, settings, at_most=1)
            if found.kept or found.to_judge:
                say(f"{in_words(found)} (`signoff diff` shows why, --fresh does all anew)")
        return StartedExecution(await client.start(header.plan_id, settings, warn), 0)
    say(
        f"going on with {newest.execution_id}, which was {state_name(newest.state)} "
        f"with {newest.counts.done} of {header.task_count} signed off (--new starts anew)"
    )
    if settings is not None:
        say("the settings on the command line are for new executions: this one keeps its own")
    return StartedExecution(await client.resume(by_execution(newest.execution_id), warn), newest.sequence)
