"""`signoff compile`: compiles a plan to its execution.json in this process, without any service."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signoff.cli.run.plan_files import Finding, path_of, plan_id_of, read_plan, show_findings
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.output_files import write_file

if TYPE_CHECKING:
    from planner_svc.compiler import Compiled
    from planner_svc.diagnostics import Diagnostic
    from signoff.v1 import plan_pb2

COMPILED, HAS_ERRORS = 0, 2  # exit codes
MOST_NOTES = 20  # that are shown


def compile_plan(plan: str, file: str | None, output: CommandOutput, *, plan_id: str, infer: bool) -> int:
    """Compiles a plan, and returns the exit code.

    Diagnostics go to standard error, execution.json to standard output or to a file.
    """
    from planner_svc.criteria.notes import notes
    from planner_svc.wire.execution_json import execution_json

    compiled = compile_here(plan, output, plan_id=plan_id, infer=infer)
    if compiled.map is None:
        return HAS_ERRORS
    _show_notes(list(notes(compiled.map)), output)
    with ended_by_interrupt():
        document = execution_json(compiled.map)
    if file is None:
        output.document(document)
    else:
        write_file(file, document, inputs=[path_of(plan)])
    return COMPILED


def compile_here(plan: str, output: CommandOutput, *, plan_id: str, infer: bool) -> Compiled:
    """Compiles a plan file in this process, and prints the diagnostics on standard error."""
    from planner_svc.compiler import compile_plan as compiled_by_planner

    data = read_plan(plan)
    with ended_by_interrupt():
        compiled = compiled_by_planner(data, plan_id=plan_id or plan_id_of(plan), infer=infer)
    findings = [finding_from_compiler(diagnostic) for diagnostic in compiled.diagnostics]
    if output.json:
        _record(findings, output)
    else:
        show_findings(output, findings)
    return compiled


def laid_out(compiled: Compiled) -> tuple[plan_pb2.MapHeader, plan_pb2.LayoutPart]:
    """Returns the header and the layout of a plan without errors, as the planner sends them."""
    from planner_svc.layout.layout import lay_out
    from planner_svc.wire.layouts import layout_to_bytes
    from signoff.v1 import plan_pb2

    assert compiled.map is not None
    assert compiled.encoded is not None
    layout = plan_pb2.LayoutPart()
    with ended_by_interrupt():
        for part in layout_to_bytes(compiled.map, lay_out(compiled.map, compiled.direct)):
            layout.MergeFromString(part)
    return compiled.encoded.header, layout


@contextmanager
def ended_by_interrupt() -> Iterator[None]:
    """Lets Ctrl-C end this process at once, during steps that leave nothing half-done.

    Python raises KeyboardInterrupt only between two of its own steps; reading 100 MiB of JSON is one step of seconds.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler is not signal.default_int_handler:  # it is ignored, or it is another's to handle
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def finding_from_compiler(diagnostic: Diagnostic) -> Finding:
    return Finding(
        code=diagnostic.code,
        severity=diagnostic.severity.value,
        task_ids=diagnostic.task_ids,
        message=diagnostic.message,
        path=diagnostic.path,
    )


def _record(findings: list[Finding], output: CommandOutput) -> None:
    for finding in findings:
        output.on_stderr.record(
            {
                "severity": finding.severity,
                "code": finding.code,
                "task_ids": list(finding.task_ids),
                "message": finding.message,
                "path": finding.path,
            }
        )


def _show_notes(notes: list[str], output: CommandOutput) -> None:
    """Prints what the compiler did that a reader of the plan should know. A program gets all notes, a person a few."""
    if output.json:
        for note in notes:
            output.on_stderr.record({"note": note})
        return
    for note in notes[:MOST_NOTES]:
        output.note(f"note: {note}")
    if len(notes) > MOST_NOTES:
        output.note(f"… and {len(notes) - MOST_NOTES:,} more")
