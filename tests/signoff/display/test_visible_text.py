"""A text shows what it is: nothing in it hides or steers the terminal."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.display.visible_text import one_line, visible, visible_json

#: Signs of Arabic, Syriac and Kaithi that stand around what follows them: Cf, and seen.
WITH_SHAPE = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}


@pytest.mark.parametrize(
    "text",
    [
        "行星 über שלום",
        "👨‍👩‍👧‍👦 1️⃣ ❤️‍🔥 👩🏽‍🚀 ⚠️",
        "می‌خواهم",  # Persian: a joiner that does not join
        "क्‍ष",  # Devanagari
        "葛\U000e0100城",  # the form of a family name
        "a\tb\nc",
    ],
)
def test_what_scripts_and_emoji_need_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert visible_json(text) == text


@pytest.mark.guard(name="hidden characters are written out")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb\x07", "a\\x1b[2Jb\\x07"),
        ("a\x9b2J\x7f", "a\\x9b2J\\x7f"),
        ("over\rwritten", "over\\rwritten"),
        ("a\u202ecba\u202c\u2066\u2069\u200e\u061c", "a\\u202ecba\\u202c\\u2066\\u2069\\u200e\\u061c"),
        ("a\u200bb\ufeff\u00adc", "a\\u200bb\\ufeff\\xadc"),
        ("two\u2028lines\u2029", "two\\u2028lines\\u2029"),
        ("half \ud83d", "half \\ud83d"),
        ("tags \U000e0061\U000e0062", "tags \\U000e0061\\U000e0062"),
        ("a\u200db", "a\\u200db"),  # no script of these joins
        ("😀\u200d\u200d\u200d", "😀\\u200d\\u200d\\u200d"),
        ("😀\ufe0f\ufe00\ufe01", "😀\ufe0f\\ufe00\\ufe01"),
        ("می\u200c\u200c", "می\u200c\\u200c"),
        ("a\ufe0f", "a\\ufe0f"),
    ],
)
def test_what_hides_or_steers_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_every_character_without_a_shape_is_written_out() -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    numbers = [number for number in range(0x110000) if unicodedata.category(chr(number)) in hidden]
    numbers += [*range(0xFDD0, 0xFDF0), *(number for number in range(0x110000) if number & 0xFFFE == 0xFFFE)]
    left = {number for number in numbers if visible(chr(number)) == chr(number)}
    assert left == {9, 10} | (WITH_SHAPE & set(numbers))


def test_a_line_stays_a_line() -> None:
    assert one_line(" a\r\nb\tc\x0bd\n") == "a b c\\x0bd"


@given(text=st.text(st.characters(codec=None), max_size=60))
@settings(derandomize=True, deadline=None)
def test_what_is_visible_stays_visible(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", shown)


@pytest.mark.guard(name="hidden characters are escaped in JSON")
def test_json_means_the_same() -> None:
    texts = ["a\x1b[2J\x7f\x9b\u202e\u200b\u2028", "tags \U000e0061 👩‍🚀 中文", "half \ud83d", "two\nlines\tof \\u0041"]
    document = visible_json(json.dumps(texts, ensure_ascii=False))
    assert json.loads(document) == texts
    assert document == visible(document)
    assert "\\u202e" in document
    assert "\\udb40\\udc61 👩‍🚀 中文" in document
