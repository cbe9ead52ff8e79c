"""Executions, tasks and workers as rows of a table, and as JSON records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from signoff.cli.show.output import CommandOutput
from signoff.display.progress import total_of
from signoff.display.sizes import format_files
from signoff.display.unread import describe_unread
from signoff.display.verdicts import describe_author
from signoff.display.wire_names import day_and_time, record_of, role_name, seconds, state_name, status_name, unix
from signoff.files.data_directory import OUTPUT_FILES, OUTPUT_JSON
from signoff.intervals import wilson
from signoff.v1 import execution_pb2, runner_pb2

TASK_HEADINGS = ("task", "status", "attempts", "time", "artifact", "file")
EXECUTION_HEADINGS = ("plan", "state", "done", "started", "took", "execution")
WORKER_HEADINGS = ("worker", "role", "busy", "can do", "models", "labels", "state")
KEPT = "kept"  # in the place of a time: an earlier execution has done it
MOST_TOLD = 10  # tasks or inputs that have a line each
MOST_VALUE_CHARS, MOST_FILES = 80, 5  # of an input in its line
CANARY_HEADINGS = ("canaries judged by", "labels", "good", "rejected", "bad", "accepted", "undecided")


def show_tasks(
    output: CommandOutput,
    execution: execution_pb2.Execution,
    tasks: Sequence[execution_pb2.TaskState],
    data_dir: Path | None,
) -> None:
    """Prints the table a run ends with. `data_dir` is the runner's, when it is on this machine."""
    rows = [task_row(task, output_file(task, execution.plan_id, data_dir)) for task in tasks]
    output.table(TASK_HEADINGS, rows)


def task_row(task: execution_pb2.TaskState, file: str) -> list[str]:
    took = format_duration(seconds(task.took)) if task.HasField("took") else ""
    if task.artifact.HasField("kept_from") and not seconds(task.took):
        took = KEPT
    return [task.task_id, status_name(task.status), str(task.attempt), took, _artifact_cell(task.artifact), file]


def _artifact_cell(made: execution_pb2.ArtifactInfo) -> str:
    """Returns an artifact in a table: "report", or "report (3 files, 1.2 MiB)"."""
    if not made.file_count:
        return made.name
    return f"{made.name} ({format_files(made.file_count, made.files_bytes)})".lstrip()


def output_file(task: execution_pb2.TaskState, plan_id: str, data_dir: Path | None) -> str:
    """Returns the file in which the runner keeps the artifact for people, or the folder of its files; empty: none."""
    if data_dir is None or not task.HasField("artifact"):
        return ""
    return str(data_dir / plan_id / task.task_id / (OUTPUT_FILES if task.artifact.file_count else OUTPUT_JSON))


def task_record(task: execution_pb2.TaskState, plan_id: str, data_dir: Path | None) -> dict[str, Any]:
    file = output_file(task, plan_id, data_dir)
    return {**record_of(task), **({"file": file} if file else {})}


def input_lines(execution: execution_pb2.Execution) -> Iterator[str]:
    """Yields a line for each input of the plan that an execution was given, at most MOST_TOLD."""
    for given in execution.inputs[:MOST_TOLD]:
        yield f"input {given.name}: {_input_in_words(given)}"
    if len(execution.inputs) > MOST_TOLD:
        yield f"and {len(execution.inputs) - MOST_TOLD} more inputs"


def _input_in_words(given: execution_pb2.GivenInput) -> str:
    """Describes an input, for example: sales.csv, 1,204 bytes, sha256 9f86d081884c."""
    if given.HasField("text") or given.HasField("json"):
        value = given.text if given.HasField("text") else given.json
        return value if len(value) <= MOST_VALUE_CHARS else f"{value[: MOST_VALUE_CHARS - 1]}…"
    if given.file_count != 1 or not given.files:
        paths = ", ".join(file.path for file in given.files[:MOST_FILES])
        return f"{given.file_count:,} files: {paths}{', …' if given.file_count > MOST_FILES else ''}"
    file = given.files[0]
    return f"{file.path}, {file.size_bytes:,} bytes, sha256 {file.digest[:12]}"


