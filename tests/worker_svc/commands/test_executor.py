"""Commands make candidates: the files a program finds, the fate of its output, and the meaning of its end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop
from structlog.testing import capture_logs

from signoff.service.logs import LOG_FILE
from signoff.v1 import execution_pb2, worker_pb2
from tests.support.work.givens import Heard, artifact
from tests.support.work.programs import commanded, left_in, python
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Feedback
from worker_svc.commands import CommandExecutor

TRANSIENT, PERMANENT = execution_pb2.FAILURE_KIND_TRANSIENT, execution_pb2.FAILURE_KIND_PERMANENT


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "base"


@pytest.fixture
def executor(base: Path) -> CommandExecutor:
    return CommandExecutor(base)


async def made(executor: CommandExecutor, assignment: Assignment) -> str:
    """Returns the text that a command makes."""
    result = await executor(assignment, Heard())
    assert isinstance(result, CandidateResult), result
    return result.content.decode()


async def failed(executor: CommandExecutor, assignment: Assignment) -> FailureResult:
    result = await executor(assignment, Heard())
    assert isinstance(result, FailureResult), result
    return result


# ---------------------------------------------------------------- the candidate


async def test_standard_output_is_the_candidate(executor: CommandExecutor) -> None:
    result = await executor(python("print('{}')", output_format="JSON: {}"), Heard())
    assert isinstance(result, CandidateResult)
    assert (result.content, result.media_type) == (b"{}\n", "application/json")
    assert (result.maker,) == executor.offer.makers
    assert executor.offer.handlers == ("command",)


async def test_bytes_that_are_no_text_come_through_as_they_are(executor: CommandExecutor) -> None:
    result = await executor(python("import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000)"), Heard())
    assert isinstance(result, CandidateResult)
    assert result.content == bytes(range(256)) * 1000


async def test_a_program_that_says_nothing_makes_an_empty_candidate(executor: CommandExecutor) -> None:
    assert await made(executor, commanded("true")) == ""


async def test_there_is_no_shell(executor: CommandExecutor) -> None:
    assert await made(executor, commanded("echo", "$HOME; echo *", "`id`")) == "$HOME; echo * `id`\n"


async def test_python_is_the_workers_own(executor: CommandExecutor) -> None:
    for name in ("python", "python3"):
        output = await made(executor, commanded(name, "-c", "import sys; print(sys.prefix)"))
        assert output.strip() == sys.prefix


@pytest.mark.parametrize("size", [64 * 1024**2, 64 * 1024**2 + 1])
async def test_a_candidate_has_64_mib_at_most(executor: CommandExecutor, base: Path, size: int) -> None:
    result = await executor(commanded("head", "-c", str(size), "/dev/zero"), Heard())
    if isinstance(result, CandidateResult):
        assert len(result.content) == size == 64 * 1024**2
    else:
        assert result == FailureResult(
            kind=PERMANENT,
            message=f"the command `head -c {size} /dev/zero` wrote more than 67108864 bytes to its standard output, "
            "and was ended",
        )
    assert left_in(base) == []


async def test_a_program_that_writes_without_end_is_ended(executor: CommandExecutor, base: Path) -> None:
    failure = await failed(executor, commanded("yes"))
    assert "wrote more than 67108864 bytes" in failure.message
    assert left_in(base) == []


# ---------------------------------------------------------------- what a program finds


async def test_its_folder_has_the_inputs_and_the_task_and_nothing_else(executor: CommandExecutor) -> None:
    inputs = (artifact("red", name="colour", task_id="1"), artifact(b"\x00\xff", name="", task_id="2"))
    listed = await made(executor, commanded("find", ".", "-type", "f", inputs=inputs))
    assert sorted(listed.split()) == ["./inputs/2.txt", "./inputs/colour.txt", "./task.json"]
    reading = "import sys; print([open(path, 'rb').read() for path in sys.argv[1:]])"
    read = await made(executor, commanded("python", "-c", reading, "{input:colour}", "{input:2}", inputs=inputs))
    assert read == "[b'red', b'\\x00\\xff']\n"


async def test_task_json_tells_what_is_to_be_done(executor: CommandExecutor) -> None:
    colour = artifact("red", name="Farbe 颜色", task_id="1")
    rejected = replace(artifact("[]"), media_type="application/json")
    result = execution_pb2.CriterionResult(criterion="is bright", outcome=execution_pb2.OUTCOME_FAIL, reason="dim")
    feedback = Feedback(
        summary="too dim", results=(result,), previous_candidate=rejected, earlier=("attempt 1: too dark",)
    )
    assignment = commanded(
        "cat", "{task}", inputs=(colour,), attempt=2, feedback=feedback, parameters_json='{"n": 12345678901234567890}'
    )
    omitted = worker_pb2.OmittedInput(name="shape", reason="too large")
    output = json.loads(await made(executor, replace(assignment, omitted=(omitted,))))
    assert output == {
        "plan_id": "plan",
        "idea": "Know the sky",
        "task_id": "1_1",
        "attempt": 2,
        "description": "List the planets",
        "input": {"description": "What is known", "parameters": {"n": 12345678901234567890}},
        "inputs": [
            {
                "name": "Farbe 颜色",
                "task_id": "1",
                "path": "inputs/Farbe_颜色.txt",
                "media_type": "text/plain",
                "digest": colour.digest,
                "size_bytes": 3,
            }
        ],
        "omitted": [{"name": "shape", "reason": "too large"}],
        "output": {"description": "The planets", "artifact": "planets", "format": ""},
        "candidate": None,
        "feedback": {
            "summary": "too dim",
            "results": [{"criterion": "is bright", "outcome": "fail", "reason": "dim"}],
            "previous": {
                "name": "planets",
                "task_id": "1_1",
                "path": "previous.json",
                "media_type": "application/json",
                "digest": rejected.digest,
                "size_bytes": 2,
            },
            "earlier": ["attempt 1: too dark"],
        },
    }


async def test_the_candidate_that_was_rejected_is_a_file_too(executor: CommandExecutor) -> None:
    feedback = Feedback(summary="no", results=(), previous_candidate=artifact("dim"))
    assert await made(executor, commanded("cat", "previous.txt", attempt=2, feedback=feedback)) == "dim"


@pytest.mark.parametrize(
    ("inputs", "read"), [((), ""), ((artifact("red"),), "red"), ((artifact("red"), artifact("blue", name="b")), "")]
)
async def test_the_only_input_is_standard_input(executor: CommandExecutor, inputs: tuple[()], read: str) -> None:
    assert await made(executor, commanded("cat", inputs=inputs)) == read


async def test_names_that_lead_elsewhere_stay_inside(executor: CommandExecutor, base: Path) -> None:
    inputs = tuple(artifact(name, name=name) for name in ("../../x", "/etc/passwd", "a\x00b", "..", "-rf"))
    output = await made(
        executor, commanded("python", "-c", "import os; print(sorted(os.listdir('inputs')))", inputs=inputs)
    )
    assert output == "['_.._x.txt', '_etc_passwd.txt', 'a_b.txt', 'input.txt', 'rf.txt']\n"
    found = await made(executor, commanded("cat", "{input:../../x}", inputs=inputs))
    assert found == "../../x"
    assert list(base.parent.iterdir()) == [base]


async def test_its_environment_is_small_and_has_no_keys(
    executor: CommandExecutor, monkeypatch: pytest.MonkeyPatch, base: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("SIGNOFF_MODEL", "mock")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    lines = (await made(executor, commanded("env"))).splitlines()
    output = dict(line.split("=", 1) for line in lines)
    home = Path(output["HOME"])
    assert home.parent == base
    assert output == {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "SIGNOFF_PLAN_ID": "plan",
        "SIGNOFF_TASK_ID": "1_1",
        "SIGNOFF_ATTEMPT": "1",
        "SIGNOFF_INPUTS": str(home / "inputs"),
        "SIGNOFF_TASK": str(home / "task.json"),
    }
    assert "sk-secret" not in await made(executor, commanded("sh", "-c", "cat /proc/$PPID/environ"))


async def test_it_gets_no_other_file_of_the_worker(executor: CommandExecutor) -> None:
    output = await made(executor, python("import os; print(sorted(os.listdir('/proc/self/fd')))"))
    assert output == "['0', '1', '2', '3']\n"  # the last one is the folder that is listed


async def test_it_ignores_and_blocks_no_signals(executor: CommandExecutor) -> None:
    output = await made(executor, commanded("grep", "-E", "SigIgn|SigBlk", "/proc/self/status"))
    assert [int(line.split()[1], 16) for line in output.splitlines()] == [0, 0]


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("argv", "kind", "problem"),
    [
        (["sh", "-c", "exit 1"], TRANSIENT, "exited with code 1"),
        (["sh", "-c", "exit 255"], TRANSIENT, "exited with code 255"),
        (["sh", "-c", "exit 75"], TRANSIENT, "exited with code 75"),
        (["sh", "-c", "exit 64"], PERMANENT, "exited with code 64"),
        (["sh", "-c", "exit 78"], PERMANENT, "exited with code 78"),
        (["env", "no-such-program"], PERMANENT, "exited with code 127"),
        (["no-such-program"], PERMANENT, "could not be run: No such file or directory (programs come from"),
        (["./x.py"], PERMANENT, "could not be run: No such file or directory (programs come from"),
        (["/etc/passwd"], PERMANENT, "could not be run: Permission denied"),
        (["/"], PERMANENT, "could not be run: Permission denied"),
        (["echo", "a\0b"], PERMANENT, "could not be run: embedded null byte"),
        (["echo", "x" * 200_000], PERMANENT, "could not be run: Argument list too long"),
        (["sh", "-c", "kill -HUP $$"], TRANSIENT, "was ended by SIGHUP"),
        (["sh", "-c", "kill -KILL $$"], TRANSIENT, "was ended by SIGKILL (it may have 2048 MiB of memory)"),
        (["sh", "-c", "kill -40 $$"], TRANSIENT, "was ended by signal 40"),
        ([], PERMANENT, "expected a program and its arguments, but the plan names no program"),
        ([""], PERMANENT, "expected a program and its arguments, but the plan names no program"),
    ],
)
async def test_how_a_program_ends_says_whether_to_try_again(
    executor: CommandExecutor, base: Path, argv: Sequence[str], kind: int, problem: str
) -> None:
    failure = await failed(executor, commanded(*argv))
    assert failure.kind == kind
    assert problem in failure.message
    assert left_in(base) == []


async def test_a_failure_quotes_the_end_of_standard_error(executor: CommandExecutor) -> None:
    program = "import sys; sys.stderr.write('x' * 9000 + '\\n\\x1b[31mno colour\\x1b[0m\\n'); sys.exit(3)"
    failure = await failed(executor, python(program))
    _, _, words = failure.message.partition("; the end of its standard error:\n")
    assert words.endswith("x\nno colour")
    assert 4000 < len(words) <= 4096


async def test_of_a_long_standard_error_the_log_has_more_and_the_message_says_where(
    executor: CommandExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LOG_FILE, "db/.signoff/logs/executor-1.log")
    program = "import sys; sys.stderr.write('begin' + 'x' * 9000); sys.exit(3)"
    with capture_logs() as logs:
        failure = await failed(executor, python(program))
    assert "(more of its standard error is in db/.signoff/logs/executor-1.log); the end of its" in failure.message
    (entry,) = logs
    assert (entry["event"], entry["stderr"]) == ("command_failed", "begin" + "x" * 9000)


async def test_a_python_program_that_raises_is_named_with_its_line(executor: CommandExecutor) -> None:
    script = "import json\ndef read():\n    json.loads('{')\nread()\n"
    program = f"open('read.py', 'w').write({script!r}); import runpy; runpy.run_path('read.py', run_name='__main__')"
    failure = await failed(executor, python(program))
    assert " exited with code 1 at read.py:3 in read; the end of its standard error:" in failure.message


@pytest.mark.parametrize(
    ("script", "is_same"),
    [
        ("echo bad row >&2; exit 1", True),
        ("exit 3", True),
        ("echo in $TMPDIR >&2; exit 1", True),
        ("echo row $SIGNOFF_ATTEMPT >&2; exit 1", False),
        ("exit 75", False),
        ("kill -KILL $$", False),
        ("exit 137", False),
        ("echo 'curl: (7) Failed to connect to x' >&2; exit 7", False),
        ("echo 'MemoryError' >&2; exit 1", False),
    ],
)
async def test_what_fails_in_the_same_way_twice_has_one_gist_and_what_may_pass_has_none(
    executor: CommandExecutor, script: str, is_same: bool
) -> None:
    first, second = [await failed(executor, commanded("sh", "-c", script, attempt=attempt)) for attempt in (1, 2)]
    assert (first.gist != "" and first.gist == second.gist) == is_same


async def test_an_input_that_is_not_there_is_named_with_those_that_are(executor: CommandExecutor) -> None:
    inputs = (artifact("red", name="colour"), artifact("7", name="", task_id="2"))
    omitted = worker_pb2.OmittedInput(name="shape", reason="too large")
    assignment = replace(commanded("cat", "{input:shape}", inputs=inputs), omitted=(omitted,))
    assert await failed(executor, assignment) == FailureResult(
        kind=PERMANENT,
        message="expected an input named shape, but the task receives colour, 2 (shape was left out: too large)",
    )


async def test_a_folder_that_cannot_be_made_is_a_passing_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    failure = await failed(CommandExecutor(tmp_path / "file"), commanded("true"))
    assert failure.kind == TRANSIENT
    assert "the command `true` could not be run on this machine: " in failure.message


# ---------------------------------------------------------------- while it runs


async def test_standard_error_is_thinking_line_by_line(executor: CommandExecutor) -> None:
    heard = Heard()
    program = (
        "import sys\nfor word in ('eins\\n', 'zwei\\n', 'drei — 三'): print(word, end='', file=sys.stderr, flush=True)"
    )
    await executor(python(program), heard)
    assert "".join(heard.pieces) == "eins\nzwei\ndrei — 三"
    assert heard.pieces[-1] == "drei — 三"


async def test_without_a_watcher_output_is_no_thinking_but_counts_as_progress(executor: CommandExecutor) -> None:
    heard = Heard(thinking_wanted=False)
    await executor(commanded("sh", "-c", "echo here >&2"), heard)
    assert heard.pieces == []
    assert heard.token_counts == [0]


async def test_writing_to_standard_output_is_progress_too(executor: CommandExecutor) -> None:
    heard = Heard()
    await executor(commanded("echo", "here"), heard)
    assert heard.token_counts == [0]


async def test_commands_that_run_at_once_do_not_meet(executor: CommandExecutor, base: Path) -> None:
    inputs = [artifact(str(number), name="number") for number in range(12)]
    program = "import os, sys; print(os.getcwd(), sys.stdin.read())"
    output = await asyncio.gather(*(made(executor, python(program, inputs=(given,))) for given in inputs))
    folders, numbers = zip(*(line.split() for line in output), strict=True)
    assert list(numbers) == [str(number) for number in range(12)]
    assert len(set(folders)) == 12
    assert left_in(base) == []


async def test_the_event_loop_runs_on_while_a_command_does(executor: CommandExecutor) -> None:
    running = asyncio.create_task(made(executor, commanded("sleep", "0.2")))
    turns = 0
    while not running.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 100
    assert running.result() == ""


def test_it_works_on_uvloop_as_the_worker_does(executor: CommandExecutor, base: Path) -> None:
    async def both() -> None:
        assert await made(executor, commanded("cat", inputs=(artifact("red"),))) == "red"
        assert (await failed(executor, commanded("yes"))).kind == PERMANENT
        running = asyncio.create_task(made(executor, commanded("sleep", "600")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(running, 0.2)

    uvloop.run(both())
    assert left_in(base) == []


def test_no_fork_of_the_worker_happens_also_on_uvloop(executor: CommandExecutor) -> None:
    """gRPC's fork handlers would break its own streams, or the launcher."""
    forks: list[bool] = []
    os.register_at_fork(before=lambda: forks.append(True))
    assert uvloop.run(made(executor, commanded("echo", "here"))) == "here\n"
    assert forks == []
    with warnings.catch_warnings(action="ignore"):  # newer Pythons warn of forks beside threads
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert forks == [True], "the hook sees forks"


async def test_a_program_reads_an_input_of_the_plan_as_a_file_or_as_a_folder(executor: CommandExecutor) -> None:
    names = {"data": "1", "scans/a.csv": "2", "scans/sub/b.csv": "3"}
    inputs = tuple(
        replace(artifact(text, name=name), task_id="", media_type="text/csv") for name, text in names.items()
    )
    found = commanded("sh", "-c", "cat {input:data}; find {input:scans} -type f | sort | xargs cat", inputs=inputs)
    assert await made(executor, found) == "123"
    listed = await made(executor, commanded("find", "inputs", "-type", "f", inputs=inputs))
    assert sorted(listed.split()) == ["inputs/data.csv", "inputs/scans/a.csv", "inputs/scans/sub/b.csv"]
