"""Answers and results of any size and shape become a candidate or a failure, and never hold the event loop long."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from signoff.app import Task
from signoff.rpc.addresses import Route
from signoff.secrets.redaction import Secrets
from signoff.v1 import execution_pb2, worker_pb2
from tests.support.draws import each_once
from tests.support.longest_turn import longest_turns
from tests.support.servers.scripted_runner import ScriptedRunner, assign
from tests.support.work.givens import Heard, Saying, artifact, json_schema, task, to_execute, to_judge, verdicts
from worker_svc.assignment import CandidateResult, FailureResult, Result
from worker_svc.executor import Executor, request_for
from worker_svc.functions.job import Broken, FunctionJob, Made
from worker_svc.functions.returning import candidate_of
from worker_svc.functions.signature import Signature
from worker_svc.link.codec import Limits, messages_of
from worker_svc.link.inputs import fetcher
from worker_svc.llm.read import repair
from worker_svc.llm.read.json_text import without_fence
from worker_svc.llm.read.repair import FoundJson, json_found
from worker_svc.outgoing import SecretFilter
from worker_svc.validate.validator import Validator

LONGEST_TURN = 0.75  # seconds of CPU: catches the gross; beside a large heap the collector alone takes half of it
MIB = 1024**2


async def made(answer: str, output_format: str) -> Result:
    executor = Executor(Saying(answer))
    with longest_turns() as turns:
        async with asyncio.timeout(30):
            result = await executor(to_execute(task(output_format)), Heard())
    assert turns.longest < LONGEST_TURN, turns.story()
    return result


ROWS = "[" + '{"id": 12345, "name": "Mars"}, ' * 200_000 + "{}]"
ANSWERS = {
    "rows": ROWS,
    "rows in a fence": f"```json\n{ROWS}\n```",
    "rows that are broken": ROWS[:-5],
    "rows with a comma too many": '[{"a": 1}, ' * 3_000,
    "nested deeply": "[" * 2 * MIB,
    "nested deeply, and closed": "[" * MIB + "]" * MIB,
    "a fence and spaces": "```json\n" + " " * MIB + "x",
    "fences and spaces": "```  \t" * 200_000,
    "a number without end": "9" * 4 * MIB,
    "quotes": "{'" * 300_000,
    "backslashes": '{"a": "' + "\\" * MIB,
    "spaces after a fence": "```" + " " * 1_990,
    "comments": "{/*" * 300_000,
    "a small one that takes long": '{"a' * 600,
}


@pytest.mark.parametrize(("name", "output_format"), each_once([*ANSWERS], ["Markdown", "JSON", ""], [*ANSWERS]))
async def test_an_answer_of_any_shape_becomes_a_candidate_in_time(name: str, output_format: str) -> None:
    result = await made(ANSWERS[name], output_format)
    assert isinstance(result, CandidateResult), result
    if name == "rows in a fence" and output_format == "JSON":
        assert result.content.decode() == ROWS


@pytest.mark.guard(name="large answers are read elsewhere")
async def test_an_answer_of_megabytes_is_not_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[" + "{}," * 100_000 + "{}]"
    monkeypatch.setattr(repair, "json_in", lambda _: pytest.fail("it was read in this process"))
    found = await json_found(text)
    assert found == FoundJson(text=text, is_mended=False)


async def test_an_answer_of_megabytes_is_read_where_it_holds_up_nothing() -> None:
    with longest_turns() as turns:
        found = await json_found("[" + "{}," * 3_000_000 + "{}]")
    assert found is not None
    assert (len(found.text), found.is_mended) == (9_000_004, False)
    assert turns.longest < LONGEST_TURN, turns.story()


async def test_half_a_character_in_a_large_answer_is_a_failure_that_says_so() -> None:
    result = await made('{"a": "' + "x" * 100_000 + '\ud83d"}', "JSON")
    assert isinstance(result, FailureResult)
    assert result.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    assert "broken text" in result.message


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("```json\n{}\n```", "{}"),
        ("``` json \r\n{}\r\n```", "{}"),
        ("\n```\n{}```  \n", "{}"),
        ("```json\n\n{}\n\n  ```", "\n{}\n"),
        ("```json {}```", None),
        ("```js on\n{}\n```", None),
        ("```json\n{}", None),
        ("```json\n```\n```", None),
        ("```\n", None),
        ("``````", None),
    ],
)
def test_a_fence_is_taken_off_when_it_is_around_all(text: str, inside: str | None) -> None:
    assert without_fence(text, frozenset({"", "json"})) == (text if inside is None else inside)


def test_a_schema_of_megabytes_is_not_sent_to_an_endpoint() -> None:
    schema = {"type": "object", "enum": ["x" * 100_000]}
    assert request_for(to_execute(task("JSON", checks=(json_schema(schema),))))[0].schema is None


# ---------------------------------------------------------------- what surrounds it


async def test_inputs_and_candidates_of_many_megabytes_are_digested_elsewhere() -> None:
    content = b"Mars and Venus. " * 4 * MIB
    given = artifact(content)
    executor = SecretFilter(Executor(Saying("Mars")), Secrets())
    validator = Validator(Saying(verdicts("pass")))
    with longest_turns() as turns:
        assert isinstance(await executor(to_execute(inputs=(given, given)), Heard()), CandidateResult)
        judged = await validator(to_judge(content, task(criteria=("It names planets",))), Heard())
    assert turns.longest < LONGEST_TURN, turns.story()
    assert judged.outcome == execution_pb2.OUTCOME_ERROR
    assert "longer than 20 parts" in judged.feedback  # and so no judge can tell
    await validator.close()


async def test_the_digest_of_a_candidate_is_made_once_and_not_while_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"x" * MIB
    handler = SecretFilter(Executor(Saying(content.decode())), Secrets())
    result = await handler(to_execute(task("")), Heard())
    assert isinstance(result, CandidateResult)
    assert result.digest == hashlib.sha256(content).hexdigest()
    monkeypatch.setattr("worker_svc.link.codec.hashlib", None)
    *_, last = messages_of("L1", result, Limits())
    assert last.candidate.digest == result.digest


async def test_an_input_is_read_while_the_loop_runs_on_and_no_further_than_it_was_announced() -> None:
    content = b"0123456789abcdef" * 4 * MIB
    async with ScriptedRunner() as runner:
        given = runner.put(content)
        fetch = fetcher(Route(runner.address), assign().assign)
        with longest_turns() as turns:
            assert (await fetch(given))[:] == content
        assert turns.longest < LONGEST_TURN, turns.story()
        short = worker_pb2.InputArtifact(task_id="1_0", digest=given.digest, size_bytes=1000, by_reference=True)
        with pytest.raises(Exception, match=r"expected an artifact of 1_0 .* but got 100000 bytes"):
            await fetch(short)


# ---------------------------------------------------------------- what functions return


class Growth(BaseModel):
    rate: float
    note: str | None = None


@dataclass
class Rates:
    rates: dict[str, list[float]]


def returned(value: Any) -> Made | Broken:
    """Returns the outcome of a function that returns a value without a declared type."""
    job = FunctionJob(task=Task(id="1"), text_type="text/plain")
    outcome = candidate_of("f", Signature(takes=(), gives=None, gives_name=""), job, value)
    assert isinstance(outcome, Made | Broken)
    return outcome


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: {"a": [1.5, math.nan]}, "but got nan at $.a[1]"),
        (lambda: math.inf, "but got inf at $"),
        (lambda: Growth(rate=-math.inf), "but got -inf at $.rate"),
        (lambda: Rates({"x": [math.nan]}), "but got nan at $.rates.x[0]"),
        (lambda: ({"deep": (Growth(rate=math.nan),)},), "but got nan at $[0].deep[0].rate"),
    ],
)
def test_a_number_that_json_has_not_is_a_failure_that_says_where(make: Callable[[], Any], says: str) -> None:
    outcome = returned(make())
    assert isinstance(outcome, Broken)
    assert says in outcome.message


@pytest.mark.parametrize("value", [{"a": None, "b": 1.5}, Growth(rate=1.0), [None], Rates({"x": []})])
def test_none_is_none_and_no_fault(value: Any) -> None:
    assert isinstance(returned(value), Made)


@pytest.mark.parametrize("value", [{"a": "\ud83d"}, {"a": {1, 2, object()}}])
def test_what_does_not_become_json_is_a_failure(value: Any) -> None:
    assert isinstance(returned(value), Broken)


def test_a_value_that_holds_itself_is_a_failure() -> None:
    value: list[Any] = []
    value.append(value)
    assert isinstance(returned(value), Broken)
