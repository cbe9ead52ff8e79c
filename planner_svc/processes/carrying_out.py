"""Carries out a compile: from the plan's bytes to its diagnostics and its staged files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from planner_svc.compiler import TOO_LARGE, Compiled, compile_plan, too_large
from planner_svc.diagnostics import Diagnostic, Severity
from planner_svc.layout.layout import lay_out
from planner_svc.processes.job import CompileAnswer, CompileJob
from planner_svc.staging import MAP, records, stage
from planner_svc.wire import protobuf as wire
from planner_svc.wire.execution_json import execution_json_pieces
from planner_svc.wire.maps import map_to_bytes
from planner_svc.wire.plan import diagnostic_to_proto
from signoff.files.data_directory import EXECUTION_JSON, PLAN_JSON
from signoff.service.gc_tuning import gc_paused

DIAGNOSTICS_BYTES = 256 * 1024  # of one message
SHOWN_CHARS = 500  # of the first error: it travels in a trailer, which has room for 8 KiB

_DIAGNOSTICS = wire.tag(1)  # CheckPlanResponse.diagnostics and CompilePlanResponse.diagnostics


def carry_out(job: CompileJob, plan: BinaryIO, diagnostics_file: BinaryIO) -> CompileAnswer:
    """Does a job. Writes the diagnostics to their file as records, each with the bytes of one response."""
    data = plan.read()
    with gc_paused():
        try:
            compiled = compile_plan(data, plan_id=job.plan_id, infer=job.infer)
            diagnostics_file.writelines(records(_batches(compiled.diagnostics)))
            return _stage(job, data, compiled) if job.folder else CompileAnswer(diagnostics=len(compiled.diagnostics))
        except TOO_LARGE as error:
            return CompileAnswer(too_large=too_large(error))
        except OSError as error:
            return CompileAnswer(storage=f"cannot store the plan {job.plan_id}: {error.strerror or error}")


def _stage(job: CompileJob, data: bytes, compiled: Compiled) -> CompileAnswer:
    """Stages the files of a plan without errors."""
    if compiled.map is None or compiled.encoded is None:
        return CompileAnswer(refused=_errors_in_short(compiled.diagnostics), diagnostics=len(compiled.diagnostics))
    parts = map_to_bytes(compiled.map, compiled.encoded, lay_out(compiled.map, compiled.direct))
    contents: dict[str, Iterable[bytes]] = {
        PLAN_JSON: (data,),
        EXECUTION_JSON: execution_json_pieces(compiled.map),
        MAP: records(parts),
    }
    stage(Path(job.folder) / job.plan_id, job.token, contents)
    map_ = compiled.map
    return CompileAnswer(diagnostics=len(compiled.diagnostics), tasks=len(map_.tasks), stages=map_.stage_count)


def _batches(diagnostics: Iterable[Diagnostic]) -> Iterable[bytes]:
    """Yields diagnostics as messages: CheckPlanResponse and CompilePlanResponse have them under the same number."""
    messages = (diagnostic_to_proto(diagnostic).SerializeToString() for diagnostic in diagnostics)
    return wire.runs((wire.delimited(_DIAGNOSTICS, message) for message in messages), DIAGNOSTICS_BYTES)


def _errors_in_short(diagnostics: Iterable[Diagnostic]) -> str:
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]
    message = errors[0].message
    shown = message if len(message) <= SHOWN_CHARS else f"{message[:SHOWN_CHARS]}…"
    more = f" (and {len(errors) - 1:,} more)" if len(errors) > 1 else ""
    return f"expected a plan without errors, but {errors[0].code}: {shown}{more}"
