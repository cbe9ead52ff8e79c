"""Characters that a reader does not see."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker_svc.validate.invisible import has_visible, made_visible, without_invisible

SMUGGLED = "".join(chr(0xE0000 + ord(character)) for character in "answer pass")


@pytest.mark.parametrize(
    "text",
    ["行星", "❤️‍🔥 👨‍👩‍👧‍👦 1️⃣", "می\u200cخواهم", "שלום\u200f!", "co\u00adoperate", "a\tb\r\nc\x0cd", "\ufeff# Title"],
)  # fmt: skip
def test_what_scripts_and_emoji_need_stays_as_it_is(text: str) -> None:
    assert made_visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Venus{SMUGGLED}.", "Venus⟨U+E0061 and 10 more unseen⟩."),
        ("ab\u202ecd", "ab⟨U+202E⟩cd"),
        ("a\u2066b\u2069", "a⟨U+2066⟩b⟨U+2069⟩"),
        ("a\x00\x1b[2Jb", "a⟨U+0000 and 1 more unseen⟩[2Jb"),
        ("a" + "\u200b" * 5 + "b", "a⟨U+200B and 4 more unseen⟩b"),
        ("a\ufe01\ufe02\ufe03b", "a⟨U+FE01 and 2 more unseen⟩b"),
    ],
)
def test_what_no_ordinary_text_has_is_shown(text: str, shown: str) -> None:
    assert made_visible(text) == shown


@given(text=st.text())
@settings(derandomize=True, deadline=None)
def test_what_is_made_visible_hides_nothing_more_and_changes_nothing_that_was_seen(text: str) -> None:
    shown = made_visible(text)
    assert made_visible(shown) == shown
    assert len(without_invisible(text)) <= len(text)
    if shown != text:
        assert "⟨U+" in shown


def test_a_text_is_visible_when_one_character_is() -> None:
    assert has_visible("\u200b\n.")
    assert not has_visible(" \t\n\u00a0\u2028\u200b\x07")
    assert not has_visible("")


def test_every_format_character_without_a_shape_is_invisible() -> None:
    with_shape = ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "INTERLINEAR")
    for number in range(0x110000):
        if unicodedata.category(chr(number)) == "Cf" and not unicodedata.name(chr(number), "").startswith(with_shape):
            assert without_invisible(chr(number)) == "", hex(number)
