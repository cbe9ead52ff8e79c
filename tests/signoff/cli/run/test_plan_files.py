"""Plan files: their names, and what is said about them."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from signoff.cli.run.compile_plan import compile_plan, ended_by_interrupt
from signoff.cli.run.plan_files import Finding, plan_id_in, plan_id_of, read_plan, remember_file, show_findings
from signoff.errors import ConfigurationError
from tests.support.processes.commands import environment, start_signoff
from tests.support.processes.screens import lines_of, notes_of, piped
from tests.support.servers.service import until

GOOD: dict[str, Any] = {
    "idea": "x",
    "tasks": [{"task_id": "1", "input": {"description": "i"}, "output": {"description": "o"}}],
}
BAD = {"tasks": [{"task_id": "1", "dependencies": ["2"]}, {"task_id": "1"}]}


@pytest.mark.parametrize(
    ("file", "plan_id"),
    [
        ("examples/ai_trends/plan.json", "ai_trends"),
        ("trends.json", "trends"),
        ("trends.plan.json", "trends"),
        ("My plan (2).json", "My_plan__2_"),
        ("研究.json", "plan-4ff0f1dd"),
        ("2026年报.json", "2026-7ca7f054"),
        ("café.json", "caf-850f7dc4"),
        ("cafe\u0301.json", "caf-850f7dc4"),
        ("???.json", "___"),
        ("a/../../b.json", "b"),
        ("x" * 300 + ".json", "x" * 119 + "-0d4e2ca9"),
        ("-", ""),
    ],
)
def test_a_plan_is_named_after_its_file(file: str, plan_id: str) -> None:
    assert plan_id_of(file) == plan_id


def test_names_of_which_letters_are_lost_have_an_id_each_whichever_way_they_are_written() -> None:
    assert plan_id_of("季报.json") != plan_id_of("年报.json")
    assert plan_id_of("x" * 300 + ".json") != plan_id_of("x" * 301 + ".json")
    assert plan_id_of("caf\u00e9.json") == plan_id_of("cafe\u0301.json")


def file_in(folder: Path, name: str = "plan.json") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("{}")
    return str(folder / name)


@pytest.mark.guard(name="an id is one file's")
def test_a_second_file_under_one_id_asks_for_another(tmp_path: Path) -> None:
    db, first, second = tmp_path / "db", file_in(tmp_path / "a" / "job"), file_in(tmp_path / "b" / "job")
    assert plan_id_in(db, first) == plan_id_in(db, second) == "job"
    remember_file(db, "job", first)
    assert plan_id_in(db, first) == "job"
    with pytest.raises(ConfigurationError) as caught:
        plan_id_in(db, second)
    assert str(caught.value) == (
        f"expected an id of its own for {second}, but job is that of {first}: name one with --plan-id"
    )


def test_a_file_that_was_moved_keeps_its_id(tmp_path: Path) -> None:
    db, first = tmp_path / "db", file_in(tmp_path / "a" / "job")
    remember_file(db, "job", first)
    moved = file_in(tmp_path / "b" / "job")
    Path(first).unlink()
    assert plan_id_in(db, moved) == "job"


def test_a_plan_that_an_earlier_version_has_run_keeps_its_id_and_the_next_one_gets_its_own(tmp_path: Path) -> None:
    db = tmp_path / "db"
    file_in(db / "__")  # as an earlier version has left it
    first, second = file_in(tmp_path, "季报.json"), file_in(tmp_path, "年报.json")
    assert plan_id_in(db, first) == "__"
    remember_file(db, "__", first)
    assert plan_id_in(db, first) == "__"
    assert plan_id_in(db, second) == plan_id_of(second)


def test_plan_json_in_the_working_directory_is_named_after_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "garden").mkdir()
    monkeypatch.chdir(tmp_path / "garden")
    assert plan_id_of("plan.json") == "garden"


def test_a_missing_file_and_a_folder_are_blamed_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"expected a plan file, but there is no .*gone\.json"):
        read_plan(str(tmp_path / "gone.json"))
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        read_plan(str(tmp_path))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    assert read_plan("-") == b"{}"


def test_errors_are_always_shown_and_warnings_in_short() -> None:
    output = piped()
    show_findings(output, [finding("warning", str(n)) for n in range(9)] + [finding("error", "bad")], at_most=2)
    assert notes_of(output) == [
        "signoff: error code at tasks[0]: bad",
        "signoff: warning code at tasks[0]: 0",
        "signoff: warning code at tasks[0]: 1",
        "signoff: and 7 more warnings: `signoff compile` shows them all",
    ]


def finding(severity: str, message: str) -> Finding:
    return Finding(code="code", severity=severity, task_ids=(), message=message, path="tasks[0]")


def written(folder: Path, plan: object) -> str:
    file = folder / "garden.json"
    file.write_text(json.dumps(plan))
    return str(file)


def test_compile_prints_the_map_and_nothing_else(tmp_path: Path) -> None:
    output = piped()
    assert compile_plan(written(tmp_path, GOOD), None, output, plan_id="", infer=True) == 0
    document = json.loads("\n".join(lines_of(output)))
    assert (document["plan_id"], [task["task_id"] for task in document["tasks"]]) == ("garden", ["1"])
    assert any("no-criteria" in note for note in notes_of(output))


def test_compile_writes_a_file_when_asked(tmp_path: Path) -> None:
    output = piped()
    file = tmp_path / "out" / "execution.json"
    assert compile_plan(written(tmp_path, GOOD), str(file), output, plan_id="mine", infer=True) == 0
    assert json.loads(file.read_text())["plan_id"] == "mine"
    assert lines_of(output) == []


def test_compile_writes_into_a_pipe_and_leaves_it_there(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_bytes)
        assert compile_plan(written(tmp_path, GOOD), str(tmp_path / "pipe"), piped(), plan_id="mine", infer=True) == 0
        assert json.loads(read.result(10))["plan_id"] == "mine"
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_compile_as_root_leaves_a_device_a_device(tmp_path: Path) -> None:
    device = tmp_path / "null"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    assert compile_plan(written(tmp_path, GOOD), str(device), piped(), plan_id="mine", infer=True) == 0
    assert stat.S_ISCHR(device.stat().st_mode)


def test_compile_into_a_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^expected a file, a pipe or a device, but .* is a folder$"):
        compile_plan(written(tmp_path, GOOD), str(tmp_path), piped(), plan_id="mine", infer=True)


@pytest.mark.guard(name="no command writes over what it reads")
@pytest.mark.parametrize("target", ["garden.json", "link"])
def test_a_plan_is_not_compiled_over_itself(target: str, tmp_path: Path) -> None:
    plan = written(tmp_path, GOOD)
    (tmp_path / "link").symlink_to("garden.json")
    before = Path(plan).read_bytes()
    with pytest.raises(
        ConfigurationError, match=r"^expected another file for the answer than .*garden\.json, which is"
    ):
        compile_plan(plan, str(tmp_path / target), piped(), plan_id="", infer=True)
    assert Path(plan).read_bytes() == before


@pytest.mark.guard(name="no command writes over what it reads")
def test_a_plan_on_standard_input_is_not_compiled_over_itself(tmp_path: Path) -> None:
    plan = Path(written(tmp_path, GOOD))
    before = plan.read_bytes()
    with plan.open("rb") as stdin:
        command = [sys.executable, "-m", "signoff.cli", "compile", "-", "-o", str(plan)]
        ended = subprocess.run(command, stdin=stdin, env=environment(), capture_output=True, text=True, check=False)
    assert (ended.returncode, plan.read_bytes()) == (2, before)
    assert "expected another file for the answer than /dev/stdin" in ended.stderr


def test_a_pipe_whose_reader_goes_away_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    plan = written(tmp_path, {**GOOD, "idea": "long " * 100_000})
    with subprocess.Popen(
        [sys.executable, "-m", "signoff.cli", "compile", plan, "-o", str(tmp_path / "pipe")],
        stderr=subprocess.PIPE,
        env=environment(),
    ) as compiling:
        with (tmp_path / "pipe").open("rb") as reader:
            reader.read(1)
        _, said = compiling.communicate(timeout=30)
    last = said.decode().splitlines()[-1]
    assert (compiling.returncode, last.endswith("to be read to its end, but its reader has gone")) == (2, True)
    assert "Traceback" not in said.decode()


def test_a_plan_with_errors_gets_every_diagnostic_and_no_map(tmp_path: Path) -> None:
    output = piped()
    assert compile_plan(written(tmp_path, BAD), None, output, plan_id="", infer=True) == 2
    told = "\n".join(notes_of(output))
    assert "duplicate-id" in told
    assert "unknown-dependency" in told
    assert lines_of(output) == []


def test_diagnostics_can_be_had_as_json(tmp_path: Path) -> None:
    output = piped(as_json=True)
    compile_plan(written(tmp_path, BAD), None, output, plan_id="", infer=True)
    codes = {json.loads(line)["code"] for line in notes_of(output)}
    assert "duplicate-id" in codes


def worded(count: int) -> dict[str, object]:
    return {"tasks": [{**GOOD["tasks"][0], "validation": {"criteria": ["good", *["At least three words."] * count]}}]}


def test_criteria_that_became_checks_are_told(tmp_path: Path) -> None:
    output = piped()
    assert compile_plan(written(tmp_path, worded(2)), None, output, plan_id="", infer=True) == 0
    assert notes_of(output) == [
        f'signoff: note: 1 criterion {n} "At least three words." is checked by code: '
        "has at least 3 words; where ways to count words disagree, the judge decides"
        for n in (2, 3)
    ]


def test_of_many_notes_the_first_are_shown_and_a_program_gets_all(tmp_path: Path) -> None:
    shown, recorded = piped(), piped(as_json=True)
    for output in (shown, recorded):
        compile_plan(written(tmp_path, worded(25)), None, output, plan_id="", infer=True)
    assert len(notes_of(shown)) == 21
    assert notes_of(shown)[-1] == "signoff: … and 5 more"
    notes = [json.loads(line)["note"] for line in notes_of(recorded)]
    assert len(notes) == 25
    assert notes[0].startswith('1 criterion 2 "At least three words."')


def test_a_file_that_cannot_be_written_is_blamed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="expected a file that can be written"):
        compile_plan(written(tmp_path, GOOD), str(tmp_path / "file" / "x"), piped(), plan_id="", infer=True)


async def test_ctrl_c_ends_a_long_compile_at_once(tmp_path: Path) -> None:
    """Ctrl-C also ends a single step that takes seconds, as reading this file does."""
    plan = tmp_path / "plan.json"
    plan.write_bytes(b'{"idea": "", "tasks": [' + b'{"a": [1, 2, 3]}, ' * 3_000_000 + b"{}]}")
    process = await start_signoff("compile", plan, cwd=tmp_path)
    try:
        await until(lambda: _memory_of(process.pid) > 150 << 20, "it reads the plan")
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await process.communicate()
        assert time.monotonic() - begun < 3
        assert process.returncode == -signal.SIGINT  # a shell says 130
    finally:
        with suppress(ProcessLookupError):
            process.kill()


def _memory_of(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    return 0


def test_ctrl_c_is_python_s_own_again_after_a_compile() -> None:
    with ended_by_interrupt():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_ctrl_c_that_another_handles_is_left_to_it() -> None:
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ended_by_interrupt():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)
