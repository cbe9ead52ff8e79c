"""The folder of an attempt, in which a program starts.

    task.json              the task, the list of its inputs, and why the previous attempt did not count
    inputs/NAME.SUFFIX     one file for each input
    inputs/NAME/…          the files of an input of the plan that has several, by their paths
                           and those of a result with files, under its name
    outputs/               made for a task with output.files, for the files of its result
    candidate.SUFFIX       the candidate to check; only for a check. With files: candidate/…
    previous.SUFFIX        the rejected candidate; only if there is one. With files: previous/…

The paths that a program gets are relative to the folder, so that output that quotes them is the same in every attempt.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from signoff.manifest.manifest import Manifest
from signoff.manifest.media_types import suffix_of
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.assignment import Artifact, Assignment, Bytes, Feedback
from worker_svc.commands import launcher
from worker_svc.files.scratch import scratch
from worker_svc.uncut import to_its_end

log = structlog.get_logger(__name__)

INPUTS, TASK, CANDIDATE, PREVIOUS, OUTPUTS = "inputs", "task.json", "candidate", "previous", "outputs"
MAX_NAME_BYTES = 120  # of a file's name, before its number and suffix: file systems take 255


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderContents:
    """The files of a folder."""

    files: Mapping[str, Bytes]  #: by path
    inputs: tuple[tuple[Artifact, str], ...]  #: each with its path; with several files, that of their folder
    candidate: str  #: the candidate's path; empty when there is none
    stdin: str  #: the path of the standard input; empty: none
    copies: Mapping[str, Path] = field(default_factory=dict)  #: files that lie elsewhere on this disk, by path
    has_outputs: bool = False  #: the program writes its result into a folder

    def path_of(self, name: str) -> str | None:
        """Returns the path of an input, by the artifact's name or else by the id of the task that made it.

        Of an input of the plan with several files it is the path of their folder.
        """
        named = [path for artifact, path in self.inputs if artifact.name == name]
        if not named and any(folder_of(artifact) == name for artifact, _ in self.inputs):
            return f"{INPUTS}/{safe_name(name)}"
        made = [path for artifact, path in self.inputs if artifact.task_id == name]
        return next(iter([*named, *made]), None)


def layout_of(assignment: Assignment) -> FolderContents:
    """Lays an assignment out as files. The candidate becomes the standard input, or else the only input does."""
    names = file_names(assignment.inputs)
    placed = _Placed()
    inputs = tuple(
        (artifact, placed.put(artifact, f"{INPUTS}/{name}"))
        for artifact, name in zip(assignment.inputs, names, strict=True)
    )
    judged, feedback = assignment.candidate, assignment.feedback
    rejected = feedback.previous_candidate if feedback else None
    candidate = placed.put(judged, _name_of(judged, CANDIDATE)) if judged else ""
    previous = placed.put(rejected, _name_of(rejected, PREVIOUS)) if rejected else ""
    placed.files[TASK] = _as_json(_task_in_json(assignment, inputs, candidate, previous))
    read = judged or (assignment.inputs[0] if len(assignment.inputs) == 1 else None)
    return FolderContents(
        files=placed.files,
        inputs=inputs,
        candidate=candidate,
        stdin=placed.main_of[read.digest] if read else "",
        copies=placed.copies,
        has_outputs=bool(assignment.task.output.files) and judged is None,
    )


class _Placed:
    """The places of artifacts in a folder."""

    def __init__(self) -> None:
        self.files: dict[str, Bytes] = {}
        self.copies: dict[str, Path] = {}
        self.main_of: dict[str, str] = {}  # the path of the one file that stands for an artifact, by its digest

    def put(self, artifact: Artifact, path: str) -> str:
        """Places an artifact. Returns its path; of several files, that of their folder."""
        if artifact.manifest is None:
            self.files[path] = artifact.content
            self.main_of[artifact.digest] = path
            return path
        for file in artifact.manifest.files:
            self.copies[f"{path}/{file.path}"] = artifact.file(file.path)
        self.main_of[artifact.digest] = main = f"{path}/{artifact.manifest.main}"
        return main if len(artifact.manifest.files) == 1 else path


def _name_of(artifact: Artifact, stem: str) -> str:
    return stem + (suffix_of(artifact.media_type) if artifact.manifest is None else "")


@asynccontextmanager
async def attempt_folder(layout: FolderContents, base: Path | None) -> AsyncIterator[Path]:
    """Makes the folder under `base`, or in the folder of this process; removes it at the end of the block.

    Raises OSError when it cannot be made.
    """
    above = await asyncio.to_thread(lambda: scratch() if base is None else base.resolve())
    folder = above / f"signoff-{secrets.token_hex(8)}"
    try:
        await to_its_end(asyncio.to_thread(_write, folder, layout))
        yield folder
    finally:
        await to_its_end(asyncio.to_thread(_remove, folder))


def _write(folder: Path, layout: FolderContents) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    (folder / INPUTS).mkdir()
    for path, content in layout.files.items():
        if path.count("/") > 1:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    if layout.has_outputs:
        (folder / OUTPUTS).mkdir()
    made = set[Path]()
    for path, source in layout.copies.items():
        place = folder / path
        if place.parent not in made:
            place.parent.mkdir(parents=True, exist_ok=True)
            made.add(place.parent)
        shutil.copyfile(source, place, follow_symlinks=False)  # by the kernel, and never through memory


def _remove(folder: Path) -> None:
    """Removes the folder, and never fails: the command's result counts in any case."""
    try:
        launcher.remove(str(folder))
    except OSError as error:
        log.warning("folder_not_removed", folder=str(folder), problem=str(error))
    if folder.exists():
        log.warning("folder_left", folder=str(folder))


