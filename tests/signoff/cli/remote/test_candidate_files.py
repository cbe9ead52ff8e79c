"""Candidates with files: what a person sees of them, how two differ, and what is said before a verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from signoff.cli.remote.candidate import candidate, look
from signoff.cli.remote.judge import TypedVerdict, judge
from signoff.cli.remote.result_files import Wanted
from signoff.cli.show.output import CommandOutput
from signoff.cli.top.orders import candidate_text
from signoff.client.client import Client
from signoff.client.values import by_plan
from signoff.display.file_changes import MOST_TEXTS
from signoff.errors import ConfigurationError
from signoff.v1 import execution_pb2 as pb
from tests.signoff.cli.remote.test_candidate import on_a_terminal, runner_at, verdicts
from tests.support.processes.screens import lines_of, notes_of, piped, records_of
from tests.support.servers.fake_runner import PLAN_ID, FakeRunner, listening, with_files

FIRST = {"report.md": b"# Sales\n\nMars\n", "old.csv": b"a,b\n", "chart.png": b"\x89PNG\xff1", "same.txt": b"same"}
SECOND = {"report.md": b"# Sales\n\nVenus\n", "new.csv": b"a,c\n", "chart.png": b"\x89PNG\xff2", "same.txt": b"same"}


def made(
    attempt: int, files: Mapping[str, bytes], state: pb.CandidateState.ValueType
) -> tuple[pb.CandidateInfo, bytes]:
    task, manifest = with_files("a", files, main="report.md", name="report")
    task.artifact.attempt = attempt
    return pb.CandidateInfo(artifact=task.artifact, state=state, worker="executor-1", attempts=[1, 2]), manifest


def runner(first: Mapping[str, bytes] = FIRST, second: Mapping[str, bytes] = SECOND) -> FakeRunner:
    """The first candidate was rejected, the second waits for a person."""
    return FakeRunner(
        candidates=[
            made(1, first, pb.CANDIDATE_STATE_REJECTED),
            made(2, second, pb.CANDIDATE_STATE_WAITS_FOR_PERSON),
        ],
        bodies={sha256(body).hexdigest(): body for body in (*first.values(), *second.values())},
    )


def printed(output: CommandOutput, wanted: Wanted | None = None, *, diff: bool = False) -> CommandOutput:
    with runner_at(runner()) as where:
        assert asyncio.run(candidate(PLAN_ID, "a", None, diff, wanted or Wanted(), where, output)) == 0
    return output


def test_a_candidate_with_files_is_a_table_and_each_is_had_by_its_path(tmp_path: Path) -> None:
    output = printed(piped())
    assert [line.split()[0] for line in lines_of(output)] == ["FILE", *sorted(SECOND)]
    assert "signoff: made by executor-1: 4 files, 29 bytes, digest" in notes_of(output)[1]
    assert "signoff candidate trends a --attempt 2" in notes_of(output)[-1]
    assert lines_of(printed(piped(), Wanted(path="report.md"))) == ["# Sales", "", "Venus"]
    printed(piped(), Wanted(output=str(tmp_path)))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == SECOND
    (record,) = records_of(printed(piped(as_json=True)))
    assert [file["path"] for file in record["manifest"]["files"]] == sorted(SECOND)


def test_the_difference_names_what_came_what_went_and_how_texts_changed() -> None:
    assert lines_of(printed(piped(), diff=True)) == [
        "1 added, 1 removed, 2 changed, 1 the same",
        "added    new.csv (text/csv, 4 bytes)",
        "removed  old.csv (text/csv, 4 bytes)",
        "changed  chart.png (image/png, 6 bytes before, 6 bytes now)",
        "no text that could be compared: attempt 1: chart.png has 6 bytes with digest "
        f"{sha256(FIRST['chart.png']).hexdigest()[:12]}, attempt 2: chart.png has 6 bytes with digest "
        f"{sha256(SECOND['chart.png']).hexdigest()[:12]}",
        "changed  report.md (text/markdown, 14 bytes before, 15 bytes now)",
        "--- attempt 1: report.md",
        "+++ attempt 2: report.md",
        "@@ -1,3 +1,3 @@",
        " # Sales",
        " ",
        "-Mars",
        "+Venus",
    ]
    with pytest.raises(ConfigurationError, match="expected --file, or --diff"):
        printed(piped(), Wanted(path="report.md"), diff=True)


def test_of_very_many_texts_only_some_are_compared_line_by_line() -> None:
    many = {f"{number}.txt": b"old" for number in range(200)} | {"report.md": b"old"}
    output = piped()
    with runner_at(runner(many, dict.fromkeys(many, b"new"))) as where:
        asyncio.run(candidate(PLAN_ID, "a", None, True, Wanted(), where, output))
    lines = lines_of(output)
    assert sum(line.startswith("changed") for line in lines) == 201
    assert sum(line.startswith("+++") for line in lines) == MOST_TEXTS


def test_a_person_sees_the_files_and_how_to_look_at_them_before_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    of, output = runner(), on_a_terminal(monkeypatch, "y\n")
    with runner_at(of) as where:
        assert judge(PLAN_ID, "a", TypedVerdict(passes=True, by="ada"), where, output) == 0
    shown = "\n".join(notes_of(output))
    assert "chart.png         image/png      6 bytes" in shown
    assert f"--file PATH` prints one of them, `signoff candidate trends a --attempt 2 --runner {where.runner}" in shown
    assert "----- the main file, report.md\n# Sales\n\nVenus" in shown
    assert "----- the difference to attempt 1, rejected" in shown
    (given,) = verdicts(of)
    assert given.digest == of.candidates[1][0].artifact.digest


async def test_top_shows_the_files_too() -> None:
    async with listening(runner()) as address, Client(runner=address) as client:
        text = candidate_text(PLAN_ID, await look(client, by_plan(PLAN_ID), "a", 0, compare=True))
    assert "report.md (main)" in text
    assert "Venus" in text
    assert "+Venus" in text
