"""Numbers keep their digits, and no exponent makes them slow."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.schemas.keys import key_of
from signoff.schemas.numbers import exact_json, is_multiple, is_whole, json_text

HUGE = "1e999999999999"


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [
        ("19.99", "0.01", True),
        ("19.999", "0.01", False),
        ("0.3", "0.1", True),
        ("1e-7", "1e-8", True),
        ("0.00751", "0.0001", False),
        ("-4.5", "1.5", True),
        ("0", "0.3", True),
        ("0.0", "7", True),
        ("9007199254740993", "2", False),
        ("12345678901234567.89", "0.01", True),
        (HUGE, "7", False),
        (HUGE, "0.5", True),
        ("1e-999999999999", "7", False),
        ("7", HUGE, False),
        (HUGE, HUGE, True),
    ],
)
def test_multiples_are_exact(value: str, step: str, expected: bool) -> None:
    assert is_multiple(exact_json(value), exact_json(step)) is expected


@given(st.decimals(-1000, 1000, places=3), st.decimals(Decimal("0.001"), 50, places=3))
def test_multiples_are_those_of_whole_numbers(value: Decimal, step: Decimal) -> None:
    assert is_multiple(value, step) == (int(value * 1000) % int(step * 1000) == 0)


@pytest.mark.parametrize(
    ("text", "expected"), [("1.0", True), ("1.50", False), ("10e-1", True), (HUGE, True), ("0.0", True)]
)
def test_a_whole_number_has_no_fraction_however_it_is_written(text: str, expected: bool) -> None:
    assert is_whole(exact_json(text)) is expected


def test_numbers_look_in_messages_as_they_do_in_json() -> None:
    assert repr(exact_json('{"a": [19.990, 1e2]}')) == "{'a': [19.990, 1E+2]}"


@pytest.mark.parametrize("text", ['{"a":[1,-2.50,1E-7,12345678901234567.89],"é":null}', "0.1", "[]"])
def test_json_is_written_with_the_digits_that_were_read(text: str) -> None:
    assert json_text(exact_json(text)) == text


@pytest.mark.parametrize("text", ["1e400", "-1e400"])
def test_a_number_that_no_double_holds_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="a double can hold"):
        json_text([exact_json(text)])


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", f"1e{'9' * 30}"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it holds"):
        exact_json(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "1", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_keys_are_equal_for_equal_values_of_json_and_for_no_others(one: object, other: object) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (key_of(one) == key_of(other)) is same
    assert key_of(exact_json(json.dumps(one))) == key_of(one)


def test_numbers_are_equal_by_their_value() -> None:
    assert key_of(exact_json("[1, 1.0, 10e-1]")) == key_of([1, 1, 1])
    assert key_of(exact_json("0.10000000000000001")) != key_of(exact_json("0.1"))
