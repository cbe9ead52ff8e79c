"""Checks of a candidate's prose: its words, its language, and its sources."""

from __future__ import annotations

import json
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import citations, language, words
from worker_svc.validate import checks
from worker_svc.validate.checking.citations import sources_in
from worker_svc.validate.checking.text.word_count import count_words

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR

ENGLISH = "The planets orbit the sun, and Mercury is the smallest of them."
CHINESE = "行星围绕太阳公转，水星是其中最小的一颗。"
FRENCH = "Les planètes tournent autour du soleil, et Mercure est la plus petite."


def outcome_of(check: plan_pb2.Check, content: str) -> tuple[int, str]:
    result = checks.check_result(check, content.encode())
    assert result.deterministic
    assert bool(result.reason) == (result.outcome != PASS)
    return result.outcome, result.reason


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("... — !", 0),
        ("Mars is red.", 3),
        ("e-mail in 2024", 4),
        ("don't", 2),
        ("naïve cafe\u0301", 2),
        ("行星围绕太阳", 6),
        ("行星 Mars 和 Venus", 5),
        ("カタカナ ひらがな", 8),
        ("ระบบ", 4),
        ("ภาษา ๒๕๖๗", 5),
        ("한국어 문장", 2),
        ("हिन्दी भाषा", 2),
        ("می\u200cخواهم", 1),
        ("wo\u200brd pad\u00adding", 2),
        ("snake_case", 2),
    ],
)
def test_words_are_runs_of_letters_and_digits_and_letters_of_scripts_without_spaces(text: str, expected: int) -> None:
    assert count_words(text) == expected


def test_the_bounds_of_words_are_inclusive_and_said() -> None:
    assert outcome_of(words(2, 2), "two words")[0] == PASS
    assert outcome_of(words(3), "two words") == (FAIL, "expected at least 3 words, but got 2")
    assert outcome_of(words(0, 1), "two words") == (FAIL, "expected at most 1 words, but got 2")


def test_the_words_of_json_are_those_of_its_strings() -> None:
    content = json.dumps({"summary": "行星 is\na word", "tags": [{"name": "one"}], "n": 7})
    assert "\\u884c" in content
    assert outcome_of(words(6, 6), content)[0] == PASS


@given(text=st.text(max_size=60))
@settings(derandomize=True, deadline=None)
def test_words_are_counted_as_the_obvious_way_counts_them(text: str) -> None:
    count, inside = 0, False
    for character in text:
        kind, name = unicodedata.category(character), unicodedata.name(character, "")
        if kind[0] == "M" or kind == "Cf":
            continue
        scripts = ("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "HENTAIGANA", "THAI", "LAO",
                   "KHMER", "MYANMAR")  # fmt: skip
        alone = character.isalnum() and not character.isdigit() and name.startswith(scripts)
        count += alone or (character.isalnum() and not inside)
        inside = character.isalnum() and not alone
    assert count_words(text) == count


# ---------------------------------------------------------------- language


@pytest.mark.parametrize(("code", "text"), [("en", ENGLISH), ("zh", CHINESE), ("fr", FRENCH), ("EN", ENGLISH.upper())])
def test_a_text_in_its_language_passes(code: str, text: str) -> None:
    assert outcome_of(language(code), text) == (PASS, "")


def test_a_text_in_another_language_fails_with_both() -> None:
    found, reason = outcome_of(language("en"), FRENCH)
    assert found == FAIL
    assert reason.startswith('expected text in "en", but got "fr" (probability 0.9')


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("no", "Planetane går rundt sola, og Merkur er den minste av dei."),  # Nynorsk
        ("nb", "Planetene går rundt solen, og Merkur er den minste av dem."),
        ("zh", "行星圍繞太陽公轉，水星係最細嗰粒，佢哋都冇咁大。"),  # Cantonese
    ],
)
def test_a_member_of_a_macrolanguage_is_in_that_language(code: str, text: str) -> None:
    assert outcome_of(language(code), text)[0] == PASS


@pytest.mark.parametrize(
    "text", ["Mars", "水星是最小的", "12345 67890 12345 67890", "https://example.com/the/planets/are"]
)
def test_a_text_too_short_to_tell_neither_passes_nor_fails(text: str) -> None:
    found, reason = outcome_of(language("en"), text)
    assert found == ERROR
    assert "cannot tell the language: it takes 20 letters" in reason


def test_a_language_that_is_neither_likely_nor_out_of_the_question_is_left_open() -> None:
    found, reason = outcome_of(
        language("en"), "The word 行星 means planet in Chinese; 太阳 means sun; 水星 means Mercury"
    )
    assert found == ERROR
    assert 'it may be "en" (0.' in reason


def test_a_language_that_cannot_be_told_is_the_checks_fault() -> None:
    assert outcome_of(language("tlh"), ENGLISH) == (
        ERROR, 'cannot tell the language: "tlh" is not among those that can be told'
    )  # fmt: skip


def test_the_language_of_json_is_that_of_its_strings_and_not_of_its_keys() -> None:
    content = json.dumps({"the_planets_of_the_sun_and_what_is_known_of_them": [CHINESE, {"and_more": CHINESE}]})
    assert outcome_of(language("zh"), content)[0] == PASS
    assert outcome_of(language("en"), content)[0] == FAIL


def test_addresses_have_no_language() -> None:
    links = " ".join(f"https://example.com/the-planets-of-the-sun-and-their-moons-{n}" for n in range(9))
    assert outcome_of(language("zh"), f"{CHINESE} {links}")[0] == PASS


