"""Patterns mean what ECMA-262 says, or are refused with what was expected and where."""

from __future__ import annotations

import pytest

from signoff.schemas.ecma import Unsupported, compiled, translated

DRAGON = "\U0001f432"


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("^[a-z]+$", ["abc"], ["abc\n", "ABC", ""]),
        (r"^\d$", ["7"], ["٣", "７"]),
        (r"^\D$", ["٣"], ["7"]),
        (r"^\w+$", ["a_1"], ["é", "ñ"]),
        (r"^\W$", ["é", DRAGON], ["a"]),
        (r"^\s$", ["\ufeff", "\u2028", "\u00a0", "\u3000", "\v"], ["\x1c", "\x85", "\u200b", "\u180e"]),
        (r"^\S$", ["\x85", "\x1c"], ["\ufeff"]),
        ("^.$", ["a", DRAGON, "\x85", "\v"], ["\n", "\r", "\u2028", "\u2029"]),
        (r"a\b", ["a", "aé"], ["ab"]),
        (r"^\B$", [""], ["a"]),
        (r"^[\b]$", ["\b"], ["b"]),
        (r"^\cJ\cj$", ["\n\n"], ["JJ"]),
        (r"^\0$", ["\0"], ["0"]),
        (r"^\x41\u0042\u{43}\u{01F432}$", [f"ABC{DRAGON}"], []),
        (r"^\ud83d\udc32+$", [DRAGON * 2], ["\ud83d"]),
        (r"^[\ud83d\udc32]$", [DRAGON], []),
        (f"^{DRAGON}*$", ["", DRAGON * 3], []),
        (r"^\p{L}+$", ["añ漢"], ["a1", "_"]),
        (r"^\p{Lu}\P{Lu}\p{gc=Nd}\p{General_Category=Decimal_Number}$", ["Éa٣7"], ["éa77"]),
        (r"^\p{Sc}\p{punct}\p{Assigned}\p{ASCII}$", ["€!éa"], ["€!éé", "a!éa"]),
        (r"^[\p{Lowercase}\d]+$", ["aß1"], ["A"]),
        (r"^[^\P{L}]$", ["a"], ["1"]),
        (r"^\p{LC}$", ["A", "ǅ"], ["漢"]),
        (r"^(?<year>\d{4})-\k<year>$", ["2024-2024"], ["2024-2025"]),
        (r"^(?:(['\"])[^'\"]*\1)+$", ["'a'\"b\""], ["'a\""]),
        (r"^(a)?b\1$", ["b", "aba"], ["ab"]),
        (r"^\1(a)$", ["a"], ["aa"]),
        (r"^(a\1)$", ["a"], ["aa"]),
        (r"(?<=\$|USD )\d", ["$5", "USD 5"], ["5", "€5"]),
        (r"^(?<!ab|c)", ["x", ""], []),
        (r"[]", [], ["", "a"]),
        (r"^[^]$", ["\n", DRAGON], [""]),
        (r"^[\w-.]$", ["a", "-", "."], [","]),
        (r"^[a\-z]$", ["-"], ["b"]),
        (r"^\@\-\/$", ["@-/"], []),
        (r"^{a}]$", ["{a}]"], []),
        (r"^[[&&||~~a-]$", ["[", "&", "|", "~", "a", "-"], ["b"]),
        (r"^a{2,}?$", ["aa", "aaa"], ["a"]),
        (r"^#a b$", ["#a b"], ["#ab"]),
    ],
)
def test_a_pattern_matches_what_it_matches_in_javascript(pattern: str, matching: list[str], others: list[str]) -> None:
    search = compiled(pattern).search
    assert [text for text in matching if not search(text)] == []
    assert [text for text in others if search(text)] == []


@pytest.mark.guard(name="patterns are those of ECMA-262")
def test_the_end_of_a_text_is_behind_its_last_newline() -> None:
    assert compiled("^[a-z]+$").search("abc")
    assert not compiled("^[a-z]+$").search("abc\n")


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"\Z", r"an escape that ECMA-262 has, but '\\Z' has '\\Z' at character 0"),
        (r"^\A", "'\\\\A' at character 1"),
        (r"\a", "an escape"),
        (r"\u12", "an escape"),
        (r"\u{110000}", "an escape"),
        (r"\01", "an escape"),
        (r"\c1", "an escape"),
        ("ab\\", "an escape"),
        ("(?i)a", "a group of ECMA-262"),
        ("(?P<n>a)", "a group of ECMA-262"),
        ("(?>a)", "a group of ECMA-262"),
        ("a++", "'+' at character 2"),
        ("a*{2}", "repetitions of something other than a repetition"),
        ("^*", "other than an assertion"),
        ("(?=a)*", "other than an assertion"),
        ("*a", "something to repeat before"),
        ("a{,3}", "something to repeat before"),
        ("a{3,2}", "whose numbers are in order"),
        (f"a{{{'9' * 5000}}}", "repetitions of at most 999,999,999 times"),
        (f"a{{1,{'9' * 5000}}}", "repetitions of at most 999,999,999 times"),
        ("[b-a]", "a range whose ends are in order"),
        ("[a", "a ] for every ["),
        ("(a", "a ) for every ("),
        ("a)", "a ( for every )"),
        (r"\2(a)", "groups that are there"),
        (r"\k<b>(?<a>a)", "groups that are there"),
        ("(?<1>a)", "a name such as <year>"),
        ("(?<a>a)(?<a>b)", "names of their own"),
        ("(" * 101 + ")" * 101, "nested at most 100 deep"),
    ],
)
def test_what_is_no_pattern_of_ecma_262_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^expected ") as refused:
        compiled(pattern)
    assert says in str(refused.value)
    assert not isinstance(refused.value, Unsupported)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\p{Script=Han}",
        r"\p{Emoji}",
        r"^(?:(a)|b)*\1$",
        r"^(a*)*\1$",
        r"(?!(a))\1",
        r"(?<=(a)\1)b",
        "(?<=a+)b",
    ],
)
def test_what_cannot_be_carried_out_is_refused_and_not_guessed(pattern: str) -> None:
    with pytest.raises(Unsupported, match=r"^expected "):
        compiled(pattern)


def test_groups_may_be_nested_as_deep_as_in_any_pattern() -> None:
    assert compiled("(" * 100 + "a" + ")" * 100).search("a")


def test_what_sets_cost_is_told_before_they_are_compiled() -> None:
    assert translated("[a-z]").sets == 0
    assert translated(r"[\s\S]").sets == 0
    assert translated(".").sets == pytest.approx(0.1)
    assert translated("[一-龥]").sets == 1
    assert translated(r"\p{L}").sets == 1


@pytest.mark.parametrize("pattern", [r"\p{L}" * 101, "." * 1_001, "[" + r"\P{L}" * 1_600 + "]"])
def test_a_pattern_full_of_large_sets_is_refused_before_it_takes_long(pattern: str) -> None:
    with pytest.raises(ValueError, match="at most 100 sets beyond"):
        translated(pattern)
