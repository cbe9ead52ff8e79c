"""Previews of a start, as messages."""

from __future__ import annotations

from runner_svc.core.explain.preview import Preview, Work
from signoff.v1 import runner_pb2 as pb


def preview_to_proto(found: Preview, most: int) -> pb.PreviewExecutionResponse:
    """Returns the counts, and the first tasks that would not be kept."""
    return pb.PreviewExecutionResponse(
        kept=found.kept,
        to_judge=found.count(Work.JUDGE),
        to_make=found.count(Work.MAKE),
        with_other_prompts=found.with_other_prompts,
        tasks=[
            pb.PreviewedTask(
                task_id=found.map.name(previewed.task),
                work=pb.PreviewedWork.ValueType(previewed.work),
                changes=previewed.changes,
                execution_id=previewed.execution or "",
            )
            for previewed in found.tasks[:most]
        ],
    )
