"""The files for people give way to the journal."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from runner_svc.contents import Contents
from runner_svc.core.machine import Machine
from runner_svc.core.model.values import Content, ExecutionId, VerdictBy
from runner_svc.publish import output_files as outputs_module
from runner_svc.publish.output_document import Output
from runner_svc.publish.output_files import FilesOfPlan, OutputFiles
from runner_svc.store.memory import MemoryStore
from tests.support import story

WITHIN = 10.0  # seconds


@pytest.fixture
def outputs(tmp_path: Path) -> OutputFiles:
    return OutputFiles(tmp_path, Contents(MemoryStore()))


async def test_writing_pauses_while_there_are_commits(monkeypatch: pytest.MonkeyPatch, outputs: OutputFiles) -> None:
    monkeypatch.setattr(outputs_module, "QUIET", 3600.0)
    outputs.committed(Machine().state, ())
    pause = asyncio.create_task(outputs._give_way(3600.0))
    await asyncio.wait([pause], timeout=0.05)
    assert not pause.done()
    pause.cancel()


async def test_writing_goes_on_when_nothing_is_committed_any_more(outputs: OutputFiles) -> None:
    outputs.committed(Machine().state, ())
    await asyncio.wait_for(outputs._give_way(3600.0), WITHIN)


def done() -> story.Run:
    """Returns a run whose only task is signed off, and has no file."""
    run = story.given("a", story.executor("w1"), story.validator("v1"), story.started)
    run.when(story.candidate("a"), story.passed("a"))
    return run


async def test_a_plan_is_not_settled_until_its_files_were_looked_for(outputs: OutputFiles) -> None:
    run = done()
    outputs.rebuilt(run.machine.state)
    assert not outputs.is_settled(run.map.plan_id)
    await outputs._check(outputs._unchecked[0])
    assert [key[1] for key in outputs._pending] == ["a"]
    assert not outputs.is_settled(run.map.plan_id), "the missing file is to be written"


async def test_a_file_that_is_there_is_not_written_again(outputs: OutputFiles) -> None:
    run = done()
    file = outputs.path(run.map.plan_id, "a")
    file.parent.mkdir(parents=True)
    file.touch()
    outputs.rebuilt(run.machine.state)
    await outputs._check(outputs._unchecked[0])
    assert outputs.is_settled(run.map.plan_id)


async def test_what_a_rebuild_overtook_is_looked_for_again(outputs: OutputFiles) -> None:
    run = done()
    outputs.rebuilt(run.machine.state)
    overtaken = outputs._unchecked[0]
    outputs.rebuilt(run.machine.state)
    await outputs._check(overtaken)
    assert not outputs._pending
    assert len(outputs._unchecked) == 1


async def test_it_tells_how_many_results_of_a_plan_are_to_be_written_and_how_many_could_not_be(
    tmp_path: Path, outputs: OutputFiles
) -> None:
    run = done()
    plan_id = run.map.plan_id
    outputs.rebuilt(run.machine.state)
    assert outputs.of_plan(plan_id) == FilesOfPlan(pending=1, failed=0), "it is to be looked for"
    await outputs._check(outputs._unchecked[0])
    assert outputs.of_plan(plan_id) == FilesOfPlan(pending=1, failed=0), "it is to be written"
    assert outputs.of_plan("another") == FilesOfPlan(pending=0, failed=0)
    place = outputs.path(plan_id, "a")
    place.mkdir(parents=True)
    await outputs._write(outputs._batch())
    assert outputs.of_plan(plan_id) == FilesOfPlan(pending=0, failed=1)
    place.rmdir()
    outputs.rebuilt(run.machine.state)
    await outputs._check(outputs._unchecked[0])
    assert outputs.of_plan(plan_id) == FilesOfPlan(pending=1, failed=0), "a later change, or a start, tries again"


async def test_a_result_that_changes_while_its_file_cannot_be_written_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = story.given("a", story.executor("w1"), story.validator("v1"), story.started)
    run.when(story.candidate("a", "made"), story.passed("a"))
    store = MemoryStore()
    await store.put_content(hashlib.sha256(b"made").hexdigest(), b"made")
    outputs = OutputFiles(tmp_path, Contents(store))
    execution, plan_id = run.execution, run.map.plan_id
    place = outputs.path(plan_id, "a")
    place.mkdir(parents=True)
    outputs._wish(execution, run.task("a"))
    batch = outputs._batch()
    write = outputs_module._write_all

    def changed_meanwhile(folder: Path, jobs: Sequence[outputs_module._Job]) -> list[outputs_module.Key]:
        outputs._wish(execution, run.task("a"))
        assert outputs.of_plan(plan_id) == FilesOfPlan(pending=1, failed=0)
        return write(folder, jobs)

    monkeypatch.setattr(outputs_module, "_write_all", changed_meanwhile)
    await outputs._write(batch)
    assert outputs.of_plan(plan_id) == FilesOfPlan(pending=1, failed=0), "it is to be tried again"
    monkeypatch.setattr(outputs_module, "_write_all", write)
    place.rmdir()
    await outputs._write(outputs._batch())
    assert outputs.of_plan(plan_id) == FilesOfPlan(pending=0, failed=0)


# ---------------------------------------------------------------- whatever the content is


async def written(
    tmp_path: Path,
    body: bytes,
    media_type: str = "application/json",
    plan_id: str = "p",
    by: VerdictBy | None = None,
) -> bytes:
    """Returns output.json of a content."""
    digest = hashlib.sha256(body).hexdigest()
    store = MemoryStore()
    await store.put_content(digest, body)
    outputs = OutputFiles(tmp_path, Contents(store))
    content = Content(digest=digest, size=len(body), media_type=media_type, attempt=1, signed_off_by=by)
    output = Output(ExecutionId("e1"), plan_id, "a", "artifact", content)
    await outputs._write([((plan_id, "a"), output)])
    return outputs.path(plan_id, "a").read_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b'{"t": "Launch day \\ud83d"}',
        b'["\\udc00\\ud800"]',
        b'{"a": 12345678901234567.89, "b": 1e300, "c": -0.0, "d": 1E+2}',
        b'{"a": 1, "a": 2}',
        '  ["\u2028", "日本"]\n'.encode(),
        b"[" * 200 + b"]" * 200,
        b'"' + b"x" * (300 * 1024) + b'"',
    ],
    ids=["half an emoji", "halves", "digits", "a key twice", "not ASCII", "deep", "large"],
)
async def test_json_is_in_the_file_as_it_was_made_and_the_file_is_json(tmp_path: Path, body: bytes) -> None:
    document = await written(tmp_path, body)
    assert body.strip() in document
    read = json.loads(document, parse_int=str, parse_float=str)
    assert read["content"] == json.loads(body, parse_int=str, parse_float=str)
    assert (read["plan_id"], read["digest"]) == ("p", hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (VerdictBy("ada", is_person=True), {"person": "ada"}),
        (VerdictBy("", is_person=True), {"person": ""}),
        (VerdictBy("ada", is_person=False), {"validator": "ada"}),
        (None, None),
    ],
)
async def test_the_file_says_who_signed_off(tmp_path: Path, by: VerdictBy | None, told: object) -> None:
    assert json.loads(await written(tmp_path, b"made", by=by)).get("signed_off_by") == told


@pytest.mark.guard(name="JSON as it is")
async def test_numbers_keep_their_digits_in_the_file(tmp_path: Path) -> None:
    assert b"12345678901234567.890" in await written(tmp_path, b'{"a": 12345678901234567.890}')


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": NaN}',
        b"[Infinity]",
        b"[1e400]",
        b"9" * 400,
        b"[-1e400, " + b"1, " * 100_000 + b"1]",
        b"[" * 100_000,
        b"[" * 300_000,
        b"{'a': 1}",
        b"",
        b'"\xed\xa0\xbd"',
        b"\xff\xfe",
    ],
    ids=[
        "NaN",
        "Infinity",
        "1e400",
        "a long number",
        "1e400 and large",
        "deep",
        "deep and large",
        "quotes",
        "nothing",
        "a surrogate in bytes",
        "no UTF-8",
    ],
)
async def test_what_only_says_that_it_is_json_is_in_the_file_as_text_or_in_base64(tmp_path: Path, body: bytes) -> None:
    document = json.loads(await written(tmp_path, body))
    kept = document["content"].encode() if "content" in document else base64.b64decode(document["content_base64"])
    assert kept == body


@pytest.mark.parametrize("plan_id", ["../x", "a/b", "x\0y", "", "x" * 200, "."])
async def test_a_name_that_cannot_be_a_folders_is_logged_and_the_next_file_is_written(
    tmp_path: Path, plan_id: str
) -> None:
    outputs = OutputFiles(tmp_path / "db", Contents(MemoryStore()))
    await outputs._write([((plan_id, "a"), None), (("p", plan_id), None)])
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - iterdir is no list
    assert b"text" in await written(tmp_path, b"text", "text/plain")


async def test_a_content_that_the_store_has_lost_costs_only_its_own_file(tmp_path: Path) -> None:
    outputs = OutputFiles(tmp_path, Contents(MemoryStore()))
    lost = Content(digest="d", size=1, media_type="text/plain")
    await outputs._write([(("p", "a"), Output(ExecutionId("e1"), "p", "a", "", lost)), (("p", "b"), None)])
    assert outputs._failed == {("p", "a")}


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
async def test_what_stands_where_a_file_is_to_be_is_not_written_through_and_holds_nothing_up(
    tmp_path: Path, what: str
) -> None:
    place = tmp_path / "p" / "a" / "output.json"
    place.parent.mkdir(parents=True)
    if what == "link":
        place.symlink_to(tmp_path / "elsewhere")
    elif what == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    outputs = OutputFiles(tmp_path, Contents(store := MemoryStore()))
    await store.put_content("d", b"text")
    output = Output(ExecutionId("e1"), "p", "a", "", Content(digest="d", size=4, media_type="text/plain"))
    await asyncio.wait_for(outputs._write([(("p", "a"), output)]), WITHIN)
    assert outputs._failed == {("p", "a")}
    assert sorted(os.listdir(tmp_path)) == ["p"]  # noqa: PTH208 - iterdir is no list