def test_of_a_long_text_every_part_counts() -> None:
    assert outcome_of(language("en"), ENGLISH * 5_000)[0] == PASS
    assert outcome_of(language("en"), ENGLISH * 200 + FRENCH * 4_800)[0] == FAIL
    assert outcome_of(language("en"), ENGLISH * 2_500 + FRENCH * 2_500)[0] == ERROR


# ---------------------------------------------------------------- sources


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no source at all, not even x.y or [a]", []),
        ("see https://a.org/x, (http://b.org) and www.c.org.", ["a.org/x", "b.org", "c.org"]),
        ("https://a.org/x https://www.A.org/x/ http://a.org/x#part https://a.org/x.", ["a.org/x"]),
        ("https://a.org/x https://a.org/X", ["a.org/x", "a.org/X"]),
        ("https://en.wikipedia.org/wiki/Mars_(planet)", ["en.wikipedia.org/wiki/Mars_(planet)"]),
        ("[Mars](https://a.org/mars) “https://b.org”", ["a.org/mars", "b.org"]),
        ("http://localhost:8000/x and https://x are no sources", []),
        ("doi:10.1000/ABC.d, https://doi.org/10.1000/abc.d", ["doi:10.1000/abc.d"]),
        ("https://dl.acm.org/doi/10.1145/3292500.3330701?x=1 10.1145/3292500.3330701", ["doi:10.1145/3292500.3330701"]),
        ("10.1000/a 10.1000/b version 10.2/3", ["doi:10.1000/a", "doi:10.1000/b"]),
        ("shown in [1], [2, 4] and [6–8]; again [1]", ["[1]", "[2]", "[4]", "[6]", "[8]", "[7]"]),
        ("a note[^3], 研究表明【5】", ["[3]", "[5]"]),
        ("[0] [2024] [x] [ ] [1.5]", []),
        ("As [1] says, and [2].\n\n[1] Smith, https://a.org/x\n[2]: https://b.org", ["a.org/x", "b.org"]),
        ("As [1] and [9] say.\n[1] Smith, https://a.org/x", ["a.org/x", "[9]"]),
        ("见https://zh.wikipedia.org/wiki/行星。", ["zh.wikipedia.org/wiki/行星"]),
        ("https://a.org/\u200b https://a.org/", ["a.org"]),
        ("x[1] = a[2] + b[3]", []),
        ("let total = rows[1]", []),
        ("m[1][2] and my_list[3], itemList[4], v2[5]", []),
        ("f(x)[1].y + 2", []),
        ("as Smith[1] and (Jones 2020)[2] say[3][4].", ["[1]", "[2]", "[3]", "[4]"]),
        ("so `see [1]` and\n```\nrow [2] https://a.org\n```\nbut [3]", ["[3]"]),
        ("~~~\n[1]\n~~~\n`https://b.org`", ["b.org"]),
    ],
)
def test_sources_are_urls_dois_and_marks_and_each_counts_once(text: str, expected: list[str]) -> None:
    assert sources_in(text) == expected


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (plan_pb2.SOURCE_MARK_URL, ["a.org"]),
        (plan_pb2.SOURCE_MARK_DOI, ["doi:10.1000/x"]),
        (plan_pb2.SOURCE_MARK_NUMBER, ["[1]", "[2]"]),
        (plan_pb2.SOURCE_MARK_FOOTNOTE, ["[^n]"]),
    ],
)
def test_only_sources_with_the_marks_that_are_asked_for_count(mark: int, expected: list[str]) -> None:
    assert sources_in("[1] https://a.org, [2] 10.1000/x, and a note[^n], again[^n]", [mark]) == expected


def test_the_marks_that_count_are_said() -> None:
    wanted = plan_pb2.CitationsCheck(min_citations=1, marks=[plan_pb2.SOURCE_MARK_DOI, plan_pb2.SOURCE_MARK_FOOTNOTE])
    assert outcome_of(plan_pb2.Check(citations=wanted), "https://a.org") == (
        FAIL, "expected at least 1 sources, but found 0 (DOIs and footnotes such as [^1] count, each once)"
    )  # fmt: skip


def test_too_few_sources_fail_with_those_that_were_found() -> None:
    check = citations(3)
    assert outcome_of(check, "https://a.org/x, 10.1000/y and [4]")[0] == PASS
    assert outcome_of(check, "https://a.org/x and 10.1000/y") == (
        FAIL, "expected at least 3 sources, but found 2: a.org/x; doi:10.1000/y"
    )  # fmt: skip
    assert outcome_of(check, "trust me") == (
        FAIL, "expected at least 3 sources, but found 0 (URLs, DOIs and marks such as [1] count, each once)"
    )  # fmt: skip


def test_the_sources_of_json_are_those_in_its_texts_and_an_array_is_no_mark() -> None:
    assert outcome_of(citations(1), '{"ids": [1], "more": [[2]]}')[0] == FAIL
    assert outcome_of(citations(2), r'{"https:\/\/a.org": "see [1]"}')[0] == PASS


def test_many_sources_are_not_listed_whole() -> None:
    _, reason = outcome_of(citations(100), " ".join(f"https://a.org/{'x' * 500}{n}" for n in range(50)))
    assert "found 50" in reason
    assert reason.endswith("…")
    assert len(reason) < 1_500


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, "[1," * 70_000, "https://" * 25_000, "https://a.b/" + ")" * 200_000, "10.1000/" * 25_000,
     "[1] " * 50_000, "a" * 200_000, "行" * 200_000, "\u200b" * 200_000],
    ids=lambda text: text[:8].encode("unicode_escape").decode(),
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    sources_in(text)
    count_words(text)
    assert time.process_time() - begun < 2.0
