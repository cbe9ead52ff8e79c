"""Why a task is not finished, as a sentence."""

from __future__ import annotations

from signoff.display.sizes import format_files
from signoff.display.unread import describe_unread
from signoff.display.verdicts import describe_author
from signoff.display.wire_names import status_name
from signoff.v1 import execution_pb2 as pb


def describe_waiting(task: pb.TaskState) -> str:
    """Returns for example "1_2 is undone: waits for 1_1"."""
    if task.status == pb.TASK_STATUS_DONE:
        unread = f"; {describe_unread(task.artifact.unread)}" if task.artifact.HasField("unread") else ""
        signed = describe_author(task.artifact.signed_off_by)
        by = f" by {signed}" if signed else ""
        made = task.artifact
        files = f", {format_files(made.file_count, made.files_bytes)}" if made.file_count else ""
        return f"{task.task_id} is done: signed off{by} with attempt {task.attempt}{files}{unread}"
    reason = task.waiting.message or "no reason was given"
    told = not task.last_failure or task.last_failure in reason
    failure = "" if told else f"; the last attempt did not count: {task.last_failure}"
    return f"{task.task_id} is {status_name(task.status)}: {reason}{failure}"
