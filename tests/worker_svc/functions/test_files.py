"""Functions that write files, and functions that read them: in a thread, an event loop and a process."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signoff.app import Context, Document, Failed, Files, Output, Task
from signoff.manifest.manifest import MANIFEST_TYPE, manifest_from_json
from signoff.v1 import execution_pb2
from tests.support.work.functions import SAMPLE, callee
from tests.support.work.givens import Heard, artifact, to_execute, to_judge, with_files
from worker_svc.assignment import Artifact, Assignment, CandidateResult, FailureResult
from worker_svc.files.scratch import scratch
from worker_svc.functions.calling import Callee
from worker_svc.functions.executor import FunctionExecutor
from worker_svc.functions.job import Broken, Judged
from worker_svc.functions.jobs import job_of
from worker_svc.functions.loading import callees_of
from worker_svc.functions.places.choice import CallPlaces

TRANSIENT, PERMANENT = execution_pb2.FAILURE_KIND_TRANSIENT, execution_pb2.FAILURE_KIND_PERMANENT


@pytest.fixture
async def places() -> AsyncIterator[CallPlaces]:
    places = CallPlaces(2)
    yield places
    await places.close()


def wanting(*patterns: str, inputs: tuple[Artifact, ...] = ()) -> Assignment:
    assignment = to_execute(inputs=inputs)
    assignment.task.output.files.extend(patterns)
    return assignment


@pytest.fixture
def sales(tmp_path: Path) -> Artifact:
    return with_files(tmp_path / "sales", {"report.md": b"# Sales", "charts/x.png": b"\x89PNG"}, "report.md")


@pytest.fixture
def table(tmp_path: Path) -> Artifact:
    return with_files(tmp_path / "table", {"table.json": b'{"rows": 3}'}, "table.json", name="table")


def draws(sales: Files, ctx: Context) -> None:
    (ctx.outputs / "charts").mkdir()
    for path in sales:
        (ctx.outputs / path).write_bytes(sales[path].read_bytes() + b"!")


async def draws_async(sales: Files, ctx: Context) -> None:
    draws(sales, ctx)


@pytest.mark.parametrize("name", ["draws", "draws_async", "draws_in_a_process"])
async def test_a_function_writes_its_result_in_every_place(name: str, places: CallPlaces, sales: Artifact) -> None:
    called = callees_of(SAMPLE, judges=False)[name] if "process" in name else callee(globals()[name])
    heard = Heard()
    result = await FunctionExecutor(called, places)(wanting("*.md", "charts/*.png", inputs=(sales,)), heard)
    assert isinstance(result, CandidateResult), result
    assert result.media_type == MANIFEST_TYPE
    assert manifest_from_json(result.content).main == "report.md"
    assert heard.brought == {"charts/x.png": b"\x89PNG!", "report.md": b"# Sales!"}
    assert list(scratch().iterdir()) == []


def writes_nothing(ctx: Context) -> None:
    assert ctx.outputs.is_dir()


def returns_something(ctx: Context) -> str:
    (ctx.outputs / "report.md").touch()
    return "done"


def writes_a_link(ctx: Context) -> None:
    (ctx.outputs / "report.md").symlink_to("/etc/passwd")


def fails(ctx: Context) -> None:
    raise Failed.permanent("no sales")


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (writes_nothing, TRANSIENT, "the files of writes_nothing: expected a file that matches '*.md' in outputs/"),
        (writes_a_link, TRANSIENT, "the files of writes_a_link: expected a file, but 'report.md' is a link"),
        (returns_something, PERMANENT, "returns_something returned str: expected None"),
        (fails, PERMANENT, "no sales"),
    ],
)
async def test_what_is_no_result_is_a_failure_that_says_why(
    call: Callable[..., Any], kind: int, said: str, places: CallPlaces
) -> None:
    result = await FunctionExecutor(callee(call), places)(wanting("*.md"), Heard())
    assert isinstance(result, FailureResult)
    assert result.message.startswith(said)
    assert result.kind == kind
    assert bool(result.gist) is (kind == TRANSIENT)
    assert list(scratch().iterdir()) == []


def outcome_with(call: Callable[..., Any], *inputs: Artifact) -> Any:
    """Calls a function with inputs; returns what it was called with, or the outcome when it was not."""
    seen: list[Any] = []
    name = next(name for name in call.__annotations__ if name != "return")

    def remembers(**arguments: Any) -> str:
        seen.append(arguments[name])
        return "done"

    remembers.__annotations__ = call.__annotations__
    remembers.__signature__ = inspect.signature(call)  # type: ignore[attr-defined]
    outcome = callee(remembers).call(job_of(to_execute(inputs=inputs)), _Silent())
    return seen[0] if seen else outcome


class _Silent:
    cancelled = False

    def progress(self, text: str) -> None: ...

    def checkpoint(self, content: bytes) -> None: ...

    def usage(self, model: str, counts: Any) -> None: ...


def takes_files(sales: Files) -> str: ...  # type: ignore[empty-body]


def takes_a_path(sales: Path) -> str: ...  # type: ignore[empty-body]


def takes_a_text(sales: str) -> str: ...  # type: ignore[empty-body]


def test_several_files_are_a_mapping_or_a_folder(sales: Artifact) -> None:
    files = outcome_with(takes_files, sales)
    assert isinstance(files, Files)
    assert sorted(files) == ["charts/x.png", "report.md"]
    assert files["report.md"] == files.main == sales.file("report.md")
    assert (files.entries["charts/x.png"].media_type, files.entries["charts/x.png"].size) == ("image/png", 4)
    with pytest.raises(KeyError, match=r"expected one of the files charts/x\.png, report\.md, but got 'no'"):
        files["no"]
    assert outcome_with(takes_a_path, sales) == sales.folder


def test_one_file_is_read_by_any_parameter(table: Artifact) -> None:
    one = replace(table, name="sales")
    assert outcome_with(takes_a_path, one) == table.file("table.json")
    assert outcome_with(takes_a_text, one) == '{"rows": 3}'
    assert list(outcome_with(takes_files, one)) == ["table.json"]


def test_several_files_do_not_fit_one_text(sales: Artifact) -> None:
    outcome = outcome_with(takes_a_text, sales)
    assert isinstance(outcome, Broken)
    assert outcome.is_permanent
    assert outcome.message == (
        "artifact sales has 2 files, and sales (str) takes one: annotate it as signoff.app.Files, or as Path"
    )


def test_one_content_is_no_file() -> None:
    outcome = outcome_with(takes_a_path, artifact("Mars", name="sales"))
    assert isinstance(outcome, Broken)
    assert "it is one content and no file: take it as bytes or str" in outcome.message


def judged(called: Callee, candidate: Artifact) -> Any:
    return called.call(job_of(replace(to_judge("x"), candidate=candidate)), _Silent())


def has_a_report(candidate: Files) -> bool:
    return "report.md" in candidate


def is_long(candidate: str) -> bool:
    return len(candidate) > 3


def test_a_check_gets_the_files_of_a_candidate(sales: Artifact, table: Artifact) -> None:
    assert judged(callee(has_a_report, judges=True), sales) == Judged(is_pass=True)
    assert judged(callee(is_long, judges=True), table) == Judged(is_pass=True)
    cannot = judged(callee(is_long, judges=True), sales)
    assert isinstance(cannot, Broken)
    assert cannot.message.startswith("the candidate has 2 files, and candidate (str) takes one")


def test_a_function_that_makes_no_files_has_no_folder_for_them() -> None:
    with pytest.raises(Failed, match=r"task 1 makes no files: expected output\.files in the plan"):
        _ = Context(Task(id="1")).outputs


def test_a_function_cannot_make_a_manifest_by_itself() -> None:
    def lies() -> Output:
        return Output("{}", media_type=MANIFEST_TYPE)

    outcome = callee(lies).call(job_of(to_execute()), _Silent())
    assert isinstance(outcome, Broken)
    assert "files become a result by output.files in the plan" in outcome.message


def test_files_are_in_the_context_as_well(sales: Artifact) -> None:
    (given,) = job_of(to_execute(inputs=(sales,))).inputs
    assert not isinstance(given, Document)
    assert given.folder == sales.folder
