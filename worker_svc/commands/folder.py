"""The folder of an attempt, in which a program starts.

    task.json              the task, the list of its inputs, and why the previous attempt did not count
    inputs/NAME.SUFFIX     one file for each input
    inputs/NAME/…          the files of an input of the plan that has several, by their paths
    candidate.SUFFIX       the candidate to check; only for a check
    previous.SUFFIX        the rejected candidate; only if there is one

The paths that a program gets are relative to the folder, so that output that quotes them is the same in every attempt.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from signoff.plan.inputs import SUFFIXES
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.assignment import Artifact, Assignment, Bytes, Feedback
from worker_svc.commands import launcher
from worker_svc.commands.uncut import to_its_end

log = structlog.get_logger(__name__)

INPUTS, TASK, CANDIDATE, PREVIOUS = "inputs", "task.json", "candidate", "previous"
MAX_NAME_BYTES = 120  # of a file's name, before its number and suffix: file systems take 255


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderContents:
    """The files of a folder."""

    files: Mapping[str, Bytes]  #: by path
    inputs: tuple[tuple[Artifact, str], ...]  #: each with its path
    candidate: str  #: the candidate's path; empty when there is none
    stdin: str  #: the path of the standard input; empty: none

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
    inputs = tuple((artifact, f"{INPUTS}/{name}") for artifact, name in zip(assignment.inputs, names, strict=True))
    files = {path: artifact.content for artifact, path in inputs}
    judged, feedback = assignment.candidate, assignment.feedback
    candidate = f"{CANDIDATE}{suffix_of(judged.media_type)}" if judged else ""
    if judged:
        files[candidate] = judged.content
    rejected = feedback.previous_candidate if feedback else None
    previous = f"{PREVIOUS}{suffix_of(rejected.media_type)}" if rejected else ""
    if rejected:
        files[previous] = rejected.content
    files[TASK] = _as_json(_task_in_json(assignment, inputs, candidate, previous))
    only = inputs[0][1] if len(inputs) == 1 else ""
    return FolderContents(files=files, inputs=inputs, candidate=candidate, stdin=candidate or only)


@asynccontextmanager
async def attempt_folder(layout: FolderContents, base: Path | None) -> AsyncIterator[Path]:
    """Makes the folder under `base`, or among the system's temporary files; removes it at the end of the block.

    Raises OSError when it cannot be made.
    """
    folder = (base or Path(tempfile.gettempdir())).resolve() / f"signoff-{secrets.token_hex(8)}"
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
    suffix = suffix_of(artifact.media_type)
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


def suffix_of(media_type: str) -> str:
    """Returns the suffix of files of this type."""
    plain = media_type.partition(";")[0].strip().lower()
    if plain.endswith("+json"):
        return ".json"
    return SUFFIXES.get(plain, ".txt" if plain.startswith("text/") else ".bin")


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
        "size_bytes": len(artifact.content),
    }


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
