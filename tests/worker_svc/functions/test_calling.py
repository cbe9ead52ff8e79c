"""The outcomes of functions: of returned values, and of exceptions."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, Field

from signoff.app import CannotTell, Context, Failed, Output, Verdict
from tests.support.work.functions import HeardLine, callee, job, outcome_of
from worker_svc.functions.job import Broken, Judged, Made


class Papers(BaseModel):
    titles: list[str] = Field(alias="paperTitles", default=[])


@dataclass
class Count:
    words: int


def returning(value: Any) -> Callable[[], Any]:
    def fetch():  # type: ignore[no-untyped-def]
        return value

    return fetch


def raising(error: BaseException) -> Callable[[], str]:
    def fetch() -> str:
        raise error

    return fetch


def broken(call: Callable[..., Any], **more: Any) -> Broken:
    outcome = outcome_of(call, **more)
    assert isinstance(outcome, Broken), outcome
    return outcome


# ---------------------------------------------------------------- what is returned


@pytest.mark.parametrize(
    ("value", "content", "media_type"),
    [
        (Papers(paperTitles=["Mars"]), b'{"paperTitles":["Mars"]}', "application/json"),
        (Count(words=3), b'{"words":3}', "application/json"),
        ({"a": [1, None]}, b'{"a":[1,null]}', "application/json"),
        ([], b"[]", "application/json"),
        (7, b"7", "application/json"),
        (True, b"true", "application/json"),
        ("é", "é".encode(), "text/markdown"),
        (b"\xff", b"\xff", "application/octet-stream"),
        (Output("a,b", media_type="text/csv"), b"a,b", "text/csv"),
        (Output("é"), "é".encode(), "text/markdown"),
        (Output(b"PNG", media_type="image/png"), b"PNG", "image/png"),
        (Output({"a": 1}, media_type="application/ld+json"), b'{"a":1}', "application/ld+json"),
    ],
)
def test_a_value_becomes_a_candidate(value: object, content: bytes, media_type: str) -> None:
    made = Made(content=content, media_type=media_type)
    assert outcome_of(returning(value), job(text_type="text/markdown")) == made


def test_what_the_annotation_says_is_what_must_be_returned() -> None:
    def models() -> Papers:
        return {"paperTitles": 3}  # type: ignore[return-value]

    def numbers() -> list[int]:
        return ["one", 2]  # type: ignore[list-item]

    def text() -> str:
        return 3  # type: ignore[return-value]

    assert broken(models).message == (
        "models returned dict: expected Papers: paperTitles: Input should be a valid list"
    )
    assert broken(numbers).message == "numbers returned list: expected list[int]: 0: Input should be a valid integer"
    assert broken(text).message == "text returned int: expected str: Input should be a valid string"
    assert not broken(text).is_permanent


def test_a_dict_may_stand_for_its_model() -> None:
    def models() -> Papers:
        return {"paperTitles": ["Mars"], "more": 1}  # type: ignore[return-value]

    assert outcome_of(models) == Made(content=b'{"paperTitles":["Mars"]}', media_type="application/json")


def test_a_union_with_an_output_takes_either() -> None:
    def fetch() -> Papers | Output:
        return Output("a", media_type="text/csv")

    assert outcome_of(fetch) == Made(content=b"a", media_type="text/csv")


def test_nothing_is_no_candidate() -> None:
    def fetch() -> None: ...

    def maybe() -> Papers | None:
        return None

    assert broken(fetch).message == "fetch returned None: expected a result"
    assert broken(maybe).message == "maybe returned None: expected Papers"


def test_what_does_not_become_json_or_utf8_is_a_failure() -> None:
    assert broken(returning(object())).message.startswith("fetch returned object, which does not become JSON: ")
    assert broken(returning("\ud83e")).message.startswith("fetch returned text that UTF-8 cannot carry: ")


def test_a_coroutine_of_a_function_that_is_not_async_asks_for_async_def() -> None:
    async def inner() -> None: ...

    coroutine = inner()
    assert broken(returning(coroutine)).message == "fetch returned an awaitable: declare it with async def"
    coroutine.close()


def test_an_async_function_has_a_loop_of_its_own_where_there_is_none() -> None:
    async def fetch() -> str:
        await asyncio.sleep(0)
        return "Mars"

    assert outcome_of(fetch) == Made(content=b"Mars", media_type="text/plain")


# ---------------------------------------------------------------- what is raised


def test_failed_says_whether_and_when_to_try_again() -> None:
    assert broken(raising(Failed("busy", retry_after=5))) == Broken(message="busy", retry_after=timedelta(seconds=5))
    assert broken(raising(Failed.permanent("no such topic"))) == Broken(message="no such topic", is_permanent=True)


def test_any_other_exception_may_pass_and_its_traceback_begins_at_the_users_code() -> None:
    failure = broken(raising(KeyError("topic")))
    assert (without_place(failure.message), failure.is_permanent) == ("KeyError: 'topic'", False)
    assert failure.traceback.splitlines()[1].startswith(f'  File "{__file__}"')
    assert failure.traceback.splitlines()[-1] == "KeyError: 'topic'"


@pytest.mark.parametrize(
    ("error", "said"),
    [(SystemExit(1), "SystemExit: 1"), (asyncio.CancelledError(), "CancelledError"), (MemoryError(), "MemoryError")],
)
def test_not_even_an_exit_ends_the_worker(error: BaseException, said: str) -> None:
    assert without_place(broken(raising(error)).message) == said


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_an_exception_that_cannot_be_told_is_told_all_the_same(kind: type[BaseException]) -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise kind

    assert without_place(broken(raising(Silent())).message) == f"Silent: (its text cannot be made: {kind.__name__})"


async def test_a_coroutine_that_is_cancelled_by_itself_has_failed_and_by_the_line_is_cancelled() -> None:
    async def fetch() -> str:
        raise asyncio.CancelledError

    failed = await callee(fetch).call_async(job(), HeardLine())
    assert isinstance(failed, Broken)
    assert (without_place(failed.message), failed.gist) == ("CancelledError", "")
    with pytest.raises(asyncio.CancelledError):
        await callee(fetch).call_async(job(), HeardLine(cancelled=True))


async def test_an_exit_of_a_coroutine_does_not_end_the_loop() -> None:
    async def fetch() -> str:
        sys.exit(3)

    outcome = await callee(fetch).call_async(job(), HeardLine())
    assert isinstance(outcome, Broken)
    assert without_place(outcome.message) == "SystemExit: 3"


def without_place(message: str) -> str:
    """Returns the message of an exception, which ends with the line of this file that raised it."""
    text, _, place = message.rpartition(" (")
    assert re.fullmatch(r"\S*test_calling\.py:\d+ in \w+\)", place)
    return text


# ---------------------------------------------------------------- validators


def judged(call: Callable[..., Any]) -> object:
    return outcome_of(call, job(candidate="Mars"), judges=True)


def test_a_validator_says_true_false_or_a_verdict() -> None:
    def says(papers: str, ctx: Context) -> Any:
        """Mars is mentioned."""
        return answer

    def tacit(papers: str) -> bool:
        return False

    answer: object = True
    assert judged(says) == Judged(is_pass=True)
    answer = False
    assert judged(says) == Judged(is_pass=False, reason="says says no: Mars is mentioned.")
    assert judged(tacit) == Judged(is_pass=False, reason="tacit says no")
    answer = Verdict.passed()
    assert judged(says) == Judged(is_pass=True)
    answer = Verdict.failed("no moon", retry=False)
    assert judged(says) == Judged(is_pass=False, reason="no moon", retry=False)
    answer = "yes"
    assert judged(says) == Broken(message="says returned str: expected a bool or a Verdict")


def test_a_validator_that_cannot_tell_or_breaks_decides_nothing() -> None:
    def complete(papers: str) -> bool:
        raise error

    error: Exception = CannotTell("the archive is closed")
    assert judged(complete) == Broken(message="the archive is closed")
    error = ValueError("odd")
    outcome = judged(complete)
    assert isinstance(outcome, Broken)
    assert without_place(outcome.message) == "ValueError: odd"
