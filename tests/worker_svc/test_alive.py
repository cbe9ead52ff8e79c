"""A real worker answers pings within some seconds during any work, and SIGTERM ends it with all that it started."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from signoff.v1 import execution_pb2, plan_pb2
from tests.hostile.test_endpoints import Rogue, endpoint, event, forever
from tests.support.draws import long_but
from tests.support.servers.model_server import without_proxies
from tests.support.servers.scripted_runner import ScriptedRunner, Stream, ToWorker, assign, ping
from tests.support.work.givens import regex, required_keys
from tests.worker_svc.test_main import exit_code, process

PONG_WITHIN = 3.0  # seconds: a busy machine takes some of them, and a loop that stands still takes more
PINGS = 12
PAUSE = 0.15  # seconds between pings
EXECUTE, VALIDATE = execution_pb2.PHASE_EXECUTE, execution_pb2.PHASE_VALIDATE
JSON = b"[" + b'{"id": 12345, "name": "Mars"}, ' * 1_000_000 + b"{}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Returns an assignment that takes some time."""

    phase: execution_pb2.Phase.ValueType = VALIDATE
    checks: tuple[plan_pb2.Check, ...] = ()
    output_format: str = ""
    candidate: bytes = b""
    given: bytes = b""  #: an input
    rogue: Rogue | None = None  #: the endpoint of the model
    executor: str = ""

    def assigned(self, runner: ScriptedRunner) -> ToWorker:
        message = assign("L1", self.phase)
        body = message.assign
        body.task.output.format = self.output_format
        body.task.validation.checks.extend(self.checks)
        body.task.executor.name = self.executor
        if self.candidate:
            body.candidate.CopyFrom(runner.put(self.candidate))
        if self.given:
            body.inputs.append(runner.put(self.given))
        return message


WORK = {
    "a pattern without end": Work(checks=(regex(r"(?=a)(a+)+$"),), candidate=b"a" * 64 + b"!"),
    "a candidate of many megabytes": Work(candidate=JSON, output_format="JSON"),
    "a path of megabytes": Work(checks=(required_keys("a." * 900_000),), candidate=b'{"a": 1}'),
    "60,000 checks": Work(checks=(required_keys("a"),) * 60_000, candidate=b'{"a": 1}'),
    "an answer without end": Work(phase=EXECUTE, rogue=forever(event({"content": "blah " * 20}))),
    "thinking without end": Work(phase=EXECUTE, rogue=forever(event({"reasoning": "hmm"}))),
    "an answer to mend": Work(
        phase=EXECUTE, output_format="JSON", rogue=forever(event({"content": "[{'a': 1}, " * 500}, finish="stop"))
    ),
    "an input of many megabytes": Work(phase=EXECUTE, given=JSON * 2, rogue=forever(event({"content": "x"}))),
    "a function that makes megabytes": Work(phase=EXECUTE, executor="makes_megabytes"),
}
APP = """
from signoff.app import App
app = App()

@app.executor
def makes_megabytes() -> str:
    return "x" * 60_000_000
"""


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


async def slowest_pong(stream: Stream) -> float:
    """Pings a worker while it works. Returns the longest time that it took to answer."""
    now, slowest = asyncio.get_running_loop().time, 0.0
    for nonce in range(1, PINGS + 1):
        begun = now()
        await stream.send(ping(nonce))
        while (message := await stream.next()).WhichOneof("kind") != "pong" or message.pong.nonce != nonce:
            pass
        slowest = max(slowest, now() - begun)
        await asyncio.sleep(PAUSE)
    return slowest


#: One of each kind; the others take --long.
ORDINARY = (
    *("a pattern without end", "a candidate of many megabytes", "thinking without end", "an answer to mend"),
    "a function that makes megabytes",
)


@pytest.mark.parametrize("name", long_but(ORDINARY, [*WORK]))
async def test_a_worker_answers_pings_and_ends_at_sigterm(
    name: str, runner: ScriptedRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    (tmp_path / "large_app.py").write_text(APP)
    work, env = WORK[name], {"PYTHONPATH": f"{Path.cwd()}:{tmp_path}"}
    role = "executor" if work.phase == EXECUTE else "validator"
    flags = ["--role", role, "--grace", "0", "--app", "large_app:app"]
    async with AsyncExitStack() as life:
        if work.rogue is not None:
            base_url = await life.enter_async_context(endpoint(work.rogue))
            env |= {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": "sk-very-secret-0123456789"}
            flags += ["--model", "planet-7b"]
        worker = await life.enter_async_context(process(runner, *flags, **env))
        stream = await runner.welcomed(work.assigned(runner))
        slowest = await slowest_pong(stream)
        begun = asyncio.get_running_loop().time()
        worker.send_signal(signal.SIGTERM)
        code, said = await exit_code(worker)
    assert slowest < PONG_WITHIN
    assert asyncio.get_running_loop().time() - begun < 8
    assert (code, "Traceback" in said) == (0, False), said
