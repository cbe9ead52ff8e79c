"""Workers with one fault each, in how they make, bring and read files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from signoff.conformance.contents.file_sets import READ
from signoff.conformance.messages import digest_of
from signoff.errors import ArtifactNotFound, InvalidField, SignoffError, StaleLease, Unavailable
from signoff.manifest.manifest import (
    MANIFEST_TYPE,
    Manifest,
    is_manifest,
    manifest_from_json,
    manifest_of,
    manifest_to_json,
)
from tests.support.conformance.between import Fetched, KitCalls, Missing, Question, Upload, Uploaded, Wanted
from tests.support.conformance.in_process import QUICK, Fault, RunnerMessage, WorkerMessage

RANGE = 100_000  # bytes

# ---------------------------------------------------------------- announcing


class AnnouncesNothing(Fault):
    """Speaks no optional part of the protocol. This is no fault."""

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("hello"):
            del message.hello.features[:]
        return [message]


class OffersModelsAlone(Fault):
    """Names no function. This is no fault."""

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("hello"):
            del message.hello.handlers[:]
        return [message]


class NeverAsks(Fault):
    """Sends all files in one stream, and asks the kit nothing. This is no fault."""

    def __init__(self) -> None:
        self._is_sent = False

    async def missing(self, request: Question, kit: KitCalls) -> Missing:
        was_sent, self._is_sent = self._is_sent, False
        return Missing() if was_sent else Missing(digests=request.digests)

    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        answer = await kit.upload(messages)
        self._is_sent = True
        return answer


class FetchesRangesOfOneFileAfterTheOther(Fault):
    """Asks for files by their paths. This is no fault."""

    async def fetch(self, request: Wanted, kit: KitCalls) -> list[Fetched]:
        if not request.all_files:
            return await kit.fetch(request)
        answers = list[Fetched]()
        for path in sorted(READ):
            for offset in range(0, len(READ[path]), RANGE):
                part = Wanted(path=path, offset=offset, length=RANGE)
                part.MergeFrom(request)
                part.all_files = False
                info, file, *chunks = await kit.fetch(part)
                answers += chunks if offset else [info, file, *chunks]
        return answers


# ---------------------------------------------------------------- manifests


class _Manifests(Fault):
    """Sends another manifest than the one of the files."""

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        said = message.candidate
        if message.HasField("candidate") and is_manifest(said.media_type):
            said.inline = self.body(manifest_from_json(said.inline))
            said.size_bytes, said.digest = len(said.inline), digest_of(said.inline)
        return [message]

    def body(self, manifest: Manifest) -> bytes:
        raise NotImplementedError


class PrintsPrettyManifests(_Manifests):
    def body(self, manifest: Manifest) -> bytes:
        return json.dumps(json.loads(manifest_to_json(manifest)), indent=2).encode()


class SortsByUnitsOfUtf16(_Manifests):
    def body(self, manifest: Manifest) -> bytes:
        files = sorted(manifest.files, key=lambda file: file.path.encode("utf-16-be"))
        return manifest_to_json(replace(manifest, files=tuple(files)))


class CallsEverythingPlainText(_Manifests):
    def body(self, manifest: Manifest) -> bytes:
        files = [replace(file, media_type="text/plain") for file in manifest.files]
        return manifest_to_json(manifest_of(files, manifest.main))


class TakesAnotherMainFile(_Manifests):
    def body(self, manifest: Manifest) -> bytes:
        return manifest_to_json(manifest_of(manifest.files, manifest.files[-1].path))


class LeavesAFileOut(_Manifests):
    def body(self, manifest: Manifest) -> bytes:
        others = [file for file in manifest.files if file.path == manifest.main or file is not manifest.files[-1]]
        return manifest_to_json(manifest_of(others, manifest.main))


class SaysItIsJson(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("candidate") and is_manifest(message.candidate.media_type):
            message.candidate.media_type = "application/json"
        return [message]


# ---------------------------------------------------------------- patterns and limits


class _Patterns(Fault):
    """Takes the task to have other patterns."""

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if patterns := message.assign.task.output.files:
            others = self.others(list(patterns))
            del patterns[:]
            patterns.extend(others)
        return [message]

    def others(self, patterns: Sequence[str]) -> Sequence[str]:
        raise NotImplementedError


class TakesAllFiles(_Patterns):
    def others(self, patterns: Sequence[str]) -> Sequence[str]:
        return [*patterns, "*.log"] if "report.md" in patterns else patterns


class DropsPatternsWithoutFiles(_Patterns):
    def others(self, patterns: Sequence[str]) -> Sequence[str]:
        return [pattern for pattern in patterns if not pattern.startswith("charts/")]


class IgnoresTheMostFiles(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("welcome"):
            message.welcome.max_files = 0
        return [message]


# ---------------------------------------------------------------- uploads


class BringsNothing(Fault):
    async def missing(self, request: Question, kit: KitCalls) -> Missing:
        return Missing()


class BringsThemUnderAnotherLease(Fault):
    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        messages[0].lease_id = "another"
        return await kit.upload(messages)


class AsksWithoutALease(Fault):
    async def missing(self, request: Question, kit: KitCalls) -> Missing:
        return await kit.missing(Question(digests=request.digests))


class WaitsForNoAnswer(Fault):
    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        kit.upload_unheard(messages)
        return Uploaded()


class SendsFilesInOneMessage(Fault):
    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        whole = list[Upload]()
        for message in messages:
            if message.digest:
                whole.append(message)
            else:
                whole[-1].chunk += message.chunk
        return await kit.upload(whole)


class SaysAWrongSize(Fault):
    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        messages[0].size_bytes += 1
        return await kit.upload(messages)


class SendsAllOfThem(Fault):
    """Asks what is missing, and sends all of it when anything is."""

    async def missing(self, request: Question, kit: KitCalls) -> Missing:
        missing = await kit.missing(request)
        return Missing(digests=request.digests) if missing.digests else missing


class GivesUpOnARunnerThatIsAway(Fault):
    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        try:
            return await kit.upload(messages)
        except Unavailable as away:
            raise InvalidField("runner", "an answer", str(away)) from None


class TakesABrokenStreamForAnAnswer(Fault):
    def __init__(self) -> None:
        self._is_done = False

    async def missing(self, request: Question, kit: KitCalls) -> Missing:
        if self._is_done:
            self._is_done = False
            return Missing()
        return await kit.missing(request)

    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        try:
            return await kit.upload(messages)
        except SignoffError:
            self._is_done = True
            return Uploaded()


class NeverPauses(Fault):
    kit_timings = replace(QUICK, call_pause=25.0)  #: calls without a pause take less than a fiftieth, on any machine

    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        while True:
            try:
                return await kit.upload(messages)
            except Unavailable:
                continue


class TakesAnEndedLeaseForAFault(Fault):
    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        try:
            return await kit.upload(messages)
        except StaleLease as ended:
            raise Unavailable(str(ended)) from None

    async def fetch(self, request: Wanted, kit: KitCalls) -> list[Fetched]:
        try:
            return await kit.fetch(request)
        except StaleLease as ended:
            raise ArtifactNotFound(str(ended)) from None


class KeepsTheReasonToItself(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if "took no files" in message.failure.message:
            message.failure.message = "that did not work"
        return [message]


# ---------------------------------------------------------------- reading


class ReadsManifestsAlone(Fault):
    """Takes a manifest for the content itself."""

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("assign"):
            for given in _given(message.assign):
                given.media_type = given.media_type.replace(MANIFEST_TYPE, "text/plain")
        return [message]


class FetchesFilesUnderNoLease(Fault):
    async def fetch(self, request: Wanted, kit: KitCalls) -> list[Fetched]:
        request.lease_id = "" if request.all_files else request.lease_id
        return await kit.fetch(request)


def _given(assign: Any) -> Iterable[Any]:
    return [*assign.inputs, assign.candidate] if assign.HasField("candidate") else assign.inputs
