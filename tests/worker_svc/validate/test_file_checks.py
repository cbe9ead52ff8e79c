"""Checks of a candidate of several files: which file each is about, and one result for all that a pattern matches."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from signoff.manifest.manifest import FileEntry, manifest_of, manifest_to_json
from signoff.plan.limits import MAX_TEXT_FILE_BYTES
from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.files import candidate_of, check_of, picture
from tests.support.work.givens import Heard, Saying, artifact, made_from, task, to_judge, verdicts, words
from worker_svc.assignment import Artifact, VerdictResult
from worker_svc.llm.port import Model
from worker_svc.validate import check_process, file_checks, validator
from worker_svc.validate.candidate_files import CandidateFiles, files_of
from worker_svc.validate.check_process import CheckProcess
from worker_svc.validate.checks import NO_FILES, check_result
from worker_svc.validate.validator import Validator

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
NO_MODEL: Model | None = None
FILES = {
    "report.md": b"# Sales\n\nMay was best.\n",
    "sales.csv": b"month,amount\n5,2.5\n6,2\n",
    "charts/a.png": picture(),
    "charts/b.png": picture(is_blank=True),
    "data.json": b'{"best": "May"}',
}


@pytest.fixture
def candidate(tmp_path: Path) -> Artifact:
    return candidate_of(tmp_path, FILES)


def looked_at(candidate: Artifact) -> CandidateFiles:
    files = files_of(candidate)
    assert files is not None
    return files


def outcome(check: plan_pb2.Check, candidate: Artifact) -> tuple[int, str]:
    result = file_checks.check_result(check, looked_at(candidate))
    assert result.deterministic
    assert bool(result.reason) == (result.outcome != PASS)
    return result.outcome, result.reason


async def judged(candidate: Artifact, *checks: plan_pb2.Check, model: Any = NO_MODEL, **more: Any) -> VerdictResult:
    assignment = dataclasses.replace(to_judge("", task(checks=checks, **more)), candidate=candidate)
    validating = Validator(model)
    try:
        return await validating(assignment, Heard())
    finally:
        await validating.close()


# ---------------------------------------------------------------- the file of a check


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (check_of("headings", min_headings=1), (PASS, "")),
        (check_of("json", file="data.json"), (PASS, "")),
        (check_of("required_keys", keys=["worst"], file="data.json"), (FAIL, "'data.json': missing keys: worst;")),
        (check_of("contains", phrases=["May"], file="*.md"), (PASS, "")),
        (check_of("contains", phrases=["May"], file="*.*"), (FAIL, "'sales.csv': expected ")),
        (check_of("image", file="charts/a.png"), (PASS, "")),
        (check_of("image", file="charts/*.png"), (FAIL, "'charts/b.png': expected a picture, but it is blank")),
        (check_of("image"), (FAIL, "'report.md': expected a picture that can be read whole, but ")),
        (check_of("table", columns=[{"name": "amount", "sum": 4.5}], file="sales.csv"), (PASS, "")),
        (check_of("media_type", types=["image/png"], file="charts/*"), (PASS, "")),
        (check_of("file_size", max_bytes=20, file="**"), (FAIL, "; 'report.md': expected at most 20 bytes, but it")),
        (check_of("archive_safe", file="report.md"), (FAIL, "'report.md': expected a tar archive")),
    ],
)
def test_a_check_is_about_the_main_file_or_the_ones_that_it_names(
    check: plan_pb2.Check, expected: tuple[int, str], candidate: Artifact
) -> None:
    found, reason = outcome(check, candidate)
    assert (found, expected[1] in reason) == (expected[0], True), reason


@pytest.mark.guard(name="a file that is checked is there")
@pytest.mark.parametrize("file", ["raport.md", "*.txt", "charts"])
def test_a_file_that_is_not_there_fails_and_says_which_are(file: str, candidate: Artifact) -> None:
    assert outcome(check_of("json", file=file), candidate) == (
        FAIL,
        f"no file is {file!r}; the files are 'charts/a.png', 'charts/b.png', 'data.json', 'report.md', 'sales.csv'",
    )


def test_files_that_must_be_there_are_found_by_path_and_pattern(candidate: Artifact) -> None:
    assert outcome(check_of("required_files", files=["report.md", "charts/*.png"]), candidate) == (PASS, "")
    found, reason = outcome(check_of("required_files", files=["report.md", "b.md", "*.txt"]), candidate)
    assert (found, reason.partition(";")[0]) == (FAIL, "missing: 'b.md', '*.txt'")


def test_the_first_few_files_that_fail_are_named_and_those_that_cannot_be_decided_stand_back(tmp_path: Path) -> None:
    candidate = candidate_of(tmp_path, {f"{n}.json": b"{" for n in range(9)})
    found, reason = outcome(check_of("json", file="*.json"), candidate)
    assert found == FAIL
    assert [name for name in map("'{}.json'".format, range(9)) if name in reason] == [
        "'0.json'",
        "'1.json'",
        "'2.json'",
    ]
    assert reason.endswith("; and more files")
    (tmp_path / "0.json").unlink()
    assert "'0.json'" not in outcome(check_of("json", file="*.json"), candidate)[1]
    assert outcome(check_of("json", file="0.json"), candidate) == (
        ERROR,
        "'0.json': cannot read the file: No such file or directory",
    )


def test_control_characters_of_a_name_are_seen_in_a_reason(tmp_path: Path) -> None:
    candidate = candidate_of(tmp_path, {"a.json": b"{"})
    check = plan_pb2.Check(json=plan_pb2.JsonCheck(), file="\x1b[31m\u202e.json")
    assert "'\\x1b[31m\\u202e.json'" in outcome(check, candidate)[1]


def test_a_check_that_names_a_file_decides_nothing_about_one_content() -> None:
    result = check_result(check_of("json", file="a.json"), b"{}")
    assert (result.outcome, result.reason) == (ERROR, NO_FILES)
    assert check_result(check_of("required_files", files=["a.json"]), b"{}").outcome == ERROR


@pytest.mark.guard(name="a check of text holds no large file")
def test_a_large_file_is_not_read_whole_for_a_check_of_text(tmp_path: Path) -> None:
    with (tmp_path / "large.txt").open("wb") as large:
        large.truncate(MAX_TEXT_FILE_BYTES + 1)
    entry = FileEntry(path="large.txt", media_type="text/plain", size=MAX_TEXT_FILE_BYTES + 1, digest="0" * 64)
    manifest = manifest_of([entry], "large.txt")
    files = CandidateFiles(manifest=manifest, folder=tmp_path, body=manifest_to_json(manifest))
    result = file_checks.check_result(check_of("words", min_words=1), files)
    assert result.outcome == FAIL
    assert result.reason.endswith("checks of text read files of at most 67,108,864 bytes, but it has 67,108,865")


# ---------------------------------------------------------------- what every candidate must be


@pytest.mark.guard(name="files that say that they are text are")
def test_a_picture_that_is_named_as_a_table_is_no_text(tmp_path: Path) -> None:
    candidate = candidate_of(tmp_path, {"report.md": b"\xc3\xbc" * 600_000, "table.csv": picture()})
    results = file_checks.implicit_results(looked_at(candidate))
    assert [result.outcome for result in results] == [PASS, FAIL]
    assert results[1].reason == "'table.csv': expected UTF-8 text, but byte 0 is 0x89 (invalid start byte)"


def test_some_files_may_be_empty_but_not_all(tmp_path: Path) -> None:
    some = candidate_of(tmp_path, {"a.txt": b"", "b.txt": b"b"})
    none = candidate_of(tmp_path, {"a.txt": b"", "b.txt": b""})
    assert [result.outcome for result in file_checks.implicit_results(looked_at(some))] == [PASS, PASS]
    assert file_checks.implicit_results(looked_at(none))[0].reason == "all files of the candidate are empty"


@pytest.mark.parametrize("content", [picture(), b"\xff", b"\0"])
async def test_one_content_that_is_no_text_need_not_be_text(content: bytes) -> None:
    candidate = dataclasses.replace(artifact(content), media_type="image/png")
    verdict = await judged(candidate, check_of("file_size", min_bytes=1))
    assert verdict.outcome == PASS
    as_text = dataclasses.replace(candidate, media_type="text/plain")
    assert (await judged(as_text, check_of("file_size", min_bytes=1))).outcome == FAIL


# ---------------------------------------------------------------- the validator


async def test_a_candidate_of_files_is_signed_off_by_checks_of_each(candidate: Artifact) -> None:
    checks = [
        check_of("required_files", files=["report.md", "charts/*.png", "sales.csv"]),
        check_of("headings", min_headings=1),
        check_of("image", min_width=20, file="charts/a.png"),
        check_of("table", columns=["month", {"name": "amount", "type": "number"}], min_rows=2, file="sales.csv"),
        check_of("json", file="data.json"),
    ]
    verdict = await judged(candidate, *checks)
    assert (verdict.outcome, len(verdict.results)) == (PASS, 7)
    refused = await judged(candidate, *checks, check_of("image", file="charts/*.png"))
    assert refused.outcome == FAIL
    assert refused.feedback == (
        "has pictures charts/*.png, each that is not blank: "
        "'charts/b.png': expected a picture, but it is blank: all of it has one colour"
    )


@pytest.mark.guard(name="a manifest is not judged as a text")
async def test_a_manifest_without_its_files_is_not_judged_as_the_text_that_it_is(candidate: Artifact) -> None:
    with pytest.raises(ValueError, match="expected the files of the candidate on the disk"):
        await judged(dataclasses.replace(candidate, manifest=None, folder=None), check_of("words", min_words=1))


async def test_a_criterion_of_words_is_about_the_main_file(candidate: Artifact) -> None:
    few = made_from(1, words(3, 9))
    verdict = await judged(candidate, few, criteria=("between 3 and 9 words",), model=Saying(verdicts("pass")))
    assert verdict.outcome == PASS


@pytest.mark.guard(name="what must not be there is in no text")
async def test_what_must_not_be_there_is_looked_for_in_every_text(candidate: Artifact) -> None:
    forbidden = made_from(1, check_of("contains", phrases=["amount"], max_occurrences=0))
    verdict = await judged(candidate, forbidden, criteria=("must not contain 'amount'",))
    assert verdict.outcome == FAIL
    assert "'sales.csv'" in verdict.feedback


async def test_a_criterion_of_words_is_judged_where_the_main_file_is_no_text(tmp_path: Path) -> None:
    candidate = candidate_of(tmp_path, {"a.png": picture(), "b.md": b"Mars"})
    result = file_checks.check_result(made_from(1, words(1)), looked_at(candidate))
    assert (result.outcome, result.reason) == (ERROR, "cannot tell: the main file, 'a.png', is no text")


@pytest.fixture
async def process() -> AsyncIterator[CheckProcess]:
    process = CheckProcess(timedelta(seconds=5))
    yield process
    await process.close()


async def test_the_child_reads_the_files_itself_and_is_told_of_them_once(
    candidate: Artifact, process: CheckProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters, send = list[bytes](), check_process._Child._send

    async def noted(child: check_process._Child, *parts: bytes) -> None:
        letters.append(parts[0][:1])
        await send(child, *parts)

    monkeypatch.setattr(check_process._Child, "_send", noted)
    async with process.looking_at(looked_at(candidate)) as look:
        assert [result.outcome for result in await look.implicit_results(plan_pb2.TaskOutput())] == [PASS, PASS]
        assert (await look.check_result(check_of("image", file="charts/a.png"))).outcome == PASS
        assert (await look.check_result(check_of("json", file="data.json"))).outcome == PASS
    assert (letters.count(b"F"), letters.count(b"C"), letters.count(b"K")) == (1, 0, 2)
    async with process.looking_at(json.dumps({}).encode(), "application/json") as look:
        assert (await look.check_result(check_of("json"))).outcome == PASS


async def test_a_table_is_read_as_its_media_type_says_in_the_child_too(process: CheckProcess) -> None:
    check = check_of("table", columns=["a", "b"])
    async with process.looking_at(b"a\tb\n1\t2\n", "text/tab-separated-values") as look:
        assert (await look.check_result(check)).outcome == PASS
    async with process.looking_at(b"a\tb\n1\t2\n", "text/csv") as look:
        assert (await look.check_result(check)).outcome == FAIL


class Signed(Heard):
    """Hears signs of progress."""

    signs = asyncio.Event()

    def tokens(self, received: int) -> None:
        self.signs.set()


@pytest.mark.guard(name="long checks are progress")
async def test_a_check_that_takes_long_is_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validator, "PROGRESS_SECONDS", 0.001)
    heard = Signed()
    async with validator._progress(heard), asyncio.timeout(10):
        await heard.signs.wait()


async def test_a_check_of_many_names_is_left_to_the_child(tmp_path: Path) -> None:
    many = candidate_of(tmp_path, {f"{n}.txt": b"x" for n in range(50)})
    few = check_of("required_files", files=["*.txt"])
    names = check_of("required_files", files=[f"{n}*" for n in range(50)])
    assert file_checks.quick_result(few, looked_at(many)) is not None
    assert file_checks.quick_result(names, looked_at(many)) is None
    assert file_checks.quick_result(check_of("words", min_words=1, file="*.txt"), looked_at(many)) is None
    assert file_checks.quick_result(check_of("words", min_words=1, file="1.txt"), looked_at(many)) is not None
    assert file_checks.quick_result(check_of("image", file="1.txt"), looked_at(many)) is None
