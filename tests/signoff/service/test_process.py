"""How every service starts, speaks and ends, tried on the real processes."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from signoff import health
from signoff.rpc.server import Server
from signoff.service.exit_codes import EXIT_BAD_INPUT
from tests.support.processes.commands import ProcessResult
from tests.support.processes.services import result_of, run, started, until_logged

# How a service starts and ends is the same code for all (signoff/service/process.py): one stands for the other.
LISTENING = ["planner_svc", pytest.param("runner_svc", marks=pytest.mark.long)]
ALL = [*LISTENING, "worker_svc"]

listening = pytest.mark.parametrize("module", LISTENING)
every = pytest.mark.parametrize("module", ALL)


def assert_one_line(end: ProcessResult, *words: str) -> None:
    """Checks that a program ended as one that was started wrongly: exit code 2, and one line that says how."""
    assert end.code == EXIT_BAD_INPUT, end.err
    assert len(end.lines) == 1, end.err
    assert end.out == ""
    for word in words:
        assert word in end.lines[0]


def address_in(lines: list[str]) -> str:
    """Returns the address in the last of these log lines that names one."""
    return lines[-1].rpartition("address=")[2].strip()


# ---------------------------------------------------------------- started wrongly


@every
async def test_a_flag_that_does_not_exist_is_named(module: str) -> None:
    end = await run(module, "--colour", "red")
    assert end.code == EXIT_BAD_INPUT
    assert end.lines[0].startswith(f"usage: {module}")
    assert end.lines[-1] == f"{module}: error: unrecognized arguments: --colour red"
    assert "Traceback" not in end.err


@every
async def test_a_flag_that_cannot_be_is_blamed_in_one_line(module: str) -> None:
    role = ("--role", "executor") if module == "worker_svc" else ()
    end = await run(module, *role, "--grace", "-3")
    assert_one_line(end, f"{module}: --grace: ", "greater than or equal to 0")


@listening
async def test_a_variable_that_cannot_be_is_blamed_in_one_line(module: str) -> None:
    prefix = module.removesuffix("_svc").upper()
    end = await run(module, env={f"SIGNOFF_{prefix}_LOG_FORMAT": "xml"})
    assert_one_line(end, f"{module}: SIGNOFF_{prefix}_LOG_FORMAT: ", "'text' or 'json'")
    end = await run(module, "--log-format", "yaml", env={f"SIGNOFF_{prefix}_LOG_FORMAT": "xml"})
    assert_one_line(end, f"{module}: --log-format: ", "'text' or 'json'")


@listening
async def test_every_problem_has_a_line_of_its_own(module: str) -> None:
    end = await run(module, "--grace", "soon", "--log-level", "loud")
    assert end.code == EXIT_BAD_INPUT
    assert sorted(line.split(": ")[1] for line in end.lines) == ["--grace", "--log-level"]


@listening
async def test_a_data_directory_that_is_a_file_is_blamed_in_one_line(module: str, tmp_path: Path) -> None:
    (tmp_path / "db").write_text("not a folder")
    end = await run(module, "--data-dir", str(tmp_path / "db"))
    assert_one_line(end, f"{module}: ", str(tmp_path / "db"))


@listening
async def test_an_address_that_is_taken_is_blamed_in_one_line(module: str, tmp_path: Path) -> None:
    server = Server()
    address = await server.start("127.0.0.1:0")
    end = await run(module, "--address", address, "--data-dir", str(tmp_path), env={"GRPC_VERBOSITY": "NONE"})
    await server.stop(0)
    assert_one_line(end, f"{module}: cannot listen on {address}: is another process using it?")


async def test_a_worker_without_a_role_is_told_so() -> None:
    assert_one_line(await run("worker_svc"), "worker_svc: --role: Field required")


async def test_a_worker_without_a_model_is_told_what_to_choose_from() -> None:
    end = await run("worker_svc", "--role", "executor")
    assert_one_line(end, "--model mock", "OPENAI_API_KEY")


@every
async def test_help_names_every_flag_and_says_what_it_is_for(module: str) -> None:
    end = await run(module, "--help")
    assert end.code == 0
    assert end.err == ""
    for flag in ("--log-format", "--log-level", "--grace", "--stop-on-stdin-eof"):
        assert flag in end.out
    assert "How log lines look on standard error." in " ".join(end.out.split())


# ---------------------------------------------------------------- the life of a process


@listening
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_ends_it_in_order(module: str, number: signal.Signals, tmp_path: Path) -> None:
    async with started(module, "--data-dir", str(tmp_path)) as process:
        await until_logged(process, "listening")
        process.send_signal(number)
        end = await result_of(process)
    assert end.code == 0, end.err
    assert "Traceback" not in end.err


async def test_a_worker_that_finds_no_runner_ends_in_order_too() -> None:
    flags = ("--role", "validator", "--model", "mock", "--runner", "127.0.0.1:1")
    async with started("worker_svc", *flags) as process:
        await until_logged(process, "stream_lost")
        process.send_signal(signal.SIGTERM)
        end = await result_of(process)
    assert end.code == 0, end.err


@listening
async def test_it_ends_with_its_launcher_when_that_was_asked_for(module: str, tmp_path: Path) -> None:
    async with started(module, "--data-dir", str(tmp_path), "--stop-on-stdin-eof") as process:
        await until_logged(process, "listening")
        assert process.stdin is not None
        process.stdin.close()
        assert (await result_of(process)).code == 0


@listening
async def test_it_does_not_end_with_its_standard_input_when_that_was_not_asked_for(module: str, tmp_path: Path) -> None:
    async with started(module, "--data-dir", str(tmp_path)) as process:
        assert process.stdin is not None
        process.stdin.close()
        address = address_in(await until_logged(process, "listening"))
        assert await asyncio.to_thread(health.problem_at, address) == ""
        assert process.returncode is None


@listening
async def test_the_address_file_says_where_it_listens(module: str, tmp_path: Path) -> None:
    address_file = tmp_path / "deep" / "address"
    flags = ("--address", "127.0.0.1:0", "--address-file", str(address_file), "--data-dir", str(tmp_path / "db"))
    async with started(module, *flags) as process:
        address = address_in(await until_logged(process, "listening"))
        process.send_signal(signal.SIGTERM)
        await result_of(process)
    assert address_file.read_text() == address


@listening
async def test_a_healthcheck_finds_it_well(module: str, tmp_path: Path) -> None:
    async with started(module, "--data-dir", str(tmp_path)) as process:
        address = address_in(await until_logged(process, "listening"))
        assert (await run("signoff.health", address)).code == health.WELL


@listening
async def test_flags_win_over_the_environment(module: str, tmp_path: Path) -> None:
    prefix = module.removesuffix("_svc").upper()
    env = {f"SIGNOFF_{prefix}_DATA_DIR": str(tmp_path / "env"), f"SIGNOFF_{prefix}_LOG_FORMAT": "json"}
    async with started(module, "--data-dir", str(tmp_path / "flag"), env=env) as process:
        assert json.loads((await until_logged(process, "listening"))[-1])["event"] == "listening"
    assert (tmp_path / "flag").is_dir()
    assert not (tmp_path / "env").exists()


# ---------------------------------------------------------------- logs


@listening
async def test_json_logs_are_one_object_a_line(module: str, tmp_path: Path) -> None:
    async with started(module, "--data-dir", str(tmp_path), "--log-format", "json") as process:
        lines = await until_logged(process, "listening")
        process.send_signal(signal.SIGTERM)
        end = await result_of(process)
    entries = [json.loads(line) for line in [*lines, *end.lines]]
    assert all({"event", "level", "timestamp"} <= set(entry) for entry in entries)
    (listening,) = [entry for entry in entries if entry["event"] == "listening"]
    assert listening["address"].startswith("127.0.0.1:")


@listening
async def test_below_the_level_asked_for_nothing_is_logged(module: str, tmp_path: Path) -> None:
    flags = ("--data-dir", str(tmp_path), "--stop-on-stdin-eof", "--log-level", "error")
    async with started(module, *flags) as process:
        assert process.stdin is not None
        process.stdin.close()
        end = await result_of(process)
    assert (end.code, end.err, end.out) == (0, "", "")
