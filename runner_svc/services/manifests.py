"""Manifests of candidates: read and held against what their worker has brought, and single files found in them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace

from runner_svc.contents import Contents
from runner_svc.core.model import signals
from runner_svc.core.model.values import Content, FailureKind, FilesSummary
from signoff.errors import ArtifactNotFound, Bug
from signoff.manifest.manifest import (
    BadManifest,
    FileEntry,
    Manifest,
    check_lengths,
    is_manifest,
    manifest_from_json,
    shown,
)

MOST_KEPT = 64  # manifests that are kept in memory, with all their files
MOST_KEPT_FILES = 100_000  # of them together, in about 50 MB
READ_AT_ONCE = 4  # manifests: one has up to 8 MiB, and as many clients as like may ask for the same one
NAMED = 3  # files that a failure names


async def with_files(contents: Contents, made: signals.CandidateMade, body: bytes) -> signals.Signal:
    """Returns the signal of a candidate that is a manifest, or of a failure when its files are not all there.

    Any other candidate is returned as it is.
    """
    if not is_manifest(made.content.media_type):
        return made
    try:
        manifest = await asyncio.to_thread(_new_manifest, body)
    except BadManifest as wrong:
        return _failed(made, FailureKind.PERMANENT, f"the manifest of the candidate's files is wrong: {wrong}")
    digests = list(dict.fromkeys(file.digest for file in manifest.files))
    there = await contents.sizes(digests, made.lease)
    # guard: files come before the candidate that names them -> missing = []
    missing = [file for file in manifest.files if file.digest not in there]
    if missing:
        rest = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        names = ", ".join(shown(file.path) for file in missing[:NAMED])
        problem = f"expected the files of a candidate to come before it, but {names}{rest} did not"
        return _failed(made, FailureKind.TRANSIENT, problem)
    for file in manifest.files:
        # guard: a manifest tells the sizes of its files -> if False:
        if there[file.digest] != file.size:
            problem = f"expected {shown(file.path)} to have {file.size:,} bytes, as its manifest says"
            return _failed(made, FailureKind.PERMANENT, f"{problem}, but what came has {there[file.digest]:,}")
    summary = FilesSummary(count=len(manifest.files), size=manifest.size)
    brought = (*made.brought, *digests)
    return replace(made, content=replace(made.content, files=summary), brought=brought)


def _new_manifest(body: bytes) -> Manifest:
    manifest = manifest_from_json(body)
    check_lengths(manifest)
    return manifest


def _failed(made: signals.CandidateMade, kind: FailureKind, problem: str) -> signals.WorkFailed:
    return signals.WorkFailed(at=made.at, session=made.session, lease=made.lease, kind=kind, message=problem)


class Manifests:
    """The manifests of stored contents; those that were asked for last stay in memory."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._kept: OrderedDict[str, Manifest] = OrderedDict()
        self._files = 0
        self._reading = asyncio.Semaphore(READ_AT_ONCE)

    async def of(self, content: Content) -> Manifest | None:
        """Returns the manifest that a content is; None: it is none. Raises StorageFailed."""
        if not is_manifest(content.media_type):
            return None
        if (known := self._known(content)) is not None:
            return known
        # guard: manifests are read a few at a time -> if True:
        async with self._reading:
            return self._known(content) or await self._read(content)

    def _known(self, content: Content) -> Manifest | None:
        if (kept := self._kept.get(content.digest)) is not None:
            self._kept.move_to_end(content.digest)
        return kept

    async def _read(self, content: Content) -> Manifest:
        body = await self._contents.get(content.digest)
        try:
            manifest = await asyncio.to_thread(manifest_from_json, body)
        except BadManifest as problem:
            raise Bug from problem  # it was read when it came
        self._keep(content.digest, manifest)
        return manifest

    def _keep(self, digest: str, manifest: Manifest) -> None:
        if digest not in self._kept:
            self._kept[digest] = manifest
            self._files += len(manifest.files)
        while len(self._kept) > MOST_KEPT or (self._files > MOST_KEPT_FILES and len(self._kept) > 1):
            _, dropped = self._kept.popitem(last=False)
            self._files -= len(dropped.files)

    async def file(self, content: Content, path: str, of: str) -> FileEntry:
        """Returns a file of a content. `of`: the task that has made it, in words. Raises ArtifactNotFound."""
        manifest = await self.of(content)
        if manifest is None:
            raise ArtifactNotFound(f"expected {of} to have files, but its result is one content: {content.media_type}")
        if path not in manifest.by_path:
            raise ArtifactNotFound(f"expected a file of {of}, but it has none at {shown(path)}")
        return manifest.by_path[path]
