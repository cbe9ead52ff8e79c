"""Patterns mean the same as in Python's `re`, with either engine."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.v1 import execution_pb2
from tests.support.draws import so_many
from tests.support.work.givens import regex
from worker_svc.validate.checking import patterns
from worker_svc.validate.checking.patterns import linear_for, search, steps
from worker_svc.validate.checks import check_result, is_quick

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL

needs_re2 = pytest.mark.skipif(patterns.linear_for("a", "a") is None, reason="google-re2 is not installed here")

# ---------------------------------------------------------------- drawn patterns

ALPHABET = "abAZz09_- .\n\t\x1c\x0b,*é行ſK"
atoms = st.sampled_from(
    ["a", "b", "A", "Z", "9", "_", " ", r"\n", r"\.", ".", r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", "[ab]", "[^ab]",
     "[a-z0-9]", r"[\w-]", r"[^\W_]", r"[^\s\d]", r"[\S\s]", "[行é]", "[^行]", "é", "ſ", "[Z-a]", "[^A-Z]", r"\x1c"]
)  # fmt: skip
places = st.sampled_from(["^", "$", r"\A", r"\Z", r"\b", r"\B", ""])
repeats = st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "??", "{1,2}?"])


def _longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.sampled_from(["(?:{})", "({})", "(?i:{})", "(?s:{})", "(?m:{})", "(?a:{})", "(?-i:{})"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.builds(lambda form, text, repeat: form.format(text) + repeat, group, inner, repeats),
        st.builds(lambda place, text: place + text, places, inner),
        st.builds(lambda place, text: text + place, places, inner),
    )


drawn = st.builds(
    lambda flags, pattern: flags + pattern,
    st.sampled_from(["", "", "(?i)", "(?s)", "(?m)", "(?a)", "(?im)", "(?is)"]),
    st.recursive(st.builds(lambda atom, repeat: atom + repeat, atoms, repeats), _longer, max_leaves=8),
)
texts = st.one_of(st.text(ALPHABET, max_size=12), st.text("abAZz09_ .\n\t\x1c\x0b,", max_size=12))


def _by_python(pattern: str, text: str) -> tuple[int, str] | None:
    match = re.search(pattern, text)
    return None if match is None else (match.start(), match[0])


@needs_re2
@given(pattern=drawn, text=texts)
@settings(derandomize=True, deadline=None, max_examples=so_many(1_000, long=4_000))
def test_both_engines_find_the_same_at_the_same_place(pattern: str, text: str) -> None:
    found = search(pattern, text)
    assert (None if found is None else tuple(found)) == _by_python(pattern, text)


@needs_re2
def test_most_drawn_patterns_are_searched_in_linear_time() -> None:
    """The comparison above would be worth nothing if it compared Python with itself."""
    count = [0, 0]

    @given(pattern=drawn, text=st.text("abAZz09_ .", max_size=5))
    @settings(derandomize=True, deadline=None, max_examples=so_many(200, long=500), database=None)
    def counted(pattern: str, text: str) -> None:
        count[linear_for(pattern, text) is not None] += 1

    counted()
    assert count[True] > count[False]


@needs_re2
@pytest.mark.parametrize("pattern", [
    r"\s", r"\S", r"\d", r"\D", r"\w", r"\W", ".", "(?s).", r"\b", "[^a]", "(?i)[^a]", "(?i)[Z-a]", "(?i)k", "(?a)\\s",
    "(?a)\\w", "(?i)[^k-s]", r"[\s\d]", r"[^\S]", "(?m)^", "(?m)$", "^", r"\A", r"\Z",
])  # fmt: skip
def test_every_character_is_in_the_same_classes(pattern: str) -> None:
    characters = [*map(chr, range(1, 0x250)), "ſ", "K", "\u2028", "\u3000", "行", "\U0001f600", "\x85", "İ", "ı"]
    for character in characters:
        for text in (character, f"a{character}b", f"{character}\n"):
            found = search(pattern, text)
            assert (None if found is None else tuple(found)) == _by_python(pattern, text), (pattern, text)


# ---------------------------------------------------------------- which engine


@needs_re2
@pytest.mark.parametrize(
    "pattern",
    [r"(?P<n>a)(?P=n)", "(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", "(?>a+)b", "a++b", "(a*)*", "(|a)+", "a{1001}",
     r"(?a:\W)", "(?i)ſ", "(?i)é", r"\B", r"(a)?(?(1)b|c)", r"\ud800", "("],
)  # fmt: skip
def test_what_the_engines_read_in_different_ways_is_left_to_python(pattern: str) -> None:
    assert linear_for(pattern, "ab") is None
    assert steps(pattern, "ab") is None


@needs_re2
def test_a_text_for_which_the_engines_differ_is_left_to_python() -> None:
    assert linear_for(r"\w+", "abc") is not None
    assert linear_for(r"\w+", "café") is None
    assert linear_for("caf.", "café") is not None
    assert linear_for("c$", "abc") is not None
    assert linear_for("c$", "abc\n") is None
    assert linear_for("(?m)c$", "abc\n") is not None
    assert linear_for("a", "\ud800a") is None
    assert search("a", "\ud800a") == (1, "a")


@needs_re2
@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "([a-z]+)*!$", "(?:a|a|aa){30,}b"])
def test_a_pattern_that_backtracks_without_end_is_decided_at_once(pattern: str) -> None:
    begun = time.process_time()
    result = check_result(regex(pattern), b"a" * 20_000 + b"?")
    assert result.outcome == FAIL
    assert time.process_time() - begun < 1.0


@needs_re2
def test_a_short_linear_search_needs_no_process_of_its_own() -> None:
    assert is_quick(b"a" * 1_000, regex("(a+)+$"))
    assert is_quick(b"\xff", regex("a"))
    assert not is_quick(b"a" * 1_000, regex(r"(a)\1"))
    assert not is_quick("café".encode(), regex(r"\w"))
    assert not is_quick(b"a" * 30_000, regex(r"(\w+\s?){500}x"))
    assert not is_quick(b"a" * 40_000, regex("a"))


@needs_re2
def test_what_must_be_absent_is_quick_only_if_each_search_is() -> None:
    hidden_newline = "a\n\u200b".encode()
    assert is_quick(hidden_newline, regex("(a+)+$"))
    assert not is_quick(hidden_newline, regex("(a+)+$", absent=True))
    assert not is_quick(b'{"a": "caf\\u00e9"}', regex(r"(\w+)+!", absent=True))


def test_without_the_library_patterns_are_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns._linear.cache_clear()
    monkeypatch.setattr(patterns, "re2", None)
    try:
        assert linear_for("a", "a") is None
        assert search("b+", "abb") == (1, "bb")
        assert not is_quick(b"a", regex("a"))
        assert check_result(regex("b+"), b"abb").outcome == PASS
    finally:
        patterns._linear.cache_clear()
