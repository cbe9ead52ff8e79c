"""Estimates without a provider's count: never less than was sent or came, and not many times as much."""

from __future__ import annotations

import json

import pytest

from runner_svc.core.spending import expectations as expecting
from tests.support.servers.tokens import tokens_of
from worker_svc.llm.account import BYTES_PER_TOKEN, LEAST_AHEAD, Streamed
from worker_svc.llm.account import tokens_of as tokens_estimated
from worker_svc.llm.openai.token_counts import Counts
from worker_svc.prompts import messages as prompts
from worker_svc.prompts.messages import judge_schema
from worker_svc.validate.judge import parts

PROSE = "The bridge was built in 1932, and it carries about 4,000 cars a day; we looked at it in May. "
TABLE = "\n".join(",".join(str(row * column % 23) for column in range(12)) for row in range(20))
CODE = "def halves(values: list[int]) -> list[int]:\n    return [value // 2 for value in values if value % 2 == 0]\n"
TEXTS = {
    "prose": PROSE * 20,
    "chinese": "本次调查共走访了五个公园，其中三个位于市中心。" * 20,
    "table": TABLE,
    "code": CODE * 10,
    "schema": json.dumps(judge_schema(3)),
    "compact": json.dumps({"a": [1, 2, 3], "b": {"c": None, "d": [[], {}]}}, separators=(",", ":")) * 10,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_an_estimate_is_at_least_what_a_vocabulary_makes_of_a_text_and_not_twice_that(text: str) -> None:
    assert len(tokens_of(text)) <= tokens_estimated(text) <= 2 * len(tokens_of(text))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("tokens", [1, 5, 1_000])
def test_it_is_the_same_for_what_comes_whatever_the_pieces_are(text: str, tokens: int) -> None:
    streamed, every = Streamed(), tokens_of(text)
    for at in range(0, len(every), tokens):
        streamed.add("".join(every[at : at + tokens]))
    assert len(every) <= streamed.uncounted <= 2 * len(every)


def streamed_with_thoughts(counts: Counts) -> Streamed:
    """An answer of 240 tokens with as many of thoughts before it, whole and counted."""
    streamed = Streamed()
    for _ in range(12):
        streamed.add(PROSE, is_thought=True)
    for _ in range(12):
        streamed.add(PROSE)
    streamed.counts, streamed.is_whole = counts, True
    return streamed


def test_thoughts_that_the_count_names_are_counted() -> None:
    assert streamed_with_thoughts(Counts(output_tokens=480, reasoning_tokens=240)).uncounted == 0


def test_thoughts_that_the_count_has_room_for_are_counted() -> None:
    assert streamed_with_thoughts(Counts(output_tokens=480)).uncounted == 0


def test_thoughts_that_the_count_has_no_room_for_are_estimated() -> None:
    streamed = streamed_with_thoughts(Counts(output_tokens=240))
    assert streamed.uncounted == streamed.estimate - 240


def test_the_runner_books_for_a_silent_worker_what_that_would_have_said_first() -> None:
    assert (expecting.BYTES_PER_TOKEN, expecting.LEAST_AHEAD) == (BYTES_PER_TOKEN, LEAST_AHEAD)
    assert (expecting.MOST_OF_ARTIFACT, expecting.MOST_OF_ALL) == (prompts.MAX_ARTIFACT_CHARS, prompts.MAX_TOTAL_CHARS)
    assert (expecting.MOST_PARTS, expecting.OVERLAP) == (parts.MOST_PARTS, parts.OVERLAP_CHARS)
