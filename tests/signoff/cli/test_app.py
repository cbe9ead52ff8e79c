"""The program as a user meets it: help, exit codes, and one line for an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from signoff.cli import main


def signoff(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SIGNOFF_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "SIGNOFF_RUNNER", "SIGNOFF_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("signoff.cli.remote.find_runner.RUNNER_ADDRESS", "127.0.0.1:1")
    monkeypatch.chdir(tmp_path)


def plan_file(folder: Path) -> str:
    file = folder / "garden.json"
    tasks = [{"task_id": "1", "input": {"description": "i"}, "output": {"description": "o"}}]
    file.write_text(json.dumps({"idea": "x", "tasks": tasks}))
    return str(file)


def test_help_is_plain_in_a_pipe_and_imports_nothing_heavy() -> None:
    probe = (
        "import sys\n"
        "from signoff.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'grpc', 'networkx', 'openai', 'pydantic', 'google.protobuf'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    shown = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert "run " in shown.stdout
    assert "╭" not in shown.stdout
    assert "\x1b" not in shown.stdout


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "compile",
        "graph",
        "serve",
        "watch",
        "status",
        "why",
        "story",
        "artifact",
        "workers",
        "pause",
        "resume",
        "stop",
        "retry",
    ],
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert signoff(command, "--help") == 0
    assert f"signoff {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert signoff("--version") == 0
    assert capsys.readouterr().out.startswith("signoff 0.")


def test_run_without_a_model_says_which_two_things_to_choose_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert signoff("run", plan_file(tmp_path)) == 2
    said = capsys.readouterr().err
    assert "--model mock" in said
    assert "OPENAI_API_KEY" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "db").exists()


def test_run_of_a_missing_file_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert signoff("run", "gone.json", "--model", "mock") == 2
    assert capsys.readouterr().err == "signoff: expected a plan file, but there is no gone.json\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "plan.json", "--executors", "0"],
        ["run", "plan.json", "--max-failures", "many"],
        ["run", "plan.json", "--rollback-scope", "everything"],
        ["run"],
        ["what"],
    ],
)
def test_a_wrong_flag_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert signoff(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_mock_option_that_does_not_exist_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert signoff("run", plan_file(tmp_path), "--model", "mock:speed=3") == 2
    assert capsys.readouterr().err.startswith("signoff: ")


def test_a_question_without_a_runner_is_exit_code_2_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert signoff("status") == 2
    said = capsys.readouterr().err
    assert said.startswith("signoff: expected a runner or what one left behind")
    assert said.count("\n") == 1


def test_the_runner_can_be_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGNOFF_RUNNER", "127.0.0.1:1")
    assert signoff("why", "garden") == 2
    assert capsys.readouterr().err == "signoff: no runner answers at 127.0.0.1:1: `signoff serve` starts one\n"


def test_compile_ends_with_the_compilers_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert signoff("compile", plan_file(tmp_path)) == 0
    assert json.loads(capsys.readouterr().out)["plan_id"] == "garden"
    (tmp_path / "bad.json").write_text("not json")
    assert signoff("compile", str(tmp_path / "bad.json")) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "signoff: error not-json" in captured.err


# ---------------------------------------------------------------- bytes that are no text


NO_UTF8 = os.fsdecode(b"a\xff")


@pytest.mark.guard(name="what is no UTF-8 is refused")
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        *(((command, NO_UTF8, "1"), "PLAN_ID") for command in ("why", "story", "artifact", "candidate", "prompt")),
        *(((command, "p", NO_UTF8), "TASK_ID") for command in ("thinking", "retry", "budget", "approve")),
        (("status", "--text", NO_UTF8), "--text"),
        (("status", "--plan", NO_UTF8), "--plan"),
        (("status", "--runner", NO_UTF8), "--runner"),
        (("status", "--since", NO_UTF8), "--since"),
        (("compile", "plan.json", "--plan-id", NO_UTF8), "--plan-id"),
        (("run", "plan.json", "--model", "mock", "--plan-id", NO_UTF8), "--plan-id"),
        (("run", "plan.json", "--model", "mock", "--only", "1", "--only", NO_UTF8), "--only"),
        (("diff", "plan.json", "--model", "mock", "--set", NO_UTF8), "--set"),
    ],
)
def test_bytes_that_are_no_utf8_are_refused_in_one_line(
    arguments: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert signoff(*arguments) == 2
    assert capsys.readouterr().err == f"signoff: expected UTF-8 in {name}, but got 'a\\xff'\n"


def test_paths_may_have_any_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Path(plan_file(tmp_path)).rename(tmp_path / f"{NO_UTF8}.json")
    assert signoff("compile", str(plan), "-o", str(tmp_path / NO_UTF8)) == 0
    assert (tmp_path / NO_UTF8).exists()
    assert signoff("compile", str(plan), "-o", str(plan)) == 2
    assert "expected another file" in capsys.readouterr().err
