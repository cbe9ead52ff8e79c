"""docs/reference/workers.md says what is true: its code runs, its flags exist, its names are those of signoff.app."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import signoff.app
from signoff.app import Context, Task
from tests.support.processes.commands import ROOT
from tests.support.work.functions import HeardLine, job
from worker_svc.functions.job import Judged, Made
from worker_svc.functions.loading import Functions, functions_of

PAGE = (ROOT / "docs" / "reference" / "workers.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Functions:
    """Loads the first code of the page, and its validator, as one app."""
    first, *_, judging = blocks("python")
    (tmp_path / "page_worker.py").write_text(f"{first}\n{judging}")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "page_worker", raising=False)
    return functions_of(["page_worker:app"])


def test_the_five_lines_do_the_task_beside_them(functions: Functions) -> None:
    task: dict[str, Any] = json.loads(blocks("json")[0])
    executor = functions.executors[task["executor"]]
    given = job(parameters=task["input"]["parameters"])
    made = executor.call(given, HeardLine())
    assert made == Made(content=b'["Mars, part 1","Mars, part 2","Mars, part 3"]', media_type="application/json")


@pytest.mark.parametrize(
    ("candidate", "judged"),
    [
        ('["Mars, part 1"]', Judged(is_pass=True)),
        ('["Venus"]', Judged(is_pass=False, reason="complete says no: Every paper is about the topic.")),
        ("[]", Judged(is_pass=False, reason="there are no papers", retry=False)),
    ],
)
def test_the_validator_of_the_page_judges(candidate: str, judged: Judged, functions: Functions) -> None:
    given = job(parameters={"topic": "Mars"}, candidate=candidate)
    assert functions.validators["complete"].call(given, HeardLine()) == judged


def test_every_flag_of_the_table_exists() -> None:
    section = PAGE.partition("## Starting workers")[2].partition("## Security")[0]
    flags = set(re.findall(r"--[a-z][a-z-]+", section))
    shown = subprocess.run([sys.executable, "-m", "worker_svc", "--help"], capture_output=True, text=True, check=True)
    assert {"--app", "--role", "--allow-commands", "--labels"} <= flags
    assert [flag for flag in sorted(flags - {"--help"}) if flag not in shown.stdout] == []


def test_every_name_of_the_context_and_of_the_package_exists() -> None:
    section = PAGE.partition("## The context")[2].partition("## Judging")[0]
    first_column = "".join(re.findall(r"^\|([^|]*)\|", section, re.MULTILINE))
    names = set(re.findall(r"ctx\.(\w+)", first_column))
    assert names == {name for name in dir(Context) if not name.startswith("_")}
    (row,) = re.findall(r"\| `ctx\.task` \|(.*)\|", section)
    assert set(re.findall(r"`(\w+)`", row)) == set(Task.__slots__)
    imported = re.findall(r"from signoff\.app import (.+)", PAGE)
    assert {name for line in imported for name in line.split(", ")} <= set(signoff.app.__all__)
