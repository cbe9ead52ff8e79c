"""The tests talk to this machine alone; a test that would talk to another fails."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.support.servers.loopback import OutsideLoopback
from tests.support.servers.model_server import ModelServer, without_proxies
from tests.support.work.givens import task, to_execute
from worker_svc.llm.openai.model import OpenAIModel
from worker_svc.llm.port import ModelRequest
from worker_svc.prompts.messages import execute_messages

ELSEWHERE = "192.0.2.1"  # an address of no host: RFC 5737
FOREIGN_HOST = "models.example.com"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_connecting_to_another_machine_is_an_error(family: socket.AddressFamily) -> None:
    address = ELSEWHERE if family == socket.AF_INET else "2001:db8::1"
    with socket.socket(family) as client:
        client.setblocking(False)
        with pytest.raises(OutsideLoopback, match="on loopback, but got one to"):
            client.connect((address, 443))
        with pytest.raises(OutsideLoopback, match="on loopback, but got one to"):
            client.connect_ex((address, 443))


def test_asking_for_the_address_of_another_machine_is_an_error() -> None:
    for name in (FOREIGN_HOST, FOREIGN_HOST.encode()):
        with pytest.raises(OutsideLoopback, match=f"a test looks for {FOREIGN_HOST}"):
            socket.getaddrinfo(name, 443)
    assert socket.getaddrinfo("localhost", 80)
    assert socket.getaddrinfo("127.0.0.1", 80)


@pytest.mark.parametrize("host", [ELSEWHERE, FOREIGN_HOST])
async def test_it_holds_for_the_event_loop_too(host: str) -> None:
    with pytest.raises(OutsideLoopback):
        await asyncio.open_connection(host, 443)


@pytest.mark.parametrize("host", [ELSEWHERE, FOREIGN_HOST])
async def test_it_holds_for_the_client_of_models_too(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    model, assignment = OpenAIModel("m", base_url=f"https://{host}/v1", api_key="sk-test"), to_execute(task())
    request = ModelRequest(messages=execute_messages(assignment), assignment=assignment)
    with pytest.RaisesGroup(OutsideLoopback, allow_unwrapped=True, flatten_subgroups=True):
        await model.complete(request, lambda _: None)
    await model.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_may_be_asked(host: str) -> None:
    async with ModelServer() as server:
        port = int(server.base_url.rpartition(":")[2].partition("/")[0])
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()
