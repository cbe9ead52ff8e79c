"""The thinking of a task: what the runner kept of it, and what the watch brings, each word once."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.cli.top.session import KEPT
from signoff.cli.top.thinking import LEAST_SEAM, joined
from signoff.client.view import THINKING_TAIL

TEXT = "".join(random.Random(1).choices(string.ascii_lowercase, k=10_000))


@pytest.mark.guard(name="thinking is not doubled")
@given(st.data())
def test_each_word_comes_once_whatever_has_come_by_the_time_of_the_answer(data: st.DataObject) -> None:
    asked = data.draw(st.integers(KEPT, len(TEXT) - THINKING_TAIL), "characters thought before the runner was asked")
    watched = asked - data.draw(st.just(0) | st.integers(LEAST_SEAM, THINKING_TAIL), "of them since the watch began")
    come = data.draw(st.just(0) | st.integers(LEAST_SEAM, THINKING_TAIL), "characters that have come by the watch")
    heard = watched + come
    told = joined(TEXT[asked - KEPT : asked], TEXT[watched:heard])
    assert TEXT[: max(asked, heard)].endswith(told)
    assert len(told) >= KEPT or len(told) == THINKING_TAIL


def test_nothing_is_lost_where_one_source_is_silent() -> None:
    assert joined("", "I weigh") == "I weigh"
    assert joined("I weigh", "") == "I weigh"


def test_what_was_heard_long_after_is_shown_alone() -> None:
    later = "x" * THINKING_TAIL
    assert joined("I weigh the planets", later) == later
