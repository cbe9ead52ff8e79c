"""Results of several files while processes are killed: nothing is lost, and nothing is left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner_svc.core.model.states import ExecutionState
from signoff.client.result_files import ResultOf, files_of
from signoff.client.values import by_execution
from signoff.manifest.manifest import Manifest
from tests.support.processes.cluster import QUICK, Cluster, Shape
from tests.support.servers.service import until
from tests.support.values.plans import Plan

FILES, SIZE = 40, 3_000_000  # of a result, and bytes of each: an upload takes some tenths of a second
SMALL = 200

_MAKE = f"""
import os
for number in range({FILES}):
    open(f"outputs/{{number:03}}.bin", "wb").write(os.urandom({SIZE}))
for number in range({SMALL}):
    open(f"outputs/{{number:03}}.txt", "w").write(os.urandom(8).hex())
"""
_READ = """
import glob, os, sys
print(sum(os.path.getsize(path) for path in glob.glob(sys.argv[1] + "/*")))
"""


def plan() -> Plan:
    tasks = [
        {
            "task_id": "1",
            "description": "Make files",
            "input": {"description": "nothing"},
            "output": {"artifact": "made", "files": ["*"]},
            "executor": {"command": ["python", "-c", _MAKE]},
            "validation": {"checks": [{"type": "file_size", "file": "*.bin", "min_bytes": SIZE, "max_bytes": SIZE}]},
        },
        {
            "task_id": "2",
            "description": "Add up their sizes",
            "input": {"artifacts": ["made"]},
            "output": {"artifact": "sum", "format": "text"},
            "dependencies": ["1"],
            "executor": {"command": ["python", "-c", _READ, "{input:made}"]},
            "validation": {"checks": [{"type": "contains", "phrases": [str(FILES * SIZE + SMALL * 16)]}]},
        },
    ]
    return Plan(
        plan_id="files",
        body=json.dumps({"idea": "files", "tasks": tasks}).encode(),
        before={"1": frozenset(), "2": frozenset({"1"})},
    )


def objects(cluster: Cluster) -> list[str]:
    """Returns the names of the objects that are whole."""
    return sorted(path.name for path in (cluster.data / ".signoff" / "objects").glob("??/*"))


def unfinished(cluster: Cluster) -> list[Path]:
    return [*(cluster.data / ".signoff" / "objects" / "incoming").glob("*")]


def scratch(folder: Path) -> Iterator[Path]:
    """Yields what lies in the temporary folders of workers."""
    return (folder / "tmp").glob("signoff-worker-*/*")


@pytest.mark.parametrize("victim", ["runner", pytest.param("executor-1", marks=pytest.mark.long)])
async def test_a_kill_in_the_middle_of_an_upload_loses_nothing_and_leaves_nothing_behind(
    victim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    flags = (*QUICK, "--keep-uploads", "2")
    shape = Shape(
        folder=tmp_path,
        executors=1,
        validators=1,
        recorded=False,
        runner_flags=flags,
        worker_flags=("--allow-commands",),
    )
    async with Cluster(shape) as cluster:
        watched = await cluster.start(plan())
        await until(lambda: len(objects(cluster)) >= 3, "some files have come")
        await cluster[victim].kill()
        assert len(objects(cluster)) < FILES, "the upload was cut off in its middle"
        for file in (cluster.data / ".signoff" / "objects").glob("??/*"):
            os.utime(file, (0, 0))  # so that a start does not keep it for an hour
        await cluster[victim].start()
        state = await cluster.ends_well()
        assert [each.state for each in state.executions.values()] == [ExecutionState.SUCCEEDED]
        ref = by_execution(watched.execution_id)
        manifest = files_of(await cluster.client.artifact(ref, "1"))
        assert isinstance(manifest, Manifest)
        assert (len(manifest.files), manifest.size) == (FILES + SMALL, FILES * SIZE + SMALL * 16)
        await cluster.client.save_files(ResultOf(ref=ref, task_id="1"), manifest, tmp_path / "saved")
        named = sorted(file.digest for file in manifest.files if file.path.endswith(".bin"))
        await until(lambda: objects(cluster) == named, "no object is left that nothing names")
        assert unfinished(cluster) == []
        await until(lambda: not [*scratch(tmp_path)], "workers leave no files behind")
