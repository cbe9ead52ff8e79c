"""Checks of results of several files: how an executor brings them, and the manifest that names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import grpc

from signoff.conformance.check import Section
from signoff.conformance.checks.results import collected, require_whole
from signoff.conformance.contents.file_sets import PATTERNS, TEXTS, manifest_in, manifest_of_texts, require_same
from signoff.conformance.contents.uploads import Brought, Fault, StreamBreaks
from signoff.conformance.limits import MOST_FILES
from signoff.conformance.messages import EXECUTOR, cancel, digest_of
from signoff.conformance.outcome import CheckSkipped, NotMet
from signoff.conformance.stream import WorkerStream
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.errors import InvalidField, StaleLease
from signoff.manifest.manifest import FILES, Manifest
from signoff.plan.glossary import COMMAND, MODEL

LARGE = 5_000_000  # bytes of a file; no message has as many
REFUSALS = 2  # calls of UploadFiles that meet no runner
AFTER = 8  # beats, within which a worker that does not give up would have tried again
LEAST_PAUSE = 0.02  # of the longest pause, between them together: random ones may be short, but not all of them

made = Section("files")
SECTIONS = (made,)

_check = partial(made.check, role=EXECUTOR, feature=FILES)


class _Making:
    """Work of an executor that makes files, under one lease."""

    def __init__(self, worker: WorkerUnderTest, stream: WorkerStream) -> None:
        self.worker = worker
        self.stream = stream
        self.lease = worker.new_lease()
        self.brought: Brought = worker.runner.uploads.expect(self.lease)

    async def begin(self, files: Mapping[str, object] = TEXTS, patterns: Sequence[str] = PATTERNS) -> None:
        """Assigns the work. Raises CheckSkipped when a runner would give the worker none of the kind."""
        assign = self.worker.assign(self.lease, {"files": dict(files)})
        assign.assign.task.executor.name = _handler_of(self.stream)
        assign.assign.task.output.files.extend(patterns)
        await self.stream.say(assign)
        await self.stream.accepted(self.lease)

    async def candidate(self) -> tuple[Manifest, Any, bytes]:
        """Waits for the candidate. Returns its manifest, its message, and its bytes."""
        try:
            body, said = await collected(self.stream, self.lease)
        except NotMet:
            self.require_order()  # the cause, when there is one
            raise
        body = body or said.inline
        return manifest_in(said, body), said, body

    async def whole(self) -> Manifest:
        """Waits for the candidate, and returns its manifest. Raises NotMet unless all its files have come by then."""
        manifest, _, _ = await self.candidate()
        self.require_order()
        for entry in manifest.files:
            if entry.digest not in self.brought.kept:
                file = f"{entry.path!r} (SHA-256 {entry.digest})"
                raise NotMet(f"expected UploadFiles with {file} before the candidate, but it did not come")
        return manifest

    async def until_calls(self, count: int) -> None:
        """Waits for so many calls of UploadFiles in all. Raises NotMet when they do not come."""
        seconds = self.worker.timings.back
        if not await self.worker.runner.uploads.until(lambda: len(self.brought.calls) >= count, seconds):
            self.require_order()
            again = " again" if count > 1 else ""
            raise NotMet(f"expected UploadFiles{again} within {seconds:g} s, but the worker did not call it")

    def require_order(self) -> None:
        """Raises NotMet for calls under another lease, and for streams that break a rule."""
        if strays := self.worker.runner.uploads.strays:
            raise NotMet(f"expected files only under {self.lease}, but got {strays[0]}")
        if problems := [*self.brought.problems, *self.worker.runner.uploads.unreadable]:
            raise NotMet(f"expected streams of files that keep the rules, but one did not: {problems[0]}")


def _handler_of(stream: WorkerStream) -> str:
    """Returns a handler that may make files. Raises CheckSkipped when the worker offers none."""
    functions = [name for name in stream.hello.handlers if name not in (MODEL, COMMAND)]
    if not functions:
        raise CheckSkipped("not tried: its handlers name no function, and a model makes no files")
    return functions[0]


async def _making(worker: WorkerUnderTest) -> _Making:
    return _Making(worker, await worker.ready_stream())


# ---------------------------------------------------------------- the candidate


@_check("files.brought", "It brings the files under its lease before the candidate")
async def files_brought(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    await making.begin()
    await making.whole()


@_check("files.manifest", "The candidate is their manifest, in its one form")
async def files_manifest(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    await making.begin()
    manifest, said, body = await making.candidate()
    require_same(manifest, manifest_of_texts(TEXTS, PATTERNS))
    require_whole(said, body, len(body))


@_check("files.awaited", "The candidate waits for the answer that they are kept")
async def files_awaited(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    with worker.runner.uploads.unanswered():
        await making.begin()
        await making.until_calls(1)
        await making.stream.nothing_about(making.lease, worker.beats(3))
    await making.whole()


@_check("files.pieces", "A file that is larger than a message comes in pieces")
async def files_pieces(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    await making.begin({"large.txt": LARGE}, ["large.txt"])
    manifest = await making.whole()
    if manifest.size != LARGE:
        raise NotMet(f"expected a file of {LARGE:,} bytes, as the task wants, but the manifest says {manifest.size:,}")


@_check("files.missing", "It does not send what the runner has already")
async def files_missing(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    there = digest_of(TEXTS["report.md"].encode())
    making.brought.kept.add(there)
    await making.begin()
    await making.whole()
    _require_questions(making)
    if there in making.brought.sent:
        raise NotMet("expected no bytes of 'report.md', because the runner has them, but the worker sent them")


def _require_questions(making: _Making) -> None:
    if not making.brought.questions:
        raise CheckSkipped("it does not ask what is missing, and sends all: that is allowed, and costs time")


# ---------------------------------------------------------------- faults


@_check("files.away", "While the runner is away it pauses, and then brings them")
async def files_away(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    making.brought.away = 1
    away = Fault(error=StreamBreaks(grpc.StatusCode.UNAVAILABLE))
    making.brought.faults.extend([away] * REFUSALS)
    await making.begin()
    for count in range(1, REFUSALS + 2):
        await making.until_calls(count)
    await making.whole()
    calls = making.brought.calls
    least = LEAST_PAUSE * worker.timings.call_pause
    if calls[REFUSALS] - calls[0] < least:
        raise NotMet(f"expected pauses between {REFUSALS + 1} calls of UploadFiles, but they came within {least:g} s")


@_check("files.broken", "After a stream that broke it brings what is still missing")
async def files_broken(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    making.brought.faults.append(Fault(error=StreamBreaks(grpc.StatusCode.CANCELLED), after=1))
    await making.begin()
    await making.until_calls(2)
    await making.whole()
    _require_questions(making)
    if twice := [digest for digest in making.brought.kept if making.brought.sent.count(digest) > 1]:
        raise NotMet(f"expected only files that are missing, but the one with SHA-256 {twice[0]} was sent again")


@_check("files.stale", "Told that the lease has ended, it brings no more")
async def files_stale(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    making.brought.faults.append(Fault(error=StaleLease("the lease has ended")))
    await making.begin()
    await making.until_calls(1)
    await making.stream.nothing_about(making.lease, worker.beats(AFTER))
    if len(making.brought.calls) > 1:
        raise NotMet("expected no more files under a lease that has ended, but UploadFiles was called again")


@_check("files.cancelled", "Cancelled while files move, it drops the work and says nothing")
async def files_cancelled(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    with worker.runner.uploads.unanswered():
        await making.begin()
        await making.until_calls(1)
        await making.stream.say(cancel(making.lease))
        await making.stream.ask_for_pong()
    await making.stream.nothing_about(making.lease, worker.beats(4))


@_check("files.refused", "Files that the runner refuses are a failure that says why")
async def files_refused(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    refusal = InvalidField("size_bytes", "files that this runner can store", "others")
    making.brought.faults.append(Fault(error=refusal))
    await making.begin()
    await making.until_calls(1)
    failure = await making.stream.expect("failure", lease=making.lease)
    if "files that this runner can store" not in failure.message:
        raise NotMet(f"expected a failure with the runner's words, {str(refusal)!r}, but got {failure.message!r}")


@_check("files.limit", "More files than Welcome allows are a failure, and stay")
async def files_limit(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    await making.begin({f"{number}.txt": str(number) for number in range(MOST_FILES + 1)}, ["*.txt"])
    await making.stream.expect("failure", lease=making.lease)
    if making.brought.calls:
        raise NotMet(f"expected no file of more than {MOST_FILES}, but UploadFiles was called")


@_check("files.unmatched", "A pattern that no file matches is a failure")
async def files_unmatched(worker: WorkerUnderTest) -> None:
    making = await _making(worker)
    await making.begin(TEXTS, [*PATTERNS, "charts/*.png"])
    await making.stream.expect("failure", lease=making.lease)
