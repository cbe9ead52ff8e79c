"""Pictures go along with a question, and an endpoint that takes none is a failure that names the setting."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

import pytest

from signoff.v1 import execution_pb2
from tests.support.servers.model_server import ModelServer, status, streams, without_proxies
from tests.support.work.givens import to_judge
from tests.worker_svc.llm.openai.test_model import model_at
from worker_svc.llm.account import TOKENS_PER_PICTURE, tokens_asked
from worker_svc.llm.openai.question import Question, Refused, Sampling
from worker_svc.llm.port import Message, ModelFailure, ModelRequest, Picture

PICTURE = Picture(path="x.png", media_type="image/png", content=b"\x89PNG", digest="0" * 64, width=6, height=4)
REQUEST = ModelRequest(
    messages=(
        Message(role="system", content="Judge."),
        Message(role="user", content="Is it red? nonce", pictures=(PICTURE,)),
    ),
    assignment=to_judge("x"),
)


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


async def test_pictures_come_before_the_text() -> None:
    async with ModelServer(streams("yes")) as server:
        model = model_at(server.base_url)
        await model.complete(REQUEST, lambda _: None)
        await model.close()
    system, user = server.requests[0].body["messages"]
    assert system["content"] == "Judge."
    picture, text = user["content"]
    assert picture["type"] == "image_url"
    begin, _, data = picture["image_url"]["url"].partition(",")
    assert (begin, b64decode(data)) == ("data:image/png;base64", PICTURE.content)
    assert text == {"type": "text", "text": "Is it red? nonce"}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (400, "this model does not support image input"),
        (422, "messages.1.content: Input should be a valid string"),
        (500, "image input is not supported - hint: you may need to provide the mmproj"),
    ],
)
async def test_an_endpoint_without_eyes_is_a_permanent_failure_that_names_the_setting(code: int, said: str) -> None:
    async with ModelServer(status(code, said)) as server:
        model = model_at(server.base_url)
        with pytest.raises(ModelFailure) as failed:
            await model.complete(replace(REQUEST, json_object_wanted=True), lambda _: None)
        await model.close()
    assert len(server.requests) == 1
    assert failed.value.kind == execution_pb2.FAILURE_KIND_PERMANENT
    assert '"judge": {"images": true}' in failed.value.message
    assert "base64" not in failed.value.message


def test_the_text_of_the_system_joins_that_of_the_user() -> None:
    known = Refused(parameters={"system"})
    (message,) = Question(REQUEST, Sampling(), known).messages
    assert message["role"] == "user"
    picture, text = message["content"]
    assert picture["type"] == "image_url"
    assert text["text"] == "Judge.\n\nIs it red? nonce"


def test_a_picture_has_an_estimate_of_its_own() -> None:
    question = Question(REQUEST, Sampling(), Refused())
    bare = Question(replace(REQUEST, messages=(Message(role="user", content="Is it red?"),)), Sampling(), Refused())
    assert tokens_asked(question.messages, None) - tokens_asked(bare.messages, None) >= TOKENS_PER_PICTURE
