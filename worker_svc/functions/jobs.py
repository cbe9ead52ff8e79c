"""The border to the wire: makes a job for a function of an assignment."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import structlog

from signoff.app import Document, Feedback, FileInfo, Files, Task
from signoff.plan.formats import format_of
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc import assignment as given
from worker_svc.assignment import Assignment
from worker_svc.functions.job import Broken, FunctionJob

log = structlog.get_logger(__name__)


MOST_BYTES = 1024**3  # of all inputs of one call: they are in memory together
_READ_HERE_BYTES = 1024 * 1024  # larger inputs are read in a thread, for they may lie in files


async def job_for(assignment: Assignment, outputs: Path | None = None) -> FunctionJob | Broken:
    """Returns the job for a function, or the reason why it cannot be called. `outputs`: as in the job."""
    size = sum(len(given.content) for given in assignment.inputs)
    if size > MOST_BYTES:
        problem = f"expected inputs of at most {MOST_BYTES:,} bytes together, for a function has them in memory"
        return Broken(message=f"{problem}, but they have {size:,}: a command has them as files", is_permanent=True)
    if size <= _READ_HERE_BYTES:
        return job_of(assignment, outputs)
    return await asyncio.to_thread(job_of, assignment, outputs)


def job_of(assignment: Assignment, outputs: Path | None = None) -> FunctionJob:
    return FunctionJob(
        task=_task(assignment),
        text_type=format_of(assignment.task.output.format).media_type,
        inputs=tuple(map(_content, assignment.inputs)),
        omitted=tuple(f"{omitted.name} ({omitted.reason})" for omitted in assignment.omitted),
        feedback=_feedback(assignment.feedback) if assignment.feedback else None,
        candidate=_content(assignment.candidate) if assignment.candidate else None,
        checkpoint=_checkpoint(assignment),
        outputs=outputs,
    )


def _task(assignment: Assignment) -> Task:
    spec = assignment.task
    return Task(
        id=spec.task_id,
        description=spec.description,
        plan_id=assignment.plan_id,
        idea=assignment.idea,
        attempt=assignment.attempt,
        parameters=_parameters(spec.input),
        output_description=spec.output.description,
        output_format=spec.output.format,
    )


def _checkpoint(assignment: Assignment) -> Any:
    """Returns the checkpoint; None when it is not JSON: another kind of worker has saved it."""
    try:
        return json.loads(assignment.checkpoint) if assignment.checkpoint else None
    except ValueError:
        log.warning("checkpoint_not_understood", task=assignment.task.task_id, lease=assignment.lease_id)
        return None


def _parameters(given: plan_pb2.TaskInput) -> Any:
    return json.loads(given.parameters_json) if given.parameters_json else None


def _content(artifact: given.Artifact) -> Document | Files:
    if artifact.manifest is not None and artifact.folder is not None:
        entries = {
            file.path: FileInfo(media_type=file.media_type, size=file.size, digest=file.digest)
            for file in artifact.manifest.files
        }
        return Files(
            name=artifact.name,
            task_id=artifact.task_id,
            digest=artifact.digest,
            folder=artifact.folder,
            main_path=artifact.manifest.main,
            entries=entries,
        )
    return Document(
        name=artifact.name,
        task_id=artifact.task_id,
        media_type=artifact.media_type,
        digest=artifact.digest,
        content=artifact.whole(),
    )


def _feedback(feedback: given.Feedback) -> Feedback:
    return Feedback(
        summary=feedback.summary,
        reasons=tuple(
            f"{result.criterion}: {result.reason}"
            for result in feedback.results
            if result.outcome != execution_pb2.OUTCOME_PASS
        ),
        candidate=_content(feedback.previous_candidate) if feedback.previous_candidate else None,
        earlier=feedback.earlier,
    )
