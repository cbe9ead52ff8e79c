"""A check that fails says what it expected, what came instead, and what became of the worker."""

from __future__ import annotations

from dataclasses import replace

import grpc
import pytest

from signoff.conformance.messages import EXECUTOR, VALIDATOR, Role
from tests.support.conformance import faults_of_files as files
from tests.support.conformance import faults_of_streams as streams
from tests.support.conformance import faults_of_work as work
from tests.support.conformance.broken import mute
from tests.support.conformance.in_process import LATE, Fault, failed, tried


@pytest.mark.parametrize(
    ("check", "role", "fault", "reason"),
    [
        (
            "assign.feedback",
            EXECUTOR,
            work.FailsOnFeedback,
            "expected candidate of L1, but got failure(lease_id='L1', kind=permanent, "
            "message='a bug in the worker: ValueError: feedback, as broken as it gets')",
        ),
        ("ping.answered", EXECUTOR, mute("pong"), "expected pong within 2 s, but got nothing"),
        (
            "ping.answered",
            EXECUTOR,
            work.RoundsNonces,
            "expected pongs with the nonces [7, 0, 9007199254740993], but got [7, 0, 9007199254740992]",
        ),
        (
            "stream.cancelled",
            EXECUTOR,
            streams.gives_up_on(grpc.StatusCode.CANCELLED),
            "expected the worker to open a stream, but its process ended (a status it takes for final)",
        ),
        (
            "stream.kept",
            EXECUTOR,
            streams.ForgetsItsLeases,
            "expected hello to name L1, which the worker holds, but it names []",
        ),
        (
            "hello.waits",
            EXECUTOR,
            work.TalksBeforeWelcome,
            "expected nothing, but got credit(window=1)",
        ),
        (
            "verdict.error",
            VALIDATOR,
            work.BrokenJudgeFailsTheWork,
            "expected error, but got fail ('the judge gave no verdict: the judge broke, as the task asks')",
        ),
        (
            "files.manifest",
            EXECUTOR,
            files.PrintsPrettyManifests,
            "expected a manifest in its one form, but it breaks a rule: "
            "expected a manifest: a line with its main file, a line for each file, and its end",
        ),
        (
            "files.manifest",
            EXECUTOR,
            files.SortsByUnitsOfUtf16,
            "expected a manifest in its one form, but it breaks a rule: expected the files in the order of their paths",
        ),
        (
            "files.manifest",
            EXECUTOR,
            files.CallsEverythingPlainText,
            "expected 'report.md' with the media_type text/markdown, but the manifest says text/plain",
        ),
        (
            "files.manifest",
            EXECUTOR,
            files.TakesAnotherMainFile,
            "expected the main file to be 'notes/Mars.txt', the first that the first pattern matches, "
            "but got 'tables/planets.csv'",
        ),
        (
            "files.brought",
            EXECUTOR,
            files.BringsNothing,
            "expected UploadFiles with 'notes/Mars.txt' "
            "(SHA-256 0bb88243659cb09058ab4b6516234d62b17cb97a8e1ac31eb2a615835627d7d9) "
            "before the candidate, but it did not come",
        ),
        (
            "files.brought",
            EXECUTOR,
            files.BringsThemUnderAnotherLease,
            "expected files only under L1, but got UploadFiles under another, whose work makes no files",
        ),
        (
            "files.pieces",
            EXECUTOR,
            files.SendsFilesInOneMessage,
            "expected streams of files that keep the rules, but one did not: "
            "chunk: expected at most 4,194,304 bytes, but got 5,000,000",
        ),
        (
            "files.missing",
            EXECUTOR,
            files.SendsAllOfThem,
            "expected no bytes of 'report.md', because the runner has them, but the worker sent them",
        ),
        (
            "files.away",
            EXECUTOR,
            files.NeverPauses,
            "expected pauses between 3 calls of UploadFiles, but they came within 0.5 s",
        ),
        (
            "files.broken",
            EXECUTOR,
            files.GivesUpOnARunnerThatIsAway,
            "expected UploadFiles again within 2.1 s, but the worker did not call it",
        ),
        (
            "files.fetched",
            EXECUTOR,
            files.ReadsManifestsAlone,
            "expected the content of 'report.md', the main file of the input, but got something else",
        ),
        (
            "files.digest",
            VALIDATOR,
            files.ReadsManifestsAlone,
            "expected no opinion on files that no task made, but got one",
        ),
        (
            "files.ended",
            EXECUTOR,
            files.TakesAnEndedLeaseForAFault,
            "expected nothing more about L1, but got failure(lease_id='L1', kind=transient, "
            "message='the files of an input could not be fetched: the lease has ended')",
        ),
        (
            "refused.replaced",
            EXECUTOR,
            streams.goes_on_after(grpc.StatusCode.FAILED_PRECONDITION),
            "expected the worker to end for good, but it opened another stream",
        ),
    ],
)
async def test_a_failed_check_says_what_was_expected_and_what_came(
    check: str, role: Role, fault: type[Fault], reason: str
) -> None:
    """Tries it once more, with more time, when a busy machine gave another reason."""
    found = failed(await tried(role, fault, [check]))
    if found != {check: reason}:
        found = failed(await tried(role, fault, [check], replace(fault.kit_timings, answer=LATE)))
    assert found == {check: reason}
