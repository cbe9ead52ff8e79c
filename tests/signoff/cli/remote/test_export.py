"""`signoff export` and `signoff artifact` of results with files, against a runner that plays what a test wrote."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from signoff.cli.remote.artifact import artifact
from signoff.cli.remote.export.export import ExportOptions, export
from signoff.cli.remote.export.folder import LOG
from signoff.cli.remote.find_runner import RunnerLocation
from signoff.cli.remote.result_files import Wanted
from signoff.cli.show.output import CommandOutput
from signoff.errors import ConfigurationError, ExecutionQuarantined, Unavailable
from signoff.v1 import execution_pb2 as pb
from tests.support.processes.screens import lines_of, notes_of, piped, records_of
from tests.support.servers.fake_runner import PLAN_ID, FakeRunner, listening, signed_off, undone, with_files

CHART = b"\x89PNG\r\n\x1a\n" + bytes(5000)
REPORT = {"report.md": b"# Sales\n\n![](charts/a.png)\n", "charts/a.png": CHART}


def runner(files: Mapping[str, bytes] = REPORT, text: bytes = b"# Notes\n") -> FakeRunner:
    """The tasks 1 and 2 have results, a text and files; 10 has none yet."""
    state, manifest = with_files("2", files, main="report.md", name="Q3 report")
    return FakeRunner(
        tasks=[signed_off("1", text, name="notes"), state, undone("10")],
        contents={"1": text, "2": manifest},
        bodies={sha256(body).hexdigest(): body for body in files.values()},
    )


@asynccontextmanager
async def at(of: FakeRunner) -> AsyncIterator[RunnerLocation]:
    async with listening(of) as address:
        yield RunnerLocation(runner=address)


async def exported(folder: Path, of: FakeRunner | None = None, **more: Any) -> CommandOutput:
    output = piped()
    async with at(of or runner()) as where:
        assert await export(PLAN_ID, ExportOptions(folder=folder, **more), where, output) == 0
    return output


def files_in(folder: Path) -> dict[str, bytes]:
    found = [Path(where) / name for where, _, names in os.walk(folder) for name in names]
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


def index_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "index.json").read_text()))


WHOLE = {
    "1-notes.md": b"# Notes\n",
    "2-Q3-report/report.md": REPORT["report.md"],
    "2-Q3-report/charts/a.png": CHART,
}


# ---------------------------------------------------------------- export


@pytest.mark.guard(name="nothing is told of tasks in quarantine")
async def test_an_export_of_a_quarantined_execution_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    of = runner()
    of.execution.state, of.execution.reason = pb.EXECUTION_STATE_QUARANTINED, "its journal could not be read"
    with pytest.raises(ExecutionQuarantined, match=f"but {PLAN_ID} is quarantined: its journal could not be read"):
        await exported(tmp_path / "out", of)
    assert not (tmp_path / "out").exists()


async def test_results_lie_in_files_and_folders_with_names_for_people_beside_an_index(tmp_path: Path) -> None:
    output = await exported(tmp_path / "out")
    found = files_in(tmp_path / "out")
    index = json.loads(found.pop("index.json"))
    assert found == WHOLE
    assert [(result["task_id"], result["path"]) for result in index["results"]] == [
        ("1", "1-notes.md"),
        ("2", "2-Q3-report"),
    ]
    assert index["results"][1]["files"][0]["digest"] == sha256(CHART).hexdigest()
    assert (index["is_whole"], index["plan_id"]) == (False, PLAN_ID)
    assert "not signed off, and so not there: 10; trends is running" in notes_of(output)[-1]
    assert lines_of(output)[2].split() == ["2-Q3-report/", "2", "2", "files,", "4.9", "KiB"]


async def test_a_second_export_writes_what_changed_and_removes_what_is_no_result_any_more(tmp_path: Path) -> None:
    await exported(tmp_path)
    before = (tmp_path / "1-notes.md").stat().st_ino
    (tmp_path / "mine.txt").write_text("mine")
    await exported(tmp_path, runner({"report.md": b"# New\n"}))
    found = files_in(tmp_path)
    del found["index.json"]
    assert found == {"1-notes.md": b"# Notes\n", "2-Q3-report/report.md": b"# New\n", "mine.txt": b"mine"}
    assert not (tmp_path / "2-Q3-report" / "charts").exists()
    assert (tmp_path / "1-notes.md").stat().st_ino == before, "equal files are not written again"


@pytest.mark.guard(name="files of others stay")
async def test_what_a_person_has_changed_stays_unless_they_force_it(tmp_path: Path) -> None:
    await exported(tmp_path)
    (tmp_path / "1-notes.md").write_text("changed by hand")
    changed = runner(text=b"# Newer\n", files={"report.md": b"# New\n"})
    with pytest.raises(ConfigurationError, match=r"has other files at '1-notes\.md'"):
        await exported(tmp_path, changed)
    assert files_in(tmp_path)["2-Q3-report/report.md"] == REPORT["report.md"], "nothing was written"
    await exported(tmp_path, changed, force=True)
    assert (tmp_path / "1-notes.md").read_bytes() == b"# Newer\n"


@pytest.mark.guard(name="another export stays")
async def test_the_export_of_another_plan_and_an_index_of_something_else_stay(tmp_path: Path) -> None:
    for body in (b'{"signoff_export": 1, "plan_id": "other", "results": []}', b"mine", b"[" * 100_000):
        (tmp_path / "index.json").write_bytes(body)
        with pytest.raises(ConfigurationError, match=r"expected an empty folder, or an export of trends"):
            await exported(tmp_path)
        assert files_in(tmp_path) == {"index.json": body}
    await exported(tmp_path, force=True)
    assert index_of(tmp_path)["plan_id"] == PLAN_ID


async def test_an_interrupted_export_leaves_whole_files_and_the_next_one_goes_on(tmp_path: Path) -> None:
    broken = runner()
    broken.bodies[sha256(REPORT["report.md"]).hexdigest()] = b"half"
    async with at(broken) as where:
        with pytest.raises(Unavailable, match="damaged"):
            await export(PLAN_ID, ExportOptions(folder=tmp_path), where, piped())
    found = files_in(tmp_path)
    del found[LOG]
    assert found == {"1-notes.md": b"# Notes\n", "2-Q3-report/charts/a.png": CHART}
    (tmp_path / "2-Q3-report" / ".report.md.0123456789abcdef.part").write_bytes(b"of one that was killed")
    await exported(tmp_path, runner({"report.md": b"# New\n"}, text=b"# Newer\n"))
    found = files_in(tmp_path)
    del found["index.json"]
    assert found == {"1-notes.md": b"# Newer\n", "2-Q3-report/report.md": b"# New\n"}


async def test_only_some_tasks_are_exported_and_the_others_stay(tmp_path: Path) -> None:
    await exported(tmp_path)
    await exported(tmp_path, runner({"report.md": b"# New\n"}, text=b"# Newer\n"), only=("2",))
    assert (tmp_path / "1-notes.md").read_bytes() == b"# Notes\n"
    assert (tmp_path / "2-Q3-report" / "report.md").read_bytes() == b"# New\n"
    assert sorted(result["task_id"] for result in index_of(tmp_path)["results"]) == ["1", "2"]
    whole = runner()
    del whole.tasks[-1]
    await exported(tmp_path, whole, only=("1",))
    assert index_of(tmp_path)["is_whole"]
    with pytest.raises(ConfigurationError, match="--only: expected tasks or groups of the plan, but got 7"):
        await exported(tmp_path, only=("7",))


@pytest.mark.parametrize("force", [False, True])
async def test_nothing_is_written_through_a_link(tmp_path: Path, force: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "2-Q3-report").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="expected a folder at 2-Q3-report"):
        await exported(tmp_path / "out", force=force)
    assert files_in(tmp_path / "elsewhere") == {}


async def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="-o: expected a folder"):
        await exported(tmp_path / "file")


async def test_as_json_each_result_is_a_record(tmp_path: Path) -> None:
    output = piped(as_json=True)
    async with at(runner()) as where:
        await export(PLAN_ID, ExportOptions(folder=tmp_path), where, output)
    records = records_of(output)
    assert [record["path"] for record in records] == ["1-notes.md", "2-Q3-report"]
    assert records[1]["main"] == "report.md"


# ---------------------------------------------------------------- artifact


async def asked(wanted: Wanted, *, as_json: bool = False, task: str = "2") -> CommandOutput:
    output = piped(as_json=as_json)
    async with at(runner()) as where:
        assert await artifact(PLAN_ID, task, wanted, where, output) == 0
    return output


async def test_an_artifact_with_files_is_a_table_of_them() -> None:
    output = await asked(Wanted())
    assert [line.split() for line in lines_of(output)] == [
        ["FILE", "TYPE", "SIZE"],
        ["charts/a.png", "image/png", "4.9", "KiB"],
        ["report.md", "(main)", "text/markdown", "27", "bytes"],
    ]
    assert notes_of(output) == [
        "signoff: `signoff artifact trends 2 --file PATH` prints one of them, "
        "`signoff artifact trends 2 -o FOLDER` writes all"
    ]


async def test_one_file_is_printed_or_written_and_all_go_into_a_folder(tmp_path: Path) -> None:
    assert lines_of(await asked(Wanted(path="report.md")))[0] == "# Sales"
    await asked(Wanted(path="charts/a.png", output=str(tmp_path / "a.png")))
    assert (tmp_path / "a.png").read_bytes() == CHART
    await asked(Wanted(output=str(tmp_path / "all")))
    assert files_in(tmp_path / "all") == REPORT
    (tmp_path / "link").symlink_to(tmp_path / "a.png")
    await asked(Wanted(path="report.md", output=str(tmp_path / "link")))
    assert (tmp_path / "a.png").read_bytes() == REPORT["report.md"]


async def test_json_has_the_manifest() -> None:
    (record,) = records_of(await asked(Wanted(), as_json=True))
    assert record["manifest"]["main"] == "report.md"
    assert record["manifest"]["files"][1] == {
        "path": "report.md",
        "media_type": "text/markdown",
        "size_bytes": 27,
        "digest": sha256(REPORT["report.md"]).hexdigest(),
    }


async def test_what_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"one of the files 'charts/a\.png', 'report\.md', but got '\.\./x'"):
        await asked(Wanted(path="../x"))
    with pytest.raises(ConfigurationError, match="expected a result with files, but the artifact of 1 is one content"):
        await asked(Wanted(path="x"), task="1")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="-o: expected a folder for 2 files"):
        await asked(Wanted(output=str(tmp_path / "file")))
