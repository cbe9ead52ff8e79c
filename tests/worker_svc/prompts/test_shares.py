"""A prompt divides its space fairly, in order, and never exceeds it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.draws import so_many
from worker_svc.prompts.shares import LEAST_SHARE, InputSize, shares

WISHES = st.lists(st.builds(InputSize, chars=st.integers(0, 5_000), frame=st.integers(0, 300)), max_size=60)


def taken(wishes: list[InputSize], given: list[int | None]) -> int:
    return sum(chars + wish.frame for wish, chars in zip(wishes, given, strict=True) if chars is not None)


@given(wishes=WISHES, total=st.integers(-500, 60_000))
@settings(derandomize=True, deadline=None, max_examples=so_many(150, long=500))
@pytest.mark.guard(name="a prompt takes no more space than it has")
def test_all_shares_together_fit_and_each_is_all_that_was_wished_or_the_common_share(
    wishes: list[InputSize], total: int
) -> None:
    divided = shares(wishes, total)
    assert taken(wishes, divided) <= max(total, 0)
    cut = {chars for wish, chars in zip(wishes, divided, strict=True) if chars is not None and chars < wish.chars}
    assert len(cut) <= 1
    assert all(chars >= LEAST_SHARE for chars in cut)
    assert divided == shares(wishes, total)


@given(wishes=WISHES, total=st.integers(0, 60_000))
@settings(derandomize=True, deadline=None, max_examples=so_many(150, long=500))
def test_no_input_is_cut_while_a_smaller_one_could_give_way(wishes: list[InputSize], total: int) -> None:
    divided = shares(wishes, total)
    cut = [chars for wish, chars in zip(wishes, divided, strict=True) if chars is not None and chars < wish.chars]
    whole = [chars for wish, chars in zip(wishes, divided, strict=True) if chars == wish.chars]
    if cut and None not in divided:
        assert max(whole, default=0) <= cut[0]
        assert total - taken(wishes, divided) < len(cut)


@given(wishes=WISHES, total=st.integers(0, 60_000))
@settings(derandomize=True, deadline=None, max_examples=so_many(150, long=500))
def test_of_those_that_have_to_share_the_first_are_shown(wishes: list[InputSize], total: int) -> None:
    divided = shares(wishes, total)
    left_out = [place for place, chars in enumerate(divided) if chars is None]
    if left_out:
        least = min(wishes[place].chars for place in left_out)
        after = [place for place in range(left_out[0], len(wishes)) if divided[place] is not None]
        assert all(wishes[place].chars <= least for place in after)


def test_what_fits_is_shown_whole() -> None:
    assert shares([InputSize(100, 10), InputSize(0, 10), InputSize(300, 10)], 430) == [100, 0, 300]


@pytest.mark.guard(name="large inputs share evenly")
def test_small_ones_are_whole_and_large_ones_share_what_is_left() -> None:
    wishes = [InputSize(48_000, 0), InputSize(100, 0), InputSize(48_000, 0), InputSize(900, 0), InputSize(20_000, 0)]
    assert shares(wishes, 31_000) == [10_000, 100, 10_000, 900, 10_000]
    assert shares(wishes, 91_000) == [35_000, 100, 35_000, 900, 20_000]


def test_where_a_share_would_say_nothing_the_first_have_one_that_does() -> None:
    wishes = [InputSize(10_000, 100)] * 10
    assert shares(wishes, 2_400) == [LEAST_SHARE] * 4 + [None] * 6
    assert shares([InputSize(400, 100)] * 10, 2_400) == [400] * 4 + [None] * 6


def test_without_any_space_nothing_is_shown() -> None:
    assert shares([InputSize(10, 10), InputSize(0, 10)], 5) == [None, None]
    assert shares([], 5) == []


def test_a_hundred_thousand_inputs_are_divided_in_a_moment() -> None:
    wishes = [InputSize(n % 48_000, 300) for n in range(100_000)]
    divided = shares(wishes, 200_000)
    assert taken(wishes, divided) <= 200_000
