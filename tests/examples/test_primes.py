"""The example of commands runs as its page says: real processes, no model, no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.processes.commands import EXAMPLES, processes_with, signoff

PLAN = EXAMPLES / "primes" / "plan.json"


async def test_the_primes_are_counted_and_signed_off_without_a_model_and_read_as_the_page_says(tmp_path: Path) -> None:
    ended = await signoff("run", PLAN, "--allow-commands", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "13 of 13 signed off" in ended.out
    assert content(tmp_path, "3")["primes"] == 148_933
    assert "There are **148,933** of them" in content(tmp_path, "4_2")
    assert list(processes_with(str(tmp_path))) == [], "no process is left behind"
    report = await signoff("artifact", "primes", "4_2", cwd=tmp_path)
    assert report.out.startswith("# The primes below 2,000,000\n")


def content(folder: Path, task_id: str) -> Any:
    return json.loads((folder / "db" / "primes" / task_id / "output.json").read_text())["content"]
