"""The results of an execution that are to be exported, each with its name and the files that it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.cli.remote.result_files import manifest_record
from signoff.client.client import Client
from signoff.client.result_files import ResultOf, files_of
from signoff.client.values import Ref
from signoff.display.natural_order import natural
from signoff.display.result_names import has_own_name, result_names
from signoff.display.wire_names import record_of
from signoff.errors import ArtifactNotFound, ConfigurationError, Unavailable
from signoff.manifest.manifest import Manifest
from signoff.v1 import execution_pb2 as pb

MOST_NAMED = 10  # tasks in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A signed-off result that is to be exported."""

    info: pb.ArtifactInfo
    name: str  #: of its file, or of its folder
    manifest: Manifest | None  #: None: it is one content

    def paths(self) -> Iterator[tuple[str, str]]:
        """Yields the files that it becomes: the path below the folder of the export, and the digest."""
        if self.manifest is None:
            yield self.name, self.info.digest
        else:
            for file in self.manifest.files:
                yield f"{self.name}/{file.path}", file.digest

    def record(self) -> dict[str, Any]:
        """Returns what the index says of it."""
        files = manifest_record(self.manifest) if self.manifest is not None else {}
        return {**record_of(self.info), "path": self.name, **files}


def chosen_tasks(tasks: Sequence[pb.TaskState], only: Sequence[str]) -> list[pb.TaskState]:
    """Returns the tasks of these names and those in groups of these names; all when none is named."""
    unknown = [name for name in only if not any(_is_in(task.task_id, name) for task in tasks)]
    if unknown:
        raise ConfigurationError(f"--only: expected tasks or groups of the plan, but got {', '.join(unknown)}")
    by_id = {task.task_id: task for task in tasks if not only or any(_is_in(task.task_id, name) for name in only)}
    return [by_id[name] for name in natural(by_id)]


def _is_in(task_id: str, name: str) -> bool:
    return task_id == name or task_id.startswith(f"{name}_")


async def results_of(
    client: Client, ref: Ref, tasks: Sequence[pb.TaskState], chosen: Sequence[pb.TaskState]
) -> list[Result]:
    """Returns the results of the chosen tasks that are signed off. One that is withdrawn meanwhile is left out."""
    made = [task.artifact for task in chosen if task.status == pb.TASK_STATUS_DONE]
    nameless = {info.task_id for info in made if not has_own_name(info)}
    names = result_names(made, (task.task_id for task in tasks), await client.descriptions(ref, nameless))
    results = list[Result]()
    for info in made:
        try:
            manifest = await _manifest(client, ref, info)
        except ArtifactNotFound:
            continue
        results.append(Result(info=info, name=names[info.task_id], manifest=manifest))
    return results


async def _manifest(client: Client, ref: Ref, info: pb.ArtifactInfo) -> Manifest | None:
    if not info.file_count:
        return None
    found = await client.artifact(ref, info.task_id)
    if found.info.digest != info.digest:
        raise replaced(info)
    return files_of(found)


def replaced(info: pb.ArtifactInfo) -> Unavailable:
    """Returns the error for a result that is another one by now."""
    return Unavailable(f"the artifact of {info.task_id} was replaced while it was exported: export it again")


def result_of(ref: Ref, result: Result) -> ResultOf:
    """Returns the reference by which a result is read."""
    return ResultOf(ref=ref, task_id=result.info.task_id)


def describe_missing(chosen: Sequence[pb.TaskState], results: Sequence[Result]) -> str:
    """Returns the tasks without a result, for example "2_1 and 2_2"; empty: none is missing."""
    there = {result.info.task_id for result in results}
    missing = [task.task_id for task in chosen if task.task_id not in there]
    more = f" and {len(missing) - MOST_NAMED:,} more" if len(missing) > MOST_NAMED else ""
    return f"{', '.join(missing[:MOST_NAMED])}{more}"
