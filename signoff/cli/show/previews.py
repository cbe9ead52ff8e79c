"""Previews of a start: the work that would be kept, judged again or done, in words and rows."""

from __future__ import annotations

from signoff.cli.show.output import CommandOutput
from signoff.v1 import runner_pb2

WORK = {runner_pb2.PREVIEWED_WORK_JUDGE: "judge", runner_pb2.PREVIEWED_WORK_MAKE: "do"}


def in_words(found: runner_pb2.PreviewExecutionResponse) -> str:
    """Says, for example: 11 of 13 kept, 1 to judge, 1 to do."""
    in_all = found.kept + found.to_judge + found.to_make
    parts = [f"{found.kept:,} of {in_all:,} kept"]
    parts += [f"{found.to_judge:,} to judge"] if found.to_judge else []
    parts += [f"{found.to_make:,} to do"] if found.to_make else []
    return ", ".join(parts)


def other_prompts_in_words(found: runner_pb2.PreviewExecutionResponse) -> str:
    """Says how many results are kept of other versions of prompts; empty: none."""
    if not (many := found.with_other_prompts):
        return ""
    them = "1 of those kept is" if many == 1 else f"{many:,} of those kept are"
    return f"{them} from other versions of prompts; --fresh-prompts does the work anew"


def changes_in_words(task: runner_pb2.PreviewedTask) -> str:
    return ", ".join(task.changes) or "it is new"


def show_preview(found: runner_pb2.PreviewExecutionResponse, output: CommandOutput) -> None:
    """Prints the counts, and a row for each task that would not be kept."""
    if output.json:
        output.record(
            {
                "kept": found.kept,
                "to_judge": found.to_judge,
                "to_make": found.to_make,
                "with_other_prompts": found.with_other_prompts,
            }
        )
        for task in found.tasks:
            output.record(
                {
                    "task_id": task.task_id,
                    "work": WORK[task.work],
                    "changes": list(task.changes),
                    "execution_id": task.execution_id,
                }
            )
        return
    output.line(in_words(found))
    if prompts := other_prompts_in_words(found):
        output.line(prompts)
    rows = [(WORK[task.work], task.task_id, changes_in_words(task)) for task in found.tasks]
    if rows:
        output.table(("work", "task", "because of"), rows)
    if (more := found.to_judge + found.to_make - len(found.tasks)) > 0:
        output.line(f"… and {more:,} more")
