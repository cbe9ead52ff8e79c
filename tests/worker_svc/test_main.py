"""`python -m worker_svc` as a real process: its message when it cannot start, and its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from signoff.errors import SessionReplaced
from signoff.service.process import main
from signoff.v1 import runner_pb2
from tests.support.servers.runner import Running
from tests.support.servers.scripted_runner import ScriptedRunner, ack, assign, welcome
from tests.support.work.functions import SAMPLE
from tests.worker_svc.test_handlers import ONLY_VALIDATORS
from worker_svc.__main__ import Labels, WorkerSettings, labels_of, serve

WITHIN = 30.0  # seconds for what takes about one
EXECUTOR = ("--role", "executor", "--model", "mock")
SLOW = ("--role", "executor", "--model", "mock:delay=3600")


def environment(**more: str) -> dict[str, str]:
    """Returns this process's environment, without variables that name a model or a setting."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "SIGNOFF_"))}
    return kept | more


def refusal(*flags: str, cwd: Path | None = None, **env: str) -> str:
    """Returns the message on standard error of a worker that cannot start."""
    ended = subprocess.run(
        [sys.executable, "-m", "worker_svc", *flags],
        check=False,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        env=environment(**env),
        cwd=cwd,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip()


@pytest.fixture
def refusal_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """Does the same as `refusal` in this process: a start takes a second, and the message is the same."""
    as_it_was = structlog.get_config()

    def refused(*flags: str, **env: str) -> str:
        monkeypatch.setattr(sys, "argv", ["worker_svc", *flags])
        monkeypatch.setattr(os, "environ", environment(**env))
        with pytest.raises(SystemExit) as ended:
            main(WorkerSettings, serve, "worker_svc")
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, "")
        return said.err.strip()

    yield refused
    structlog.configure(**as_it_was)


@asynccontextmanager
async def process(runner: ScriptedRunner | Running, *flags: str, **env: str) -> AsyncIterator[Process]:
    """Runs a worker of this runner; kills it at the end of the block when it still runs."""
    command = (sys.executable, "-m", "worker_svc", "--runner", runner.address, *flags)
    started = await asyncio.create_subprocess_exec(*command, stderr=PIPE, env=environment(**env))
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def exit_code(worker: Process) -> tuple[int | None, str]:
    """Returns the exit code and the log."""
    _, said = await asyncio.wait_for(worker.communicate(), WITHIN)
    return worker.returncode, said.decode()


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--model", "mock"), "worker_svc: --role: Field required"),
        (("--role", "baker"), "worker_svc: --role: Input should be 'executor', 'validator' or 'both'"),
        ((*EXECUTOR, "--slots", "0"), "worker_svc: --slots: Input should be greater than or equal to 1"),
        ((*EXECUTOR, "--labels", "a=b,zone"), "worker_svc: --labels: expected KEY=VALUE, but got 'zone'"),
        ((*EXECUTOR, "--oven", "hot"), "worker_svc: error: unrecognized arguments: --oven hot"),
    ],
)
def test_flags_that_make_no_sense_are_blamed_by_name(
    flags: tuple[str, ...], said: str, refusal_here: Callable[..., str]
) -> None:
    assert refusal_here(*flags).splitlines()[-1] == said


def test_without_a_model_it_names_the_two_choices() -> None:
    said = refusal("--role", "executor")
    assert said.startswith("worker_svc: no model: choose one of two: `--model mock`")
    assert "OPENAI_API_KEY" in said
    assert "SIGNOFF_MODEL" in said


def test_labels_from_the_environment_are_blamed_as_well(refusal_here: Callable[..., str]) -> None:
    assert refusal_here(*EXECUTOR, SIGNOFF_WORKER_LABELS="zone") == (
        "worker_svc: SIGNOFF_WORKER_LABELS: expected KEY=VALUE, but got 'zone'"
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--app", "nowhere:app"), "--app nowhere:app: expected a module nowhere, but there is none, neither in "),
        (("--app", "my_worker"), "--app my_worker: expected MODULE:ATTRIBUTE, such as my_worker:app"),
        (("--app", f"{SAMPLE},{SAMPLE}x"), f"--app {SAMPLE}x: expected appx in tests.support.work.sample, but"),
        (("--app", ONLY_VALIDATORS), f"--app {ONLY_VALIDATORS}: expected a function registered with @app.executor, or"),
    ],
)
def test_an_app_that_cannot_be_used_ends_the_start_with_one_line(flags: tuple[str, ...], said: str) -> None:
    refused = refusal("--role", "executor", *flags)
    assert len(refused.splitlines()) == 1
    assert refused.startswith(f"worker_svc: {said}")


def test_an_app_that_fails_when_it_is_imported_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "broken_app.py").write_text("import os\nimport nowhere_at_all\n")
    said = refusal("--role", "executor", "--app", "broken_app:app", cwd=tmp_path)
    problem = "ModuleNotFoundError: No module named 'nowhere_at_all'"
    where = f"{tmp_path}/broken_app.py, line 2: import nowhere_at_all"
    assert said == f"worker_svc: --app broken_app:app cannot be imported: {problem} at {where}"


async def test_functions_of_an_app_become_the_hello(runner: ScriptedRunner) -> None:
    async with process(runner, "--role", "executor", "--app", SAMPLE):
        hello = (await runner.stream()).hello
    assert {"fetch", "counts"} < set(hello.handlers)
    assert "model" not in hello.handlers
    assert len({hello.maker, *hello.makers}) == len(hello.handlers)
    assert not hello.models


