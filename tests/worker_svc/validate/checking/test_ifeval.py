"""Each kind of verifiable instruction of IFEval is decided by checks: texts that follow it, and texts that do not.

The texts are our own. docs/reference/checks.md lists the differences between a check and IFEval's own code.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from planner_svc.checks.structured import check_from_json
from planner_svc.wire.checks import check_to_proto
from signoff.v1 import execution_pb2
from tests.support.judging.ifeval import KINDS, checks_for, instructions_in, problem_of
from worker_svc.validate.checks import check_result

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "checks.md").read_text(encoding="utf-8")
SUITE = os.environ.get("SIGNOFF_IFEVAL", "")  # IFEval's input_data.jsonl, for those who have it

PROMPT = "Write a haiku about the sea, in three lines."
LOUD = "THE PLANETS ORBIT THE SUN AND MERCURY IS THE SMALLEST OF ALL OF THEM."
QUIET = "the planets orbit the sun, and mercury is the smallest of all of them."
GERMAN = "Die Planeten kreisen um die Sonne, und der Merkur ist der kleinste von allen."
BODY = "The sea is wide."

#: Parameters, texts that follow the instruction, and texts that do not.
CASES: dict[str, list[tuple[dict[str, Any], list[str], list[str]]]] = {
    "change_case:capital_word_frequency": [
        (
            {"capital_relation": "at least", "capital_frequency": 2},
            ["NASA and ESA", "I AM", "(NASA), ESA.", "COVID-19 in the U.S.", "NASA's and ESA’s", "**NASA** ÜBER uns"],
            ["NASA and Esa", "NASA", "nasa esa", "2024 — 3", "ОН", "行星 行星"],
        ),
        (
            {"capital_relation": "less than", "capital_frequency": 2},
            ["NASA flies", "no one", "Iphone iPhone"],
            ["NASA, ESA", "A—B"],
        ),
    ],
    "change_case:english_capital": [({}, [LOUD, f"{LOUD} 1, 2!"], [LOUD.capitalize(), f"{LOUD} ok", GERMAN.upper()])],
    "change_case:english_lowercase": [({}, [QUIET, f"# {QUIET}\n\n1. 2"], [QUIET.capitalize(), f"{QUIET} OK", GERMAN])],
    "combination:repeat_prompt": [
        (
            {"prompt_to_repeat": PROMPT},
            [f"{PROMPT}\n\nWaves", f"  {PROMPT.upper()} Waves", f"**{PROMPT}**\nWaves", f'"{PROMPT}" Waves', PROMPT],
            [f"Sure! {PROMPT}", "Waves", PROMPT[:-10], ""],
        ),
        (
            {"prompt_to_repeat": "Use *stars* and “quotes” — please."},
            ['Use *stars* and "quotes" - please. Here', "use *stars* and\n“quotes” – please."],
            ["Use stars and quotes please."],
        ),
    ],
    "combination:two_responses": [
        (
            {},
            [
                "One answer\n******\nAnother answer",
                "******\nA\n\n******\n\nB\n******\n",
                "A\n\n  ******  \n* b\n***\nc",
            ],
            [
                "One",
                "A\n******\nA",
                "A\n******\n a ",
                "A\n******\nB\n******\nC",
                "A\n******\n",
                "A\n***\nB",
                "A ****** B",
            ],
        ),
    ],
    "detectable_content:number_placeholders": [
        (
            {"num_placeholders": 2},
            [
                "[name], [address]",
                "Dear [Name]: see [your date here]",
                "[a] {{b}}",
                "<your name> ${date}",
                "[名字]和[地址]",
            ],
            ["[name]", "[name] [1]", "[x] [ ] [^1] […]", "[a](http://a) [b](http://b)", "`[a]` `[b]`", "a[i] b[j]"],
        ),
    ],
    "detectable_content:postscript": [
        (
            {"postscript_marker": "P.S."},
            [f"{BODY}\n\nP.S. Bring a coat", f"{BODY}\np.s. more", f"{BODY}\n**P.S.** more", f"{BODY}\nP. S. more"],
            [f"{BODY}\nPS more", f"{BODY} P.S. more", "P.S. alone", f"{BODY}\nP.S.", f"{BODY}\nP.P.S. more", BODY],
        ),
        (
            {"postscript_marker": "P.P.S"},
            [f"{BODY}\nP.S. one\nP.P.S two", f"{BODY}\nP.P.S. two", f"{BODY}\n*P. P. S.* two"],
            [f"{BODY}\nP.S. one", f"{BODY}\nP.P.STILL", f"{BODY}\nPPS two"],
        ),
    ],
    "detectable_format:constrained_response": [
        (
            {},
            ["My answer is yes.", "my answer is no.", "**My answer is maybe.**", "Well. My answer is\nyes. Because"],
            ["yes", "My answer is perhaps.", "My answer is yes", "My answer: no."],
        ),
    ],
    "detectable_format:json_format": [
        ({}, ['{"a": [1]}', " [1]\n", '"text"', "3"], ["", "a", "{'a': 1}", '```json\n{"a": 1}\n```', '{"a": 1} ok'])
    ],
    "detectable_format:multiple_sections": [
        (
            {"section_spliter": "SECTION", "num_sections": 2},
            [
                "SECTION 1\na\nSECTION 2\nb",
                "## SECTION 1\na\n\n## SECTION 2: The end\nb",
                "**SECTION 1**: a\n**SECTION 2**: b",
                "Intro\nSECTION 1\na\nSECTION 2\nb\nSECTION 3\nc",
            ],
            [
                "SECTION 1\na",
                "SECTION 1\nSECTION 2\nb",
                "Section 1\na\nSection 2\nb",
                "a SECTION 1 b SECTION 2 c",
                "SECTION A\na\nSECTION B\nb",
                "```\nSECTION 1\na\nSECTION 2\nb\n```",
                "SECTIONS 1\na\nSECTIONS 2\nb",
            ],
        ),
        ({"section_spliter": "PARAGRAPH", "num_sections": 1}, ["PARAGRAPH 1\na", "PARAGRAPH 12 a"], ["PARAGRAPH", "a"]),
    ],
    "detectable_format:number_bullet_lists": [
        (
            {"num_bullets": 2},
            [
                "* a\n* b",
                "- a\n- b",
                "+ a\n  + b",
                "• a\n•b",
                "- a\n  more of a\n\n- b\n\n1. c",
                "- [x] a\n- [ ] b\n\n---",
                "* a\n* b\n* * *",
                "* *a* is\n* **b** is\n\n*c* is none",
                "> - a\n> - b",
            ],
            [
                "* a",
                "- a\n- b\n- c",
                "1. a\n2. b",
                "-a\n-b",
                "```\n- a\n- b\n```",
                "- \n- ",
                "a - b - c",
                "- a\n  - b\n  - c",
            ],
        ),
    ],
    "detectable_format:number_highlighted_sections": [
        (
            {"num_highlights": 2},
            ["*a* and *b*", "**a b** and ***c***", "* *a* item\n* **b** item", "*a*, **b** and *c*", "*行星*和*太阳*"],
            [
                "*a*",
                "* a\n* b\n* c",
                "2 * 3 * 4 * 5",
                "* *\n* *",
                "**",
                "***\na\n***",
                "`*a*` `*b*`",
                "```\n*a* *b*\n```",
                "*a\nb* *c\nd*",
                "_a_ and _b_",
                "**a*",
            ],
        ),
    ],
    "detectable_format:title": [
        (
            {},
            ["<<The sea>>\n\nIt is wide.", "# <<The sea>>", "A << b >> c", "<<<The sea>>>", "<<大海>>"],
            ["# The sea", "<The sea>", "<<>>", "<< >>", "<<The\nsea>>", ">>a<<", "1 << 2"],
        ),
    ],
    "keywords:existence": [
        (
            {"keywords": ["sea", "real-time"]},
            [
                "Seas in real‑time",
                "the SEA\nreal-\u200btime",
                "**se**a, real–time",
                "overseas real-time",
                '["sea", "real-time"]',
            ],
            ["sea", "real-time", "s e a real-time", "sea realtime"],
        ),
        ({"keywords": ["café", "ice cream"]}, ["cafe\u0301 ice\n cream", "ＣＡＦÉ ICE CREAM"], ["cafe ice cream"]),
    ],
    "keywords:forbidden_words": [
        (
            {"forbidden_words": ["rock", "go"]},
            ["Rocket science", "Google", "", "rocks", "ag o"],
            [
                "Rock",
                "a rock.",
                "**rock**",
                "Go!",
                "ro\u00adck",
                "rock_solid",
                "let's go",
                "r\u200bookck go",
                '{"go": 1}',
            ],
        ),
        ({"forbidden_words": ["行星"]}, ["太阳"], ["这些行星很大"]),
    ],
    "keywords:frequency": [
        (
            {"relation": "at least", "keyword": "war", "frequency": 2},
            ["war and War", "warm wars", "**war**\nwar"],
            ["war", "w a r war", ""],
        ),
        ({"relation": "less than", "keyword": "aa", "frequency": 2}, ["aaa", "b"], ["aaaa", "aa aa"]),
    ],
    "keywords:letter_frequency": [
        (
            {"let_relation": "at least", "letter": "o", "let_frequency": 3},
            ["Oslo Oo", "ooo"],
            ["Oslo", "0 0 0", "ö ö ö"],
        ),
        ({"let_relation": "at least", "letter": "#", "let_frequency": 2}, ["# a\n## b", "##"], ["# a", "no"]),
        ({"let_relation": "less than", "letter": "!", "let_frequency": 2}, ["Hi!", ""], ["Hi! Ho!", "！！"]),
        ({"let_relation": "less than", "letter": "c", "let_frequency": 1}, ["dog"], ["Cat"]),
    ],
    "language:response_language": [({"language": "de"}, [GERMAN], [QUIET]), ({"language": "en"}, [QUIET], [GERMAN])],
    "length_constraints:nth_paragraph_first_word": [
        (
            {"first_word": "weekend", "num_paragraphs": 2, "nth_paragraph": 2},
            [
                "Week.\n\nWeekend is near.",
                "Week.\n \n\n“Weekend”, he said.",
                "# A\n\nWeek.\n\n---\n\n**Weekend** is near.",
                "Week\nand\n\nweekend\nand",
                "Week.\n\n- a list\n- of items\n\nWeekend.\n",
            ],
            ["Week.\n\nWeekends are near.", "Weekend.\n\nWeek.", "Weekend", "a\n\nWeekend\n\nb", "a\n\nThe weekend"],
        ),
    ],
    "length_constraints:number_paragraphs": [
        (
            {"num_paragraphs": 2},
            ["a\n***\nb", "a\n\nstill a\n\n***\n\nb", "***\na\n***\nb\n***", "***a***\n***\nb", "a\n * * * \nb"],
            ["a", "a\n\nb", "a *** b", "a\n***\nb\n***\nc", "a\n***\n", "a\n******\nb", "a\n---\nb"],
        ),
    ],
    "length_constraints:number_sentences": [
        (
            {"relation": "at least", "num_sentences": 3},
            [
                "One. Two! Three?",
                "One… Two. Three",
                "一。二！三？",
                "Dr. A. Smith came. He saw. He left.",
                "- one\n- two\n- three",
                "He said “One.” Then “Two!” Then three.",
            ],
            [
                "One. Two.",
                "Dr. A. B. Smith came at 3.45 p.m. sharp.",
                "Wait... what? ok",
                "a.b.c.",
                "One.\n# Two.\n| Three. |",
                "```\nOne. Two. Three.\n```",
                ". . .",
            ],
        ),
        (
            {"relation": "less than", "num_sentences": 3},
            [
                "It costs 3.50 dollars, e.g. here. See Fig. 2 at https://a.org/b.c.d.",
                "Yahoo! is a name.",
                "no one. two",
            ],
            ["One. Two. Three.", "one. two. three.", "He said no. Then yes. Fine."],
        ),
    ],
    "length_constraints:number_words": [
        (
            {"relation": "at least", "num_words": 3},
            ["one two three", "don't go", "one, two—three"],
            ["one two", "1 + 2"],
        ),
        ({"relation": "less than", "num_words": 3}, ["one two", "** one **"], ["one two three", "行星是"]),
    ],
    "punctuation:no_comma": [({}, ["No. None; at all", "a、b"], ["a, b", "1,000", "你好，世界", '["a,b"]'])],
    "startend:end_checker": [
        (
            {"end_phrase": "Is there anything else?"},
            [
                "Bye. Is there anything else?",
                "bye\nis there  anything else? \n",
                '"Bye. Is there anything else?"',
                "**Is there anything else?**",
            ],
            ["Is there anything else? Bye.", "Is there anything else", "anything else?", ""],
        ),
    ],
    "startend:quotation": [
        (
            {},
            [
                '"The sea is wide."',
                ' "One.\n\n"Two. "\n',
                "“The sea”",
                "„Das Meer“",
                "«La mer»",
                "「海」",
                '"He said "yes" to me"',
                '"A 5" disk and\n\nmore"',
            ],
            [
                '"',
                '""',
                '"One."\n\n"Two."',
                '" "',
                "The sea",
                '"The sea',
                'The sea"',
                '"One," she said. "Two."',
                "“One” and “Two”",
                "'The sea'",
            ],
        ),
    ],
}


def outcome(kind: str, parameters: dict[str, Any], text: str) -> int:
    """Returns the joint outcome of the checks of an instruction."""
    checks = [check_to_proto(check_from_json(check)) for check in checks_for(kind, parameters)]
    outcomes = {check_result(check, text.encode()).outcome for check in checks}
    return PASS if outcomes == {PASS} else FAIL if FAIL in outcomes else execution_pb2.OUTCOME_ERROR


def cases(index: int) -> list[Any]:
    return [
        pytest.param(kind, case[0], text, id=f"{kind}-{n}-{m}")
        for kind, found in CASES.items()
        for n, case in enumerate(found)
        for m, text in enumerate(case[index])
    ]


@pytest.mark.parametrize(("kind", "parameters", "text"), cases(1))
def test_a_text_that_follows_an_instruction_passes(kind: str, parameters: dict[str, Any], text: str) -> None:
    assert outcome(kind, parameters, text) == PASS


@pytest.mark.parametrize(("kind", "parameters", "text"), cases(2))
def test_a_text_that_does_not_follow_it_fails(kind: str, parameters: dict[str, Any], text: str) -> None:
    assert outcome(kind, parameters, text) == FAIL


def test_every_kind_has_a_way_to_say_it_and_texts_for_both() -> None:
    assert len(KINDS) == 25
    assert list(CASES) == list(KINDS)
    assert all(passing and failing for found in CASES.values() for _, passing, failing in found)


def test_every_kind_stands_on_the_page_with_its_checks_and_none_is_a_regex() -> None:
    rows = re.findall(r"^\| `([a-z_]+:[a-z_]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert [kind for kind, _ in rows] == list(KINDS)
    for kind, cell in rows:
        checks = [json.loads(entry) for entry in re.findall(r"`(\{.+?\})`", cell)]
        assert [check_from_json(check) for check in checks] == [
            check_from_json(check) for check in checks_for(kind, CASES[kind][0][0])
        ], kind
        assert not any(check["type"] == "regex" for check in checks)


@pytest.mark.skipif(not SUITE, reason="SIGNOFF_IFEVAL names no input_data.jsonl")
def test_every_instruction_of_the_suite_is_expressed() -> None:
    instructions = list(instructions_in(Path(SUITE)))
    assert {kind for kind, _ in instructions} == set(KINDS)
    assert [problem for kind, given in instructions if (problem := problem_of(kind, given))] == []
