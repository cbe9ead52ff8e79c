"""The folder of an export: what earlier exports wrote there, what may be written over, and what is no result any more.

index.json says what a whole export has written. While one is under way, a hidden log names each file before it is
written, so that after an interruption the next export knows its own files again. A file counts as written by an export
when its bytes are those that the index or the log names: one that a person has changed does not.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from signoff.cli.remote.export.results import Result
from signoff.display.result_names import INDEX
from signoff.display.wire_names import state_name
from signoff.errors import ConfigurationError
from signoff.files.trees import InsideTrees
from signoff.files.writing import NotAFile, PartFile, is_part_of
from signoff.manifest.manifest import is_digest, shown
from signoff.plan.inputs import problem_of_kept_path
from signoff.v1 import execution_pb2 as pb

LOG = ".signoff-export.jsonl"
FORM = 1  # of the index
MOST_INDEX_BYTES = 1024**3
MOST_NAMED = 10  # files in a message


class ExportFolder:
    """The folder that an export writes into; never outside of it, and through no link."""

    def __init__(self, folder: Path, execution: pb.Execution) -> None:
        self._folder, self._execution = folder, execution
        self._inside = InsideTrees(folder)
        self._known = dict[str, set[str]]()  # by path, the digests that exports have written there
        self._results = list[dict[str, Any]]()  # of the earlier index
        self._begun = list[str]()  # paths of the log: an export that was interrupted may have left parts there
        self._there = dict[str, str]()  # digests of files that are there, by path; empty: none is

    def __enter__(self) -> Self:
        self._inside.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._inside.__exit__(kind, error, where)

    # ------------------------------------------------------------ before

    def look(self, *, force: bool) -> None:
        """Reads what earlier exports have written. Raises ConfigurationError for an index of something else."""
        for path, digest in self._logged():
            self._known.setdefault(path, set()).add(digest)
            self._begun.append(path)
        body = self._inside.read(INDEX, at_most=MOST_INDEX_BYTES)
        if body is None:
            return
        index = _index_in(body)
        plan_id = index.get("plan_id") if index is not None else None
        # guard: another export stays -> if False:
        if plan_id != self._execution.plan_id and not force:
            what = f"an export of {shown(str(plan_id))}" if index is not None else f"another {INDEX}"
            raise ConfigurationError(
                f"expected an empty folder, or an export of {self._execution.plan_id}, but {self._folder} has {what}: "
                "name another folder, or write over it with --force"
            )
        for result in (index or {}).get("results", ()):
            self._results.append(result)
            for path, digest in _paths_in(result):
                self._known.setdefault(path, set()).add(digest)

    def _logged(self) -> Iterator[tuple[str, str]]:
        for line in (self._inside.read(LOG, at_most=MOST_INDEX_BYTES) or b"").splitlines():
            record = _json(line)  # the last line may be cut off
            if isinstance(record, dict):
                yield from _checked([(record.get("path"), record.get("digest"))])

    def check(self, results: Sequence[Result], *, force: bool) -> None:
        """Raises ConfigurationError when a file would be written over that no export has written."""
        taken = list[str]()
        for result in results:
            for path, digest in result.paths():
                self._there[path] = there = self._inside.digest(*path.split("/"))
                if there not in ("", digest) and there not in self._known.get(path, ()):
                    taken.append(path)
        # guard: files of others stay -> if False:
        if taken and not force:
            named = ", ".join(shown(path) for path in taken[:MOST_NAMED])
            more = f" and {len(taken) - MOST_NAMED:,} more" if len(taken) > MOST_NAMED else ""
            raise ConfigurationError(
                f"expected places that are free or were written by an export, but {self._folder} has other files at "
                f"{named}{more}: name another folder, or write over them with --force"
            )

    # ------------------------------------------------------------ writing

    def remove_stale(self, results: Sequence[Result], tasks: Collection[str] | None) -> None:
        """Removes the files of earlier exports that belong to no result now, unless a person has changed them.

        `tasks`: those that are exported; those of others stay. None: all.
        """
        wanted = {path for result in results for path, _ in result.paths()}
        kept = [result for result in self._results if tasks is not None and result.get("task_id") not in tasks]
        wanted |= {path for result in kept for path, _ in _paths_in(result)}
        self._results = kept
        for path in self._begun:
            self._remove_parts(path)
        for path, digests in self._known.items():
            if path not in wanted:
                with contextlib.suppress(NotAFile):  # a person has put something else there, and it stays
                    self._remove_own(path.split("/"), digests)

    def _remove_own(self, names: Sequence[str], digests: Collection[str]) -> None:
        if self._inside.digest(*names) in digests:
            self._inside.remove(*names)
            for end in range(len(names) - 1, 0, -1):
                self._inside.remove_if_empty(*names[:end])

    def _remove_parts(self, path: str) -> None:
        *folder, name = path.split("/")
        for other in self._inside.names_in(*folder):
            if is_part_of(other, name):
                self._inside.remove(*folder, other)

    def begin(self, result: Result) -> frozenset[str]:
        """Returns the paths of a result that are to be written, and notes in the log that they will be."""
        wanted = {path: digest for path, digest in result.paths() if self._there.get(path) != digest}
        lines = (json.dumps({"path": path, "digest": digest}) + "\n" for path, digest in wanted.items())
        if wanted:
            self._inside.append(LOG, body="".join(lines).encode())
        return frozenset(wanted)

    def writing(self, path: str) -> AbstractContextManager[PartFile]:
        """Gives a new file, which takes its place at the end of the block."""
        return self._inside.writing(*path.split("/"))

    def finish(self, results: Sequence[Result], tasks: int) -> None:
        """Writes the index; the log is not needed any more. `tasks`: all that the execution has."""
        execution = self._execution
        own = [{**result.record(), "execution_id": execution.execution_id} for result in results]
        index = {
            "signoff_export": FORM,
            "plan_id": execution.plan_id,
            "execution_id": execution.execution_id,
            "idea": execution.idea,
            "state": state_name(execution.state),
            "is_whole": len(own) + len(self._results) == tasks,
            "results": [*own, *self._results],
        }
        self._inside.write(INDEX, body=json.dumps(index, ensure_ascii=False, indent=1).encode(errors="replace"))
        self._inside.remove(LOG)


# ---------------------------------------------------------------- the index


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _index_in(body: bytes) -> dict[str, Any] | None:
    """Returns the index of an export; None for any other file."""
    index = _json(body)
    if not isinstance(index, dict) or "signoff_export" not in index or not isinstance(index.get("results"), list):
        return None
    return index if all(isinstance(result, dict) for result in index["results"]) else None


def _paths_in(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields the paths and digests of the files of a result in an index; not those that make no sense."""
    files = result.get("files")
    if not isinstance(files, list):
        yield from _checked([(result.get("path"), result.get("digest"))])
        return
    told = [(file.get("path"), file.get("digest")) for file in files if isinstance(file, dict)]
    yield from _checked((f"{result.get('path')}/{path}", digest) for path, digest in told)


def _checked(told: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    for path, digest in told:
        if isinstance(path, str) and isinstance(digest, str) and is_digest(digest) and not problem_of_kept_path(path):
            yield path, digest
