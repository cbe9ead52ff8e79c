"""The costs of a question are reported when it is sent, while its answer comes, and when the provider has counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.servers.model_server import (
    ModelServer,
    Recorded,
    Reply,
    Script,
    aborted,
    cut_off,
    events,
    stalled,
    status,
    streams,
    web_page,
    without_proxies,
)
from tests.support.work.givens import spent, task, to_execute
from worker_svc.llm.account import LEAST_AHEAD, SHARE_AHEAD, Account, Streamed, tokens_asked, tokens_in
from worker_svc.llm.openai.model import OpenAIModel
from worker_svc.llm.port import Message, ModelFailure, ModelRequest
from worker_svc.spent import NOTHING, Meter, Spent

WITHIN = 10.0
MESSAGES = (Message(role="system", content="You write."), Message(role="user", content="Write about Mars."))
ASKED = tokens_asked([{"content": message.content} for message in MESSAGES], None)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def question(**options: Any) -> ModelRequest:
    return ModelRequest(messages=MESSAGES, assignment=to_execute(task("Markdown")), **options)


async def costs_of(*scripts: Script, fails: bool = False, idle_seconds: float = 300.0, **options: Any) -> list[Spent]:
    """Returns the costs that are reported for one question."""
    costs = list[Spent]()
    async with ModelServer(*scripts) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="sk-0123456789", idle_seconds=idle_seconds)
        try:
            await model.complete(question(**options), lambda _: None, costs.append)
            assert not fails, "it was expected to fail"
        except ModelFailure:
            if not fails:
                raise
        finally:
            await model.close()
    return costs


# ---------------------------------------------------------------- one question


@pytest.mark.guard(name="a prompt is booked when it is sent")
async def test_a_prompt_is_booked_before_the_endpoint_has_it() -> None:
    costs, before = list[Spent](), list[Spent]()

    def script(_request: Recorded) -> Reply:
        before.extend(costs)
        return streams("Mars")

    async with ModelServer(script) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="sk-0123456789")
        await model.complete(question(), lambda _: None, costs.append)
        await model.close()
    assert before == [Spent(requests=1, estimated_input_tokens=ASKED, estimated_output_tokens=LEAST_AHEAD)]


async def test_what_was_booked_is_replaced_by_what_was_counted() -> None:
    costs = await costs_of(streams("Mars", usage=(40, 2)))
    assert costs[0] == Spent(requests=1, estimated_input_tokens=ASKED, estimated_output_tokens=LEAST_AHEAD)
    assert costs[-1] == spent(40, 2)


async def test_an_endpoint_that_counts_nothing_is_estimated() -> None:
    text = "Mars is the fourth planet. " * 40
    costs = await costs_of(streams(*text.split(" "), usage=None))
    assert (costs[-1].input_tokens, costs[-1].output_tokens, costs[-1].estimated_input_tokens) == (0, 0, ASKED)
    assert len(text.split()) <= costs[-1].estimated_output_tokens <= len(text)


@pytest.mark.guard(name="what was streamed is booked")
@pytest.mark.parametrize("script", [cut_off, aborted])
async def test_what_came_before_a_stream_was_cut_off_stays_booked(script: Any) -> None:
    pieces = ["planet "] * 100
    costs = await costs_of(script(*pieces), fails=True)
    assert costs[-1].estimated_input_tokens == ASKED
    assert tokens_in(700) <= costs[-1].estimated_output_tokens <= 300


async def test_of_a_stream_that_falls_silent_what_may_be_on_its_way_is_booked_too() -> None:
    costs = await costs_of(stalled(*["planet "] * 100), fails=True, idle_seconds=0.5)
    assert costs[-1].estimated_output_tokens == 234 + LEAST_AHEAD + 234 // SHARE_AHEAD


@pytest.mark.parametrize("reply", [status(500), status(429), status(401), web_page()])
async def test_what_refuses_is_not_paid_for_its_prompt(reply: Reply) -> None:
    assert (await costs_of(reply, fails=True))[-1] == Spent(requests=1)


async def test_an_endpoint_that_is_not_there_is_not_paid() -> None:
    async with ModelServer(streams("Mars")) as server:
        url = server.base_url
    model, costs = OpenAIModel("m", base_url=url, api_key="sk-0123456789"), list[Spent]()
    with pytest.raises(ModelFailure, match="could not be reached"):
        await model.complete(question(), lambda _: None, costs.append)
    await model.close()
    assert costs[-1] == Spent(requests=1)


async def test_each_request_of_a_question_is_counted_and_only_the_answered_one_costs_tokens() -> None:
    costs = await costs_of(status(400), status(400), streams("{}"), json_object_wanted=True, schema={"type": "object"})
    assert costs[-1] == Spent(requests=3, input_tokens=11, output_tokens=7)


async def test_what_was_told_before_a_question_was_dropped_covers_all_that_had_come() -> None:
    costs, came = list[Spent](), asyncio.Event()
    async with ModelServer(stalled(*["planet "] * 50)) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="sk-0123456789")

        pieces = list[str]()

        def on_delta(piece: str) -> None:
            pieces.append(piece)
            if len(pieces) == 50:
                came.set()

        asked = asyncio.create_task(model.complete(question(), on_delta, costs.append))
        await asyncio.wait_for(came.wait(), WITHIN)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await model.close()
    assert costs[-1].estimated_input_tokens == ASKED
    assert costs[-1].estimated_output_tokens >= tokens_in(50 * len("planet "))


@pytest.mark.guard(name="a count that is too small is not believed")
async def test_a_count_that_leaves_out_what_was_thought_is_completed() -> None:
    thought = {"reasoning_content": "Hmm. " * 1_000}
    costs = await costs_of(streams("Mars", reasoning=thought, usage=(40, 2)))
    assert (costs[-1].input_tokens, costs[-1].output_tokens) == (40, 2)
    assert costs[-1].estimated_output_tokens >= 1_000


async def test_a_count_that_came_before_the_stream_was_cut_off_is_kept() -> None:
    counted = {"prompt_tokens": 40, "completion_tokens": 50}
    so_far = {"choices": [{"delta": {"content": "planet " * 30}}], "usage": counted}
    costs = await costs_of(Reply(headers=cut_off().headers, pieces=events(so_far).pieces[:-1]), fails=True)
    assert costs[-1] == Spent(requests=1, input_tokens=40, output_tokens=50, estimated_output_tokens=20)


# ---------------------------------------------------------------- the account alone


def streamed(*pieces: str) -> Iterator[Streamed]:
    so_far = Streamed()
    for piece in pieces:
        so_far.add(piece)
        yield so_far


@pytest.mark.parametrize("piece", ["planet ", "火星", "x" * 4_000, "1"])
def test_what_is_told_is_never_less_than_what_has_come(piece: str) -> None:
    costs = list[Spent]()
    account = Account(costs.append, 32_768)
    account.asked(10)
    for so_far in streamed(*[piece] * 5_000):
        account.came(so_far)
        assert so_far.estimate <= costs[-1].estimated_output_tokens
    assert len(costs) < 200, "a report each is a row in the runner's journal"


def test_no_more_is_booked_ahead_than_the_answer_may_have() -> None:
    costs = list[Spent]()
    account = Account(costs.append, 20)
    account.asked(10)
    assert costs[-1].estimated_output_tokens == 20
    for so_far in streamed(*["Mars "] * 8):
        account.came(so_far)
    assert costs[-1].estimated_output_tokens == 20


def test_a_language_with_many_bytes_a_letter_has_as_many_tokens_as_letters() -> None:
    (*_, so_far) = streamed("火星是红色的行星。")
    assert so_far.estimate == 9


# ---------------------------------------------------------------- several questions


def test_the_questions_of_a_lease_add_up_and_each_replaces_only_what_it_said_itself() -> None:
    class Books:
        def __init__(self) -> None:
            self.totals = list[tuple[str, Spent]]()

        def usage(self, model: str, spent: Spent) -> None:
            self.totals.append((model, spent))

    books = Books()
    meter = Meter(books, "judge")
    first, second = meter.account(), meter.account()
    first(Spent(requests=1, estimated_input_tokens=30))
    second(Spent(requests=1, estimated_input_tokens=40))
    first(spent(25, 5))
    first(spent(25, 5))
    assert [total for _, total in books.totals] == [
        Spent(requests=1, estimated_input_tokens=30),
        Spent(requests=2, estimated_input_tokens=70),
        Spent(requests=2, input_tokens=25, output_tokens=5, estimated_input_tokens=40),
    ]
    assert Spent() == NOTHING
