"""The command `signoff export`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from signoff.cli.remote.export.folder import ExportFolder
from signoff.cli.remote.export.results import (
    Result,
    chosen_tasks,
    describe_missing,
    replaced,
    result_of,
    results_of,
)
from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.remote.result_files import on_disk, require_folder
from signoff.cli.show.amounts import counted
from signoff.cli.show.output import CommandOutput
from signoff.client.client import Client
from signoff.client.questions import check_tasks_are_known
from signoff.client.values import Ref, by_execution
from signoff.display.sizes import describe_size
from signoff.display.verdicts import describe_author
from signoff.display.wire_names import state_name
from signoff.v1 import execution_pb2 as pb

HEADINGS = ("result", "task", "size", "signed off by")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """The options of an export."""

    folder: Path
    only: Sequence[str] = ()  #: tasks and groups; none: all
    force: bool = False  #: write over what no export has written


async def export(name: str, options: ExportOptions, where: RunnerLocation, output: CommandOutput) -> int:
    """Writes the results of an execution that are signed off, and tells which are missing."""
    folder = options.folder
    require_folder(folder, "the results")
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        check_tasks_are_known(execution)
        ref = by_execution(execution.execution_id)
        tasks = await reached.client.tasks(ref)
        chosen = chosen_tasks(tasks, options.only)
        results = await results_of(reached.client, ref, tasks, chosen)
        with on_disk(folder), ExportFolder(folder, execution) as target:
            target.look(force=options.force)
            target.check(results, force=options.force)
            target.remove_stale(results, {task.task_id for task in chosen} if options.only else None)
            for result in results:
                await _write(reached.client, ref, result, target)
            target.finish(results, len(tasks))
    _tell(execution, chosen, results, options, output)
    return 0


async def _write(client: Client, ref: Ref, result: Result, target: ExportFolder) -> None:
    """Writes the files of a result that are not there yet."""
    wanted = target.begin(result)
    if result.manifest is None:
        if wanted:
            found = await client.artifact(ref, result.info.task_id)
            if found.info.digest != result.info.digest:
                raise replaced(result.info)
            with target.writing(result.name) as file:
                file.write(found.content)
        return
    if not wanted:
        return
    async with aclosing(client.files(result_of(ref, result), result.manifest)) as files:
        async for entry, pieces in files:
            path = f"{result.name}/{entry.path}"
            if path in wanted:
                with target.writing(path) as file:
                    async for piece in pieces:
                        file.write(piece)


def _tell(
    execution: pb.Execution,
    chosen: Sequence[pb.TaskState],
    results: Sequence[Result],
    options: ExportOptions,
    output: CommandOutput,
) -> None:
    if output.json:
        for result in results:
            output.record(result.record())
        return
    if results:
        output.table(HEADINGS, [_row(result) for result in results])
    count = counted(len(results), "result")
    output.note(f"{count} of {len(chosen):,} in {options.folder}; index.json there has their digests")
    if missing := describe_missing(chosen, results):
        output.note(f"not signed off, and so not there: {missing}; {execution.plan_id} {_is(execution)}")


def _row(result: Result) -> list[str]:
    made = result.info
    name = result.name if result.manifest is None else f"{result.name}/"
    return [name, made.task_id, describe_size(made), describe_author(made.signed_off_by)]


def _is(execution: pb.Execution) -> str:
    return f"is {state_name(execution.state)}"