def unread_lines(tasks: Iterable[execution_pb2.TaskState]) -> Iterator[str]:
    """Yields a line for each signed-off task whose model was not shown all of its inputs, at most MOST_TOLD."""
    told = [task for task in tasks if task.artifact.HasField("unread")]
    for task in told[:MOST_TOLD]:
        yield f"{task.task_id}: {describe_unread(task.artifact.unread)}"
    if len(told) > MOST_TOLD:
        yield f"and so for {len(told) - MOST_TOLD:,} more tasks: `signoff status --json` tells of all"


def people_lines(tasks: Iterable[execution_pb2.TaskState]) -> Iterator[str]:
    """Yields a line for each task that a person signed off, at most MOST_TOLD. Validators signed off all others."""
    told = [task for task in tasks if task.artifact.signed_off_by.HasField("person")]
    for task in told[:MOST_TOLD]:
        yield f"{task.task_id}: signed off by {describe_author(task.artifact.signed_off_by)}"
    if len(told) > MOST_TOLD:
        yield f"and so for {len(told) - MOST_TOLD:,} more tasks: `signoff status --json` tells of all"


def show_executions(output: CommandOutput, executions: Iterable[execution_pb2.Execution]) -> None:
    output.table(EXECUTION_HEADINGS, [execution_row(execution) for execution in executions])


def execution_row(execution: execution_pb2.Execution) -> list[str]:
    started, ended = unix(execution.started_at), unix(execution.ended_at)
    return [
        execution.plan_id,
        state_name(execution.state),
        f"{execution.counts.done}/{total_of(execution.counts)}",
        day_and_time(execution.started_at) if started else "",
        format_duration(ended - started) if ended else "",
        execution.execution_id,
    ]


def show_workers(output: CommandOutput, workers: Iterable[runner_pb2.Worker]) -> None:
    output.table(WORKER_HEADINGS, [worker_row(worker) for worker in workers])


def worker_row(worker: runner_pb2.Worker) -> list[str]:
    state = "draining" if worker.draining else "connected" if worker.connected else "may come back"
    busy = f"{worker.leases}/{worker.slots}"
    handlers, models = ", ".join(worker.handlers), ", ".join(worker.models)
    return [worker.name, role_name(worker.role), busy, handlers, models, _labels(worker.labels), state]


def show_canaries(output: CommandOutput, tallies: Iterable[execution_pb2.CanaryTally]) -> None:
    output.table(CANARY_HEADINGS, [canary_row(tally) for tally in tallies])


def canary_row(tally: execution_pb2.CanaryTally) -> list[str]:
    return [
        tally.model or "checks alone",
        _labels(tally.labels),
        str(tally.good),
        _share(tally.false_rejects, tally.good),
        str(tally.bad),
        _share(tally.false_accepts, tally.bad),
        str(tally.undecided),
    ]


def _share(part: int, whole: int) -> str:
    """Returns for example "2 (5.0 %, 1.4 to 16.5 %)", with the interval of 95 %; empty when the whole is zero."""
    if not 0 <= part <= whole or not whole:
        return str(part) if part else ""  # another runner may count otherwise: its number is shown as it came
    low, high = wilson(part, whole)
    return f"{part} ({100 * part / whole:.1f} %, {100 * low:.1f} to {100 * high:.1f} %)"


def canary_record(tally: execution_pb2.CanaryTally) -> dict[str, Any]:
    """Returns a tally with its two shares, each with its interval of 95 %; without a share of zero cases."""
    shares = {
        "false_reject_share": _share_record(tally.false_rejects, tally.good),
        "false_accept_share": _share_record(tally.false_accepts, tally.bad),
    }
    return {**record_of(tally), **{name: share for name, share in shares.items() if share}}


def _share_record(part: int, whole: int) -> dict[str, float]:
    if not 0 <= part <= whole or not whole:
        return {}
    low, high = wilson(part, whole)
    return {"share": part / whole, "low": low, "high": high}


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))


def format_duration(took: float) -> str:
    """Returns for example "0.3 s", "42 s", "3:07" or "1:02:03"."""
    if took < 60:
        return f"{took:.1f} s" if took < 10 else f"{took:.0f} s"
    minutes, second = divmod(int(took), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
