"""Criteria that become checks, and the many more that must not."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner_svc.checks.kinds import Check, ContainsCheck
from planner_svc.checks.languages import CODE_OF_NAME
from planner_svc.checks.structured import check_from_json, check_to_json
from planner_svc.criteria import criteria_patterns, source_marks
from planner_svc.criteria.criteria import MAX_CHARS, MAX_FORMAT_CHARS, check_of_criterion
from planner_svc.wire.execution_json import execution_json
from signoff.plan.limits import MAX_CRITERIA
from tests.support.draws import so_many
from tests.support.values.trees import atomic, compiled

SHAPE = "JSON: { keywords: string[], databases: [{ name, fields: [] }], total: number, 'note': string }"
JSON = {"type": "json"}
OF_SHAPE = {"keywords": {"type": "array"}, "databases": {"type": "array"}}
ARRAYS = {"type": "json_schema", "schema": {"type": "object", "required": [*OF_SHAPE], "properties": OF_SHAPE}}


def keys(*names: str) -> dict[str, Any]:
    return {"type": "required_keys", "keys": [*names]}


def words(least: int = 0, most: int | None = None) -> dict[str, Any]:
    return {"type": "words", "min_words": least, "max_words": most}


def chars(least: int = 0, most: int | None = None) -> dict[str, Any]:
    return {"type": "length", "min_chars": least, "max_chars": most}


def count(path: str, least: int = 0, most: int | None = None) -> dict[str, Any]:
    return {"type": "count", "path": path, "min_items": least, "max_items": most}


def letters(least: int = 0, most: int | None = None) -> dict[str, Any]:
    return {**chars(least, most), "visible": True}


def sources(least: int, *marks: str) -> dict[str, Any]:
    return {"type": "citations", "min_citations": least, "marks": [*marks]}


def contains(phrase: str) -> dict[str, Any]:
    return {
        "type": "contains",
        "phrases": [phrase],
        "min_occurrences": 1,
        "max_occurrences": None,
        "whole_words": True,
    }


def language(code: str) -> dict[str, Any]:
    return {"type": "language", "code": code}


def made_of(criterion: str, output_format: str = "Markdown") -> dict[str, Any] | None:
    check = check_of_criterion(criterion, output_format)
    return None if check is None else check_to_json(check)


@pytest.mark.parametrize(
    ("criterion", "check"),
    [
        ("valid JSON", JSON),
        ("Is valid JSON.", JSON),
        ("The output is valid JSON", JSON),
        ("It must be well-formed JSON", JSON),
        ("the response should be in JSON format", JSON),
        ("is JSON", JSON),
        ("parses as JSON", JSON),
        ("The result can be parsed as JSON.", JSON),
        ("is a valid JSON object", {"type": "json_schema", "schema": {"type": "object"}}),
        ("The output is a JSON array", {"type": "json_schema", "schema": {"type": "array"}}),
        ("valid JSON with keywords and databases arrays", ARRAYS),
        ("The output is valid JSON with the 'keywords' and 'databases' arrays.", ARRAYS),
        ("valid JSON with arrays named keywords and databases", ARRAYS),
        ("valid JSON with the keys a, b and c", keys("a", "b", "c")),
        ("is valid JSON with keys a, b, and c.d", keys("a", "b", "c.d")),
        ("JSON object that has the fields `title` and `year`", keys("title", "year")),
        ('valid JSON with the key "title"', keys("title")),
        ("valid JSON with 'title' and 'year' fields", keys("title", "year")),
        ("at least three sources with URLs", sources(3, "urls")),
        ("At least 3 citations such as [1]", sources(3, "numbers")),
        ("The answer cites at least TWELVE different references as links.", sources(12, "urls")),
        ("names no fewer than 2 sources, each with a DOI", sources(2, "dois")),
        ("there must be at least one source in the form [^1]", sources(1, "footnotes")),
        ("at least three sources are cited as [1]", sources(3, "numbers")),
        ("three or more sources (with links)", sources(3, "urls")),
        ("more than two sources with URLs", sources(3, "urls")),
        ("5 sources or more with URLs", sources(5, "urls")),
        ("at least 100 words", words(100)),
        ("is at most 1,500 words long", words(0, 1500)),
        ("has no more than 200 words", words(0, 200)),
        ("The text is between 100 and 200 words", words(100, 200)),
        ("must not exceed 300 words", words(0, 300)),
        ("does not exceed 300 words", words(0, 300)),
        ("100-200 words", words(100, 200)),
        ("from 100 to 200 words", words(100, 200)),
        ("exactly 50 words", words(50, 50)),
        ("fewer than 300 words", words(0, 299)),
        ("under 300 words", words(0, 299)),
        ("500 words or less", words(0, 500)),
        ("a maximum of 80 characters", chars(0, 80)),
        ("at most 5 characters long", chars(0, 5)),
        ("The document is longer than 1,000 characters", chars(1001)),
        ("between 40 and 500 characters in length", chars(40, 500)),
        ("written in English", language("en")),
        ("The output is written in German.", language("de")),
        ("must be in Chinese", language("zh")),
        ("以JSON格式", JSON),
        ("以 JSON 格式输出。", JSON),
        ("有效的JSON", JSON),
        ("输出必须是有效的 JSON", JSON),
        ("输出为JSON格式", JSON),
        ("有效的JSON，包含keywords和databases数组", ARRAYS),
        ("输出是合法的JSON，并包含字段 title、year", keys("title", "year")),
        ("至少三个带链接的来源", sources(3, "urls")),
        ("引用至少5个不同的附网址的来源", sources(5, "urls")),
        ("至少引用两篇带DOI的参考文献。", sources(2, "dois")),
        ("不少于十二个带链接的来源", sources(12, "urls")),
        ("不超过500字", letters(0, 500)),
        ("全文不少于 800 个字", letters(800)),
        ("字数在500到800字之间", letters(500, 800)),
        ("500字以内", letters(0, 500)),
        ("不超过500个字符", chars(0, 500)),
        ("少于100个单词", words(0, 99)),
        ("用中文写成", language("zh")),
        ("全文必须使用英文撰写。", language("en")),
    ],
)
def test_a_form_becomes_a_check(criterion: str, check: dict[str, Any]) -> None:
    assert made_of(criterion) == check


@pytest.mark.parametrize(
    ("criterion", "phrase", "absent", "exact"),
    [
        ("contains 'Lantern 2.4'", "Lantern 2.4", False, False),
        ('Mentions "Mars"', "Mars", False, False),
        ("says “Thank You”.", "Thank You", False, False),
        ("The output must include the phrase ‘Go on’", "Go on", False, False),
        ("contains `upgrade`", "upgrade", False, False),
        ("contains the exact phrase 'upgrade'", "upgrade", False, True),
        ("  contains\u3000'Go\n on'. ", "Go on", False, False),
        ("contains '#'", "#", False, False),
        ("contains the word 'Cat'", "Cat", False, False),
        ("does not contain 'TODO'", "TODO", True, False),
        ("must not mention 'no'", "no", True, False),
        ("It never says '(c)'.", "(c)", True, False),
        ("does not contain the exact word 'Cat'", "Cat", True, True),
        ("包含“金星”", "金星", False, False),
        ("必须提到「火星」字样。", "火星", False, False),
        ("不得包含'TODO'", "TODO", True, False),
        ("不应出现“广告”", "广告", True, False),
    ],
)
def test_a_phrase_in_quotes_becomes_a_check_for_it(criterion: str, phrase: str, absent: bool, exact: bool) -> None:
    assert check_of_criterion(criterion, "Markdown") == ContainsCheck(
        phrases=(phrase,),
        min_occurrences=0 if absent else 1,
        max_occurrences=0 if absent else None,
        whole_words=True,
        case_sensitive=exact,
    )


@pytest.mark.parametrize(
    "criterion",
    [
        "",
        ".",
        "is good",
        "at least three sources",
        "names no fewer than 2 citations",
        "three or more references are cited",
        "至少三个来源",
        "不超过5个词",
        "valid JSON with title and year fields",
        "contains 'YYYY-MM-DD'",
        "contains 'Chapter N'",
        "contains 'x'",
        "contains '\u200b'",
        "not valid JSON",
        "is not valid JSON",
        "contains valid JSON",
        "valid JSON or YAML",
        "valid JSON Lines",
        "valid JSON5",
        "a valid JSON Schema",
        "valid JSON that a reader understands",
        "is valid JSON and short",
        "The summary is valid JSON",
        "Each line is valid JSON",
        "valid JSON with nested arrays",
        "valid JSON with long and sorted arrays",
        "valid JSON with keywords arrays",
        "valid JSON with keywords or databases arrays",
        "valid JSON with keywords and databases arrays of strings",
        "valid JSON with two arrays",
        "valid JSON with a.b and c arrays",
        "valid JSON with keys sorted",
        "valid JSON with the keys sorted and unique",
        "valid JSON with keys a and b only",
        "valid JSON with the keys in English",
        "has the keys a and b",
        "at least three sources are recent",
        "at least three recent sources",
        "at least three sources from 2024",
        "at least three sources and two figures",
        "at least three sources of income",
        "at least three sources each",
        "at least three independent sources",
        "at least zero sources",
        "at least 0 sources",
        "at least thirteen sources",
        "at most three sources",
        "exactly three sources",
        "three sources",
        "at least three",
        "at least sources",
        "is at least three sources",
        "mentions at least three sources",
        "at least 9,999,999 sources",
        "every claim has at least one source",
        "at least three sources, all of them recent",
        "at least 3.5 sources",
        "at least -3 sources",
        "at least three items",
        "at least three papers",
        "about 500 words",
        "500 words",
        "around 500-600 words",
        "at least 100 words per section",
        "at most 500 words, without the references",
        "at most 500 words of English",
        "a summary of at most 500 words",
        "The summary has at most 500 words",
        "lists at least 100 words",
        "names at least 100 characters",
        "at least three characters",
        "has between two and four characters",
        "at most 12 characters",
        "between 200 and 100 words",
        "at least 100 words or more",
        "at least 1.500 words",
        "at most 5 pages",
        "at most 500 words or characters",
        "no words",
        "mentions Mars",
        "contains Mars",
        "does not contain Mars",
        "mentions the word Mars",
        "contains 'Mars' and 'Venus'",
        "contains 'Mars' or 'Venus'",
        "contains 'Mars', 'Venus'",
        "contains 'Mars' as its heading",
        "contains 'Mars' twice",
        "contains neither 'Mars' nor 'Venus'",
        "contains no 'Mars'",
        "does not contain 'Mars' in the title",
        "The title contains 'Mars'",
        "Each section contains 'Mars'",
        "contains something like 'Mars'",
        "contains a link to 'Mars'",
        "contains ''",
        "contains ' '",
        "contains 'Mars",
        "contains 'it's'",
        "contains 'Dear <name>'",
        "contains '{version}'",
        "contains '[…]'",
        "contains 'Chapter …'",
        "contains 'first ... last'",
        "explains 'Mars'",
        "written in plain English",
        "written in British English",
        "written in English and German",
        "written in English or German",
        "not written in English",
        "is written in Python",
        "written in Norwegian",
        "written only in English",
        "The quotes are in English",
        "in English with German quotes",
        "translated into German",
        "English",
        "engliſh",
        "written in engliſh",
        "at least ſix sources",
        "at least ٣ sources",
        "以JSON格式输出，并且简短",
        "不是有效的JSON",
        "包含有效的JSON",
        "有效的JSON，包含keywords和databases数组等",
        "至少三个最新的来源",
        "至少三个来源是最近的",
        "至少三个",
        "最多三个来源",
        "三个来源",
        "三个来源以内",
        "三个以上来源",
        "每段不超过500字",
        "约500字",
        "500字",
        "标题不超过20字",
        "不超过500字，不含参考文献",
        "不超过五百字",
        "包含金星",
        "包含“金星”和“火星”",
        "包含“金星”或“火星”",
        "标题包含“金星”",
        "用简体中文写成",
        "用中文和英文写成",
        "不用中文写成",
        "使用中文",
    ],
)
def test_whatever_asks_for_more_or_could_mean_something_else_is_left_to_the_judge(criterion: str) -> None:
    assert made_of(criterion) is None


@pytest.mark.parametrize(
    ("criterion", "output_format", "check"),
    [
        ("valid JSON with keywords and databases arrays", SHAPE, ARRAYS),
        ("valid JSON with keywords and databases arrays", "", ARRAYS),
        ("has the keys total and note", SHAPE, keys("total", "note")),
        ("with the keys total and note", SHAPE, keys("total", "note")),
        ("contains the field total", SHAPE, keys("total")),
        ("contains the field 'total'", "JSON", keys("total")),
        ("at least five keywords", SHAPE, count("keywords", 5)),
        ("lists between 2 and 4 databases", SHAPE, count("databases", 2, 4)),
        ("at least 3 sources", "JSON: { sources: [{ title, url }] }", count("sources", 3)),
        ("at least 3 sources", 'JSON: {"Sources": ["…"]}', count("Sources", 3)),
        ("at least 3 sources with URLs", "JSON: { summary: string }", sources(3, "urls")),
        ("at least 3 sources", "Markdown with sources as links", sources(3, "urls")),
        ("contains '金星'", SHAPE, contains("金星")),
        ("""contains 'say "no"'""", SHAPE, contains('say "no"')),
        ("at least 3 items", "JSON array of papers", count("", 3)),
        ("exactly one entry", "JSON: [{ title }]", count("", 1, 1)),
        ("at most 9 elements", "json: string[]", count("", 0, 9)),
        ("至少3个条目", "JSON: [string]", count("", 3)),
        ("contains 'Mars'", "JSON", contains("Mars")),
    ],
)
def test_what_the_format_promises_says_what_is_meant(criterion: str, output_format: str, check: dict[str, Any]) -> None:
    assert made_of(criterion, output_format) == check


@pytest.mark.parametrize(
    ("criterion", "output_format"),
    [
        ("valid JSON with string and number arrays", SHAPE),
        ("valid JSON with name and fields arrays", SHAPE),
        ("valid JSON with the keys title and year", SHAPE),
        ("valid JSON with the keys 'title' and 'year'", "JSON: [{ title, year }]"),
        ("valid JSON with the keys 'title' and 'year'", "JSON array"),
        ("has the keys missing and null", "JSON"),
        ("has the key sorted", "JSON"),
        ("at least five names", SHAPE),
        ("at least five fields", SHAPE),
        ("at least five different keywords", SHAPE),
        ("at least five total", SHAPE),
        ("at least 3 items", SHAPE),
        ("at least 3 items", "JSON Lines"),
        ("at least 3 items", "JSON: { items?: [string] }"),
        ("at least 3 papers", "JSON: [{ papers: [] }]"),
        ("at least 3 sources", "JSON: { papers: [{ sources: [] }] }"),
        ("at least 3 sources", "JSON: { references: [] }"),
        ("at most 500 words", SHAPE),
        ("at least 200 characters", "json"),
        ("written in English", SHAPE),
        ("The text contains 'Mars'", SHAPE),
        ("The document is valid JSON", SHAPE),
        ("at least 3 sources", SHAPE),
        ("contains 'a/b'", SHAPE),
        ("contains 'total'", SHAPE),
        ("does not mention 'Databases'", SHAPE),
        ("不超过500字", SHAPE),
    ],
)
def test_a_form_that_the_format_makes_ambiguous_is_left_to_the_judge(criterion: str, output_format: str) -> None:
    assert made_of(criterion, output_format) is None


@pytest.mark.parametrize("name", CODE_OF_NAME)
def test_every_language_has_its_form(name: str) -> None:
    criterion = f"written in {name.title()}" if name.isascii() else f"用{name}写成"

    assert made_of(criterion) == language(CODE_OF_NAME[name])


def test_a_long_criterion_has_no_form_and_nothing_has_beside_a_long_format() -> None:
    validation = {"criteria": [f"contains '{'ab' * MAX_CHARS}'", "contains 'ab'"]}
    result = compiled(
        atomic("1", validation=validation),
        atomic("2", validation=validation, output={"format": "x" * (MAX_FORMAT_CHARS + 1)}),
    )

    assert [check.criterion for check in checks_of(result)] == [2]


@pytest.mark.parametrize("filling", ["a", "a, ", " ", "1,", "'", "a.", "三", "和a", ": [", "{a"])
def test_no_filling_makes_reading_slow(filling: str) -> None:
    beginnings = ["valid JSON with ", "contains '", "at least ", "有效的JSON，包含", "至少", "字数在", ""]
    criteria = [(beginning + filling * MAX_CHARS)[:MAX_CHARS] for beginning in beginnings]
    shapes = [(beginning + filling * MAX_FORMAT_CHARS)[:MAX_FORMAT_CHARS] for beginning in ("json", "JSON: {a: b, a")]

    began = time.process_time()
    for criterion, shape in itertools.product([*criteria, "at least 3 a", "valid JSON with a and b arrays"], shapes):
        check_of_criterion(criterion, shape)

    assert time.process_time() - began < 1


def test_a_format_is_searched_once_for_all_criteria(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = list[str]()

    class Counted:
        def search(self, text: str) -> None:
            searched.append(text)

    monkeypatch.setattr(source_marks, "_STATED", Counted())
    format_ = "来源以" * 1300
    assert not [check for n in range(1, 50) if (check := check_of_criterion(f"at least {n} sources", format_))]
    assert searched == [format_]


def test_whether_a_format_is_prose_is_found_out_once_for_all_criteria(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()

    def asked_once(words: str) -> bool:
        asked.append(words)
        return False

    monkeypatch.setattr(criteria_patterns, "speaks_of_more_than_prose", asked_once)
    for number in range(1, 50):
        check_of_criterion(f"at most {number} words", "a letter to the council")
    assert asked == ["a letter to the council"]


# ---------------------------------------------------------------- in a plan


def checks_of(result: Any) -> tuple[Check, ...]:
    assert result.map is not None, result.diagnostics
    return tuple(check for task in result.map.tasks for check in task.validation.checks if task.validation)


def test_checks_of_criteria_come_after_the_plans_own_and_know_their_criterion() -> None:
    validation = {"criteria": ["clear", "is valid JSON", "at least 3 words"], "checks": [JSON, chars(1)]}
    result = compiled(atomic("1", validation=validation))

    assert result.map is not None
    shown = json.loads(execution_json(result.map))["tasks"][0]["validation"]
    assert shown["checks"] == [JSON, chars(1), {**JSON, "criterion": 2}, {**words(3), "criterion": 3}]
    assert shown["criteria"] == validation["criteria"]


def test_a_plan_can_keep_its_criteria_for_the_judge() -> None:
    criteria = {"criteria": ["is valid JSON"]}
    with_check, without = (
        compiled(atomic("1", validation={**criteria, "worded_checks": worded})) for worded in (True, False)
    )

    assert len(checks_of(with_check)) == 1
    assert checks_of(without) == ()
    assert with_check.map is not None
    assert without.map is not None
    assert with_check.map.digest != without.map.digest


def test_nothing_is_made_of_what_is_no_list_of_criteria() -> None:
    result = compiled(atomic("1", validation={"criteria": "is valid JSON"}), atomic("2"))

    assert {found.code for found in result.diagnostics} >= {"wrong-type"}


def test_as_many_criteria_as_there_are_become_checks() -> None:
    result = compiled(atomic("1", validation={"criteria": ["is valid JSON"] * MAX_CRITERIA}))

    assert [check.criterion for check in checks_of(result)] == list(range(1, MAX_CRITERIA + 1))


# ---------------------------------------------------------------- whatever is written

_PIECES = [
    "the output ", "it ", "the text ", "must ", "is ", "be ", "not ", "does ", "has ", "contains ", "a ", "valid ",
    "JSON", " with ", "the keys ", "keys", " arrays", "a", ", b", " and c", " and ", "at least ", "at most ",
    "between ", "exactly ", "three", "12", "1,000", "999999999999999", "0", " or more", " or less", " to ", "-",
    " words", " characters", " long", " sources", " items", " keywords", " different", "'x'", '"a b"', "“金星”",
    "'it's'", "written ", "in ", "English", ".", "输出", "必须", "有效的", "格式", "以", "包含", "keywords", "和",
    "数组", "至少", "不超过", "三", "十二", "个", "来源", "字", "以内", "用", "中文", "写成", "ſ", "İ", "\u3000",
    "\n",
]  # fmt: skip
pieced = st.lists(st.sampled_from(_PIECES), max_size=7).map("".join)
formats = st.sampled_from(["", "Markdown", "JSON", "JSON array", "JSON: [{ a }]", SHAPE, "JSON: { sources: [] }"])


@settings(derandomize=True, deadline=None, max_examples=so_many(200, long=800))
@given(pieced | st.text(max_size=40), formats)
def test_whatever_a_criterion_becomes_is_a_check_that_a_plan_could_have(criterion: str, output_format: str) -> None:
    check = check_of_criterion(criterion, output_format)

    assert check is None or check_from_json(check_to_json(check)) == check


def test_every_amount_of_every_unit_is_a_check_that_a_plan_could_have() -> None:
    amounts = ["at least {}", "at most {}", "more than {}", "fewer than {}", "exactly {}", "{} or more", "{} or less"]
    nouns = ["words", "characters long", "sources with URLs", "items", "keywords"]
    made = [
        check
        for amount, number, noun in itertools.product(amounts, ["0", "1", "twelve", "999,999,999,999,999"], nouns)
        for output_format in ("Markdown", SHAPE, "JSON array")
        if (check := check_of_criterion(f"{amount.format(number)} {noun}", output_format)) is not None
    ]

    assert len(made) > 100
    for check in made:
        assert check_from_json(check_to_json(check)) == check
