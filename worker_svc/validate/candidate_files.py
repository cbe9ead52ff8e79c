"""A candidate of several files, as checks see it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from signoff.manifest.manifest import FileEntry, Manifest, is_manifest, manifest_from_json
from signoff.manifest.media_types import is_text_type
from signoff.manifest.patterns import is_pattern, matches
from signoff.v1 import plan_pb2
from worker_svc.assignment import Artifact
from worker_svc.validate.checking.looked_at import LookedAt, named
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed

_MOST_NAMED = 10  # files in a reason


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateFiles:
    """The files of a candidate, which lie in a folder by their paths."""

    manifest: Manifest
    folder: Path
    body: bytes  #: the manifest as JSON

    def looked_at(self, check: plan_pb2.Check) -> list[LookedAt]:
        """Returns the files that a check is about. Raises CheckFailed when it names none that is there.

        A check that was made from a criterion is about the main file, if that is a text; what must not be there must
        be in none of the texts.
        """
        if check.criterion:
            return [self.file(entry) for entry in self._of_criterion(check)]
        if not check.file:
            return [self.file(self.manifest.main_file)]
        found = self._matched(check.file)
        # guard: a file that is checked is there -> if False:
        if not found:
            raise CheckFailed(f"no file is {named(check.file)}; {self.in_words()}")
        return [self.file(entry) for entry in found]

    def _matched(self, pattern: str) -> Sequence[FileEntry]:
        if not is_pattern(pattern):
            return [self.manifest.by_path[pattern]] if pattern in self.manifest.by_path else []
        return [entry for entry in self.manifest.files if matches(entry.path, pattern)]

    def _of_criterion(self, check: plan_pb2.Check) -> Iterable[FileEntry]:
        main = self.manifest.main_file
        if not is_text_type(main.media_type):
            raise CheckBroken(f"cannot tell: the main file, {named(main.path)}, is no text")
        # guard: what must not be there is in no text -> if False:
        if check.contains.HasField("max_occurrences"):
            return [entry for entry in self.manifest.files if is_text_type(entry.media_type)]
        return [main]

    def file(self, entry: FileEntry) -> LookedAt:
        """Returns one of the files."""
        return LookedAt(
            path=entry.path, media_type=entry.media_type, size=entry.size, place=self.folder.joinpath(entry.path)
        )

    def texts(self) -> list[LookedAt]:
        """Returns the files that are texts, by their media types."""
        return [self.file(entry) for entry in self.manifest.files if is_text_type(entry.media_type)]

    def has(self, pattern: str) -> bool:
        """Tells whether a path or pattern matches a file."""
        return bool(self._matched(pattern))

    def in_words(self) -> str:
        """Says which files there are, for a reason."""
        shown = [named(entry.path) for entry in self.manifest.files[:_MOST_NAMED]]
        more = len(self.manifest.files) - len(shown)
        return f"the files are {', '.join(shown)}{f' and {more:,} more' if more else ''}"


def files_of(candidate: Artifact) -> CandidateFiles | None:
    """Returns the files of a candidate; None: it is one content. Raises ValueError for a manifest without its files."""
    if candidate.manifest is None or candidate.folder is None:
        # guard: a manifest is not judged as a text -> if False:
        if is_manifest(candidate.media_type):
            raise ValueError("expected the files of the candidate on the disk, but got its manifest alone")
        return None
    return CandidateFiles(manifest=candidate.manifest, folder=candidate.folder, body=candidate.whole())


def files_from_bytes(body: bytes) -> CandidateFiles:
    """Does the opposite of `files_to_bytes`."""
    folder, _, manifest = body.partition(b"\0")
    return CandidateFiles(manifest=manifest_from_json(manifest), folder=Path(os.fsdecode(folder)), body=manifest)


def files_to_bytes(files: CandidateFiles) -> tuple[bytes, bytes, bytes]:
    """Returns the folder and the manifest for a child process, which reads the files itself."""
    return os.fsencode(files.folder), b"\0", files.body
