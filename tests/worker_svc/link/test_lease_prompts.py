"""The prompts of a lease, as the worker sends them: each distinct one once on a stream, within bounds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.rpc.frames import LEAST_FRAME_BYTES
from worker_svc.link.codec import Limits
from worker_svc.link.lease_prompts import CUT, MOST_BYTES, MOST_PROMPTS, LeasePrompts, content_of


def sent(prompts: LeasePrompts, limits: Limits | None = None) -> list[bytes]:
    """Returns the prompts that are taken, put together from their chunks."""
    whole = list[bytes]()
    for message in prompts.take("L1", limits or Limits()):
        chunk = message.prompt_chunk
        if chunk.offset == 0:
            whole.append(b"")
        assert chunk.offset == len(whole[-1])
        whole[-1] += chunk.data
        assert chunk.lease_id == "L1"
        assert len(whole[-1]) <= chunk.size_bytes
    return whole


def test_a_prompt_is_written_as_json() -> None:
    content = content_of((("system", "You name planets."), ("user", 'Name one:\n"行星"')))
    assert json.loads(content) == [
        {"role": "system", "content": "You name planets."},
        {"role": "user", "content": 'Name one:\n"行星"'},
    ]


@pytest.mark.guard(name="a prompt is sent once")
def test_each_distinct_prompt_is_sent_once() -> None:
    prompts = LeasePrompts()
    assert prompts.add(b"one")
    assert not prompts.add(b"one")
    assert prompts.add(b"two")
    assert prompts.must_be_sent
    assert sent(prompts) == [b"one", b"two"]
    assert not prompts.add(b"two")
    assert (sent(prompts), prompts.must_be_sent) == ([], False)


def test_more_than_the_runner_keeps_are_not_sent() -> None:
    prompts = LeasePrompts()
    assert [prompts.add(str(number).encode()) for number in range(MOST_PROMPTS + 1)] == [True] * MOST_PROMPTS + [False]


def test_prompts_are_sent_again_on_the_next_stream() -> None:
    prompts = LeasePrompts()
    prompts.add(b"one")
    sent(prompts)
    prompts.stream_lost()
    assert prompts.must_be_sent
    assert sent(prompts) == [b"one"]


def test_a_prompt_goes_in_chunks_that_fit_the_frame() -> None:
    prompts, long = LeasePrompts(), b"x" * 200_000
    prompts.add(long)
    prompts.add(b"short")
    assert sent(prompts, Limits(frame=LEAST_FRAME_BYTES)) == [long, b"short"]


@pytest.mark.guard(name="a prompt that is kept is bounded")
@given(st.lists(st.sampled_from(["x", "行", "\n", "\x00", '"', "\ud800"]), min_size=2, max_size=3), st.integers(1, 3))
def test_a_prompt_that_is_too_long_is_cut_from_its_end_with_a_mark(letters: list[str], times: int) -> None:
    prompt = tuple(("user", letter * (MOST_BYTES * times // 2)) for letter in letters)
    content = content_of(prompt)
    assert len(content) <= MOST_BYTES
    messages = json.loads(content)
    assert [message["role"] for message in messages] == ["user"] * len(letters)
    for (_, text), message in zip(prompt, messages, strict=True):
        kept = message["content"].removesuffix(CUT)
        assert text.encode(errors="replace").decode().startswith(kept)
    assert messages[-1]["content"].endswith(CUT) or len(content_of(prompt[-1:])) * len(letters) <= MOST_BYTES