# ---------------------------------------------------------------- names


def file_names(artifacts: Iterable[Artifact]) -> tuple[str, ...]:
    """Returns a file name for each artifact: like its own, but safe, and unique even if case does not count."""
    taken: set[str] = set()
    return tuple(_untaken(artifact, taken) for artifact in artifacts)


def folder_of(artifact: Artifact) -> str:
    """Returns the name of the plan's input that a file among several belongs to; empty: it is no such file."""
    name, between, _ = artifact.name.partition("/")
    return name if between and not artifact.task_id else ""


def _untaken(artifact: Artifact, taken: set[str]) -> str:
    if folder_of(artifact):
        return _untaken_below(artifact.name, taken)
    suffix = suffix_of(artifact.media_type) if artifact.manifest is None else ""
    stem = safe_name(artifact.name or artifact.task_id).removesuffix(suffix) or INPUTS[:-1]
    name = next(name for name in _numbered(stem, suffix) if name.casefold() not in taken)
    taken.add(name.casefold())
    return name


def _untaken_below(path: str, taken: set[str]) -> str:
    """Returns a path for a file of an input with several files: its own, as far as all of its names are safe."""
    folder, *names = path.split("/")
    # guard: files of inputs stay in their folder -> own = path
    own = "/".join([safe_name(folder), *(name if _is_safe(name) else safe_name(name) or "file" for name in names)])
    stem, dot, suffix = own.rpartition(".") if "." in own.rpartition("/")[2][1:] else (own, "", "")
    free = next(name for name in _numbered(stem, dot + suffix) if name.casefold() not in taken)
    taken.add(free.casefold())
    return free


def _is_safe(name: str) -> bool:
    """Tells whether a file may have the name that it has elsewhere."""
    return name.isprintable() and not set(name) & set("/\\") and name.strip(".") != "" and len(name.encode()) <= 255


def _numbered(stem: str, suffix: str) -> Iterator[str]:
    yield stem + suffix
    number = 1
    while True:
        number += 1
        yield f"{stem}-{number}{suffix}"


def safe_name(name: str) -> str:
    """Replaces all but letters, digits, `.`, `-` and `_` by `_`. The name is no hidden file, no flag, not too long."""
    kept = "".join(character if character.isalnum() or character in ".-_" else "_" for character in name)
    return kept.lstrip(".-").encode()[:MAX_NAME_BYTES].decode(errors="ignore")


# ---------------------------------------------------------------- task.json


def _task_in_json(
    assignment: Assignment, inputs: Iterable[tuple[Artifact, str]], candidate: str, previous: str
) -> Mapping[str, Any]:
    task, judged, feedback = assignment.task, assignment.candidate, assignment.feedback
    return {
        "plan_id": assignment.plan_id,
        "idea": assignment.idea,
        "task_id": task.task_id,
        "attempt": assignment.attempt,
        "description": task.description,
        "input": {"description": task.input.description, "parameters": _parameters(task.input)},
        "inputs": [_file_in_json(artifact, path) for artifact, path in inputs],
        "omitted": [{"name": omitted.name, "reason": omitted.reason} for omitted in assignment.omitted],
        "output": {
            "description": task.output.description,
            "artifact": task.output.artifact,
            "format": task.output.format,
            **({"files": list(task.output.files)} if task.output.files else {}),
        },
        "candidate": _file_in_json(judged, candidate) if judged else None,
        "feedback": _feedback_in_json(feedback, previous) if feedback else None,
    }


def _parameters(given: plan_pb2.TaskInput) -> Any:
    return json.loads(given.parameters_json) if given.parameters_json else None


def _file_in_json(artifact: Artifact, path: str) -> Mapping[str, Any]:
    return {
        "name": artifact.name,
        "task_id": artifact.task_id,
        "path": path,
        "media_type": artifact.media_type,
        "digest": artifact.digest,
        "size_bytes": artifact.size,
        **(_files_in_json(artifact.manifest) if artifact.manifest is not None else {}),
    }


def _files_in_json(manifest: Manifest) -> Mapping[str, Any]:
    files = [{"path": file.path, "media_type": file.media_type, "size_bytes": file.size} for file in manifest.files]
    return {"main": manifest.main, "files": files}


def _feedback_in_json(feedback: Feedback, previous: str) -> Mapping[str, Any]:
    return {
        "summary": feedback.summary,
        "results": [
            {"criterion": result.criterion, "outcome": _OUTCOMES.get(result.outcome, ""), "reason": result.reason}
            for result in feedback.results
        ],
        "previous": _file_in_json(feedback.previous_candidate, previous) if feedback.previous_candidate else None,
        "earlier": list(feedback.earlier),
    }


_OUTCOMES: Mapping[execution_pb2.Outcome.ValueType, str] = {
    execution_pb2.OUTCOME_PASS: "pass",
    execution_pb2.OUTCOME_FAIL: "fail",
    execution_pb2.OUTCOME_ERROR: "error",
}


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode(errors="replace") + b"\n"