async def test_both_roles_in_one_process_are_two_workers(runner: ScriptedRunner) -> None:
    async with process(runner, "--role", "both", "--model", "mock", "--name", "w1") as worker:
        streams = [await runner.stream(), await runner.stream()]
        hellos = {stream.hello.name: stream.hello for stream in streams}
        assert hellos["w1-executor"].role == runner_pb2.WORKER_ROLE_EXECUTOR
        assert hellos["w1-validator"].role == runner_pb2.WORKER_ROLE_VALIDATOR
        assert [hello.slots for _, hello in sorted(hellos.items())] == [7, 5]
        for stream in streams:
            await stream.send(welcome())
            await stream.expect("credit")
        worker.send_signal(signal.SIGTERM)
        code, said = await exit_code(worker)
    assert code == 0
    assert "Traceback" not in said


async def test_of_both_roles_one_that_is_refused_ends_the_other(runner: ScriptedRunner) -> None:
    async with process(runner, "--role", "both", "--model", "mock") as worker:
        first, second = await runner.stream(), await runner.stream()
        for stream in (first, second):
            await stream.send(welcome())
            await stream.expect("credit")
        first.refuse(SessionReplaced("a newer session took over"))
        await second.expect("draining")
        code, said = await exit_code(worker)
    assert code == 2
    assert said.splitlines()[-1].endswith("refused the worker: a newer session took over")


async def test_flags_and_environment_become_the_hello(runner: ScriptedRunner) -> None:
    flags = ("--labels", "zone=a,gpu=yes", "--labels", "note=x=y", "--slots", "2", "--name", "w1")
    async with process(runner, *EXECUTOR, *flags):
        hello = (await runner.stream()).hello
    assert (hello.role, hello.name, hello.slots) == (runner_pb2.WORKER_ROLE_EXECUTOR, "w1", 2)
    assert dict(hello.labels) == {"zone": "a", "gpu": "yes", "note": "x=y"}
    assert list(hello.models) == ["mock"]
    assert hello.maker
    env = {"SIGNOFF_WORKER_ROLE": "validator", "SIGNOFF_MODEL": "mock", "SIGNOFF_WORKER_LABELS": "zone=b"}
    async with process(runner, **env):
        hello = (await runner.stream()).hello
    assert (hello.role, hello.slots) == (runner_pb2.WORKER_ROLE_VALIDATOR, 5)
    assert hello.name.startswith("validator-")
    assert dict(hello.labels) == {"zone": "b"}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        (" a = b , c=d ,", {"a": "b", "c": "d"}),
        ("a=", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a=b,a=b", {"a": "b"}),
    ],
)
def test_labels_are_pairs_with_commas_between_them(text: str, labels: dict[str, str]) -> None:
    assert labels_of(text) == labels


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("zone", "expected KEY=VALUE, but got 'zone'"),
        ("=a", "expected KEY=VALUE, but got '=a'"),
        ('{"a": "b"}', 'expected KEY=VALUE, but got \'{"a": "b"}\''),
        ("a=b,a=c", "expected each key once, but got 'a' twice"),
    ],
)
def test_other_labels_are_refused(text: str, problem: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        labels_of(text)
    assert str(caught.value) == problem


def test_a_mapping_is_taken_as_labels_and_other_things_are_not() -> None:
    adapter: TypeAdapter[dict[str, str]] = TypeAdapter(Labels)
    assert adapter.validate_python({"a": "b"}) == {"a": "b"}
    with pytest.raises(ValidationError):
        adapter.validate_python(7)


# ---------------------------------------------------------------- how it ends


async def test_sigterm_gives_unfinished_work_back_and_ends_with_0(runner: ScriptedRunner) -> None:
    async with process(runner, *SLOW, "--grace", "0") as worker:
        stream = await runner.welcomed(assign("L1"))
        await stream.expect("accepted")
        worker.send_signal(signal.SIGTERM)
        await stream.expect("draining")
        assert (await stream.expect("abandon")).lease_id == "L1"
        await stream.expect_end()
        code, said = await exit_code(worker)
    assert code == 0
    assert "Traceback" not in said


async def test_sigterm_lets_finished_work_be_acknowledged(runner: ScriptedRunner) -> None:
    async with process(runner, *EXECUTOR) as worker:
        stream = await runner.welcomed(assign("L1"))
        while (await stream.next()).WhichOneof("kind") != "candidate":
            pass
        worker.send_signal(signal.SIGTERM)
        await stream.expect("draining")
        await stream.send(ack("L1"))
        await stream.expect_end()
        assert (await exit_code(worker))[0] == 0


async def test_sigkill_is_a_lost_stream_and_the_next_process_holds_nothing(runner: ScriptedRunner) -> None:
    async with process(runner, *SLOW, "--name", "w1") as worker:
        stream = await runner.welcomed(assign("L1"))
        await stream.expect("accepted")
        worker.kill()
        await stream.expect_end()  # without Draining
    async with process(runner, *SLOW, "--name", "w1"):
        hello = (await runner.stream()).hello
        assert (hello.name, list(hello.held_lease_ids)) == ("w1", [])


async def test_a_refusal_ends_it_with_2_and_one_clear_line(runner: ScriptedRunner) -> None:
    async with process(runner, *EXECUTOR) as worker:
        stream = await runner.stream()
        await stream.send(welcome())
        stream.refuse(SessionReplaced("a newer session of w1 took over"))
        code, said = await exit_code(worker)
    assert code == 2
    refused = f"the runner at {runner.address} refused the worker: a newer session of w1 took over"
    assert said.splitlines()[-1] == f"worker_svc: {refused}"
    assert "Traceback" not in said
