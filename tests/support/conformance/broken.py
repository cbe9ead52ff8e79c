"""The faults of a worker, and the checks that find each: the named ones, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import grpc

from signoff.conformance.messages import EXECUTOR, VALIDATOR, Role
from tests.support.conformance import faults_of_files as files
from tests.support.conformance import faults_of_streams as streams
from tests.support.conformance import faults_of_work as work
from tests.support.conformance.in_process import Fault, RunnerMessage, WorkerMessage, kind_of


@dataclass(frozen=True, slots=True)
class Broken:
    """A fault, and the checks that find it."""

    fault: type[Fault]
    found_by: Sequence[str]
    role: Role = EXECUTOR
    besides: Sequence[str] = ()  #: checks that find it when others have left work with it, which it keeps


class Deaf(Fault):
    """Does not hear messages of some kinds."""

    to: Sequence[str] = ()

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        return [] if kind_of(message) in self.to else [message]


class Mute(Fault):
    """Does not say messages of some kinds."""

    about: Sequence[str] = ()

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        return [] if kind_of(message) in self.about else [message]


def deaf(*kinds: str) -> type[Fault]:
    return type(f"DeafTo{'And'.join(kinds)}", (Deaf,), {"to": kinds})


def mute(*kinds: str) -> type[Fault]:
    return type(f"MuteAbout{'And'.join(kinds)}", (Mute,), {"about": kinds})


#: All checks in which the files come in the end, and those of them that compare several.
BROUGHT = (
    *("files.brought", "files.manifest", "files.awaited", "files.pieces"),
    *("files.missing", "files.away", "files.broken"),
)
MANY_BROUGHT = tuple(check for check in BROUGHT if check != "files.pieces")
#: Checks in which UploadFiles must be called.
CALLED = (*(check for check in BROUGHT if check != "files.manifest"), "files.stale", "files.cancelled", "files.refused")

BROKEN = (
    Broken(work.TooManyLabels, ["hello.form"]),
    Broken(work.TalksBeforeWelcome, ["hello.waits"]),
    Broken(work.AnotherNameEachTime, ["hello.name"]),
    Broken(work.MoreCreditThanSlots, ["credit.granted"]),
    Broken(work.OneThingAtATime, ["credit.kept"]),
    Broken(work.AcceptsWithTheResult, ["assign.accepted", "inputs.stale"]),
    Broken(work.WorksTwice, ["assign.repeated"]),
    Broken(work.FailsOnFeedback, ["assign.feedback"]),
    Broken(mute("pong"), ["ping.answered", "ping.busy"]),
    Broken(work.RoundsNonces, ["ping.answered"]),
    Broken(work.WorksOnTheLoop, ["ping.busy"]),
    Broken(work.ThinksForNobody, ["progress.thinking"]),
    Broken(work.SendsPromptsUnasked, ["progress.prompts"]),
    Broken(work.SendsHalfAPrompt, ["progress.prompts"]),
    Broken(work.ShiftsPrompts, ["progress.prompts"]),
    Broken(work.WrongDigest, ["candidate.inline", "candidate.chunks", "result.chunks", "files.manifest"]),
    Broken(work.AnotherMaker, ["candidate.maker"]),
    Broken(work.ContentAfterChunks, ["candidate.chunks"]),
    Broken(work.SendsWhatIsTooLarge, ["candidate.too_large"]),
    Broken(work.KnowsOneKindOfFailure, ["failure.kind"]),
    Broken(work.ForgetsRetryAfter, ["failure.retry_after"]),
    Broken(deaf("keep"), ["result.repeated", "result.chunks", "stream.kept"]),
    Broken(deaf("ack"), ["result.once"]),
    Broken(work.TakesAckForKeep, ["result.once", "result.committed"]),
    Broken(work.SaysResultsTwice, ["assign.repeated", "result.once", "stream.kept"]),
    Broken(work.PassesWithAFailedResult, ["verdict.pass"], VALIDATOR),
    Broken(work.PassesWithoutResults, ["verdict.pass"], VALIDATOR),
    Broken(work.FailsWithoutFeedback, ["verdict.fail"], VALIDATOR),
    Broken(work.BrokenJudgeFailsTheWork, ["verdict.error", "inputs.digest", "files.digest"], VALIDATOR),
    Broken(work.SkipsChecks, ["verdict.check", "verdict.pass", "verdict.unknown_check"], VALIDATOR),
    Broken(work.SkipsUnknownChecks, ["verdict.unknown_check"], VALIDATOR),
    Broken(streams.AsksForAnotherExecution, ["inputs.fetched", "files.fetched"]),
    Broken(work.MakesAnythingOfWrongBytes, ["inputs.digest", "files.digest"]),
    Broken(files.PrintsPrettyManifests, BROUGHT),
    Broken(files.SortsByUnitsOfUtf16, MANY_BROUGHT),
    Broken(files.SaysItIsJson, BROUGHT),
    Broken(files.CallsEverythingPlainText, ["files.manifest"]),
    Broken(files.TakesAnotherMainFile, ["files.manifest"]),
    Broken(files.LeavesAFileOut, ["files.manifest"]),
    Broken(files.TakesAllFiles, ["files.manifest"]),
    Broken(files.DropsPatternsWithoutFiles, ["files.unmatched"]),
    Broken(files.IgnoresTheMostFiles, ["files.limit"]),
    Broken(files.BringsNothing, CALLED),
    Broken(files.BringsThemUnderAnotherLease, [*CALLED, "files.manifest"]),
    Broken(files.AsksWithoutALease, BROUGHT),
    Broken(
        files.WaitsForNoAnswer,
        ["files.awaited", "files.stale", "files.refused"],
        besides=["files.away", "files.broken"],  # as it happens: it may ask what is missing before all has come
    ),
    Broken(files.SendsFilesInOneMessage, ["files.pieces"]),
    Broken(files.SaysAWrongSize, BROUGHT),
    Broken(files.SendsAllOfThem, ["files.missing", "files.broken"]),
    Broken(files.GivesUpOnARunnerThatIsAway, ["files.away", "files.broken"]),
    Broken(files.TakesABrokenStreamForAnAnswer, ["files.away", "files.broken", "files.stale", "files.refused"]),
    Broken(files.NeverPauses, ["files.away", "files.broken"]),
    Broken(files.TakesAnEndedLeaseForAFault, ["inputs.stale", "files.stale", "files.ended"]),
    Broken(files.KeepsTheReasonToItself, ["files.refused"]),
    Broken(files.ReadsManifestsAlone, ["files.fetched", "files.digest", "files.ended"]),
    Broken(files.ReadsManifestsAlone, ["files.fetched", "files.digest", "files.ended"], VALIDATOR),
    Broken(files.FetchesFilesUnderNoLease, ["files.fetched"]),
    Broken(files.FetchesFilesUnderNoLease, ["files.fetched"], VALIDATOR),
    Broken(deaf("cancel"), ["cancel.drops", "frames.order", "files.cancelled"], besides=["lease.room"]),
    Broken(deaf("superseded"), ["superseded.drops", "superseded.forgets"]),
    Broken(streams.RepeatsWhatCameTooLate, ["superseded.forgets"]),
    Broken(streams.KeepsWhatItShouldStop, ["stop.drops"]),
    Broken(streams.BreaksOnAStrangeLease, ["lease.unknown"]),
    Broken(
        streams.ForgetsItsLeases,
        [
            *("result.repeated", "result.chunks", "stop.drops", "rotate.moves", "rotate.overlaps"),
            *("stream.ended", "stream.cancelled", "stream.unavailable", "stream.internal"),
            *("stream.silent", "stream.patient", "stream.kept"),
        ],
    ),
    Broken(streams.gives_up_on(grpc.StatusCode.CANCELLED), ["stream.cancelled"]),
    Broken(streams.gives_up_on(grpc.StatusCode.INTERNAL), ["stream.internal"]),
    Broken(
        streams.gives_up_on(grpc.StatusCode.UNAVAILABLE),
        [
            *("result.repeated", "result.chunks", "result.committed", "stop.drops"),
            *("stream.unavailable", "stream.kept", "backoff.grows"),
        ],
    ),
    Broken(streams.TrustsTheTransport, ["stream.silent"]),
    Broken(streams.ExpectsPingsAsWelcomeSaid, ["stream.patient"]),
    Broken(streams.NeverExpectsPingsSooner, ["stream.patient"]),
    Broken(streams.PausesExactly, ["backoff.jitter"]),
    Broken(streams.PausesNoLonger, ["backoff.grows"]),
    Broken(deaf("drain"), ["drain.stops"]),
    Broken(deaf("rotate"), ["rotate.moves", "rotate.overlaps"]),
    Broken(streams.ContinuesNoSession, ["rotate.overlaps"]),
    Broken(streams.HearsTheLastFirst, ["frames.order", "ping.answered"]),
    Broken(streams.BreaksOnNewMessages, ["frames.unknown"]),
    Broken(streams.SendsLargeFrames, ["frames.limit"]),
    Broken(streams.SendsLargeFrames, ["frames.limit"], VALIDATOR),
    Broken(streams.MixesLeasesUp, ["lease.named"]),
    Broken(mute("draining"), ["leave.idle", "leave.finishes", "leave.abandons"]),
    Broken(streams.TakesWorkWhileItLeaves, ["leave.finishes"]),
    Broken(mute("abandon"), ["leave.abandons"]),
    Broken(streams.goes_on_after(grpc.StatusCode.FAILED_PRECONDITION), ["refused.replaced"]),
    Broken(streams.goes_on_after(grpc.StatusCode.INVALID_ARGUMENT), ["refused.invalid"]),
)

#: Faults that leave nothing whole: only their own check is tried.
RUINED = (Broken(streams.NeverFreesASlot, ["lease.room"]),)
