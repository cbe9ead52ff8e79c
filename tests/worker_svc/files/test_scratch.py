"""A killed worker leaves nothing behind for long: the next one removes what it has left, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from worker_svc.files.scratch import PREFIX, remove_left_overs

MAKING = """
import sys
from worker_svc.files.scratch import new_folder
folder = new_folder()
(folder / "large").write_bytes(bytes(1000))
print(folder, flush=True)
sys.stdin.read()
"""


def started(base: Path) -> tuple[subprocess.Popen[str], Path]:
    """Starts a process that has made a folder, and returns both."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(base)},
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@pytest.mark.guard(name="only folders of dead workers are removed")
def test_folders_of_killed_workers_are_removed_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    (killed, left), (living, used) = started(tmp_path), started(tmp_path)
    (tmp_path / "other").mkdir()
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert (left / "large").exists()
        assert remove_left_overs(tmp_path) == 1
        assert not left.parent.exists()
        assert (used / "large").exists()
        assert (tmp_path / "other").exists()
        assert remove_left_overs(tmp_path) == 0
    finally:
        for process in (killed, living):
            process.communicate()
    assert not used.parent.exists()  # it has ended in order


def test_a_link_that_has_such_a_name_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / f"{PREFIX}x").symlink_to(tmp_path / "kept")
    assert remove_left_overs(tmp_path) == 0
    assert (tmp_path / "kept" / "file").exists()
