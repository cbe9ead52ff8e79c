"""Broken JSON, as models write it: what is mended, and what is left alone."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.support.processes import processes_with
from tests.worker_svc.givens import Heard, Saying, task, to_execute, to_judge
from worker_svc.executor import Executor
from worker_svc.llm import repair
from worker_svc.llm.repair import MAX_CHARS, mended, repaired
from worker_svc.validator import Validator
from worker_svc.work import CandidateMade, VerdictGiven

MENDED = {
    "a comma after the last": ('{"a": [1, 2,], "b": 2,}', {"a": [1, 2], "b": 2}),
    "a comma that is missing": ('{"a": "x"\n"b": ["y" "z"]}', {"a": "x", "b": ["y", "z"]}),
    "single quotes": ("{'a': 'it', 'b_c': ['x']}", {"a": "it", "b_c": ["x"]}),
    "an apostrophe, escaped": (r"{'a': 'it\'s'}", {"a": "it's"}),
    "curly quotes": ("{“a”: “b”}", {"a": "b"}),
    "keys without quotes": ("{a: 1, b: 'x'}", {"a": 1, "b": "x"}),
    "quotes in a text": ('{"a": "he said "hi" to me", "b": 1}', {"a": 'he said "hi" to me', "b": 1}),
    "markup in a text": ('{"a": "<a href="x">y</a>"}', {"a": '<a href="x">y</a>'}),
    "comments": ('{"a": 1, // one\n "b": "//x" /* two */, # three\n "c": 3}', {"a": 1, "b": "//x", "c": 3}),
    "Python's words": ("{'a': True, 'b': None, 'c': False}", {"a": True, "b": None, "c": False}),
    "the last bracket": ('{"a": {"b": 1}', {"a": {"b": 1}}),
    "the last brackets": ('{"a": [{"b": "x"}, {"b": "y"', {"a": [{"b": "x"}, {"b": "y"}]}),
    "a bracket inside": ('{"a": [{"b": 1}, {"b": 2]}', {"a": [{"b": 1}, {"b": 2}]}),
    "a line break in a text": ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
    "a backslash that escapes nothing": (r'{"a": "\alpha"}', {"a": r"\alpha"}),
    "other ways to write a number": ('{"a": 3.50, "b": 1e5,}', {"a": 3.5, "b": 100000.0}),
    "words before": ('Here is the JSON: {"a": 1}', {"a": 1}),
    "words after": ('{"a": 1} I hope this helps!', {"a": 1}),
    "words around a fence": ('Sure:\n```json\n{"a": 1}\n```\nBye', {"a": 1}),
    "a fence, and single quotes": ("```json\n{'a': 1}\n```", {"a": 1}),
    "a fence that is not closed": ('```json\n{"a": 1,}', {"a": 1}),
    "reasoning before": ('<think>{"x": 1}?</think>\n{"a": 1}', {"a": 1}),
    "a byte order mark": ('\ufeff{"a": 1}', {"a": 1}),
    "Chinese": ('{"行星": "火星", // 红色\n"数": 2,}', {"行星": "火星", "数": 2}),
    "a negative number": ('{"a": -5, "b": "2026-01-02",}', {"a": -5, "b": "2026-01-02"}),
    "escapes": ('{"a": "\\u706b\\n火",}', {"a": "火\n火"}),
}

LEFT_ALONE = {
    "nothing": "",
    "white space": " \n",
    "prose": "The planets are Mars and Venus.",
    "a refusal": "I'm sorry, I can't do that.",
    "prose with brackets": "As [1] says, use {name} here.",
    "prose with a citation": "See [1].",
    "prose with a colon in braces": "Use {name: the name} here",
    "one value": "'Mars'",
    "a text cut off": '{"a": "hel',
    "a text cut off, single quotes": "{'a': 'hel",
    "a text cut off after a whole value": '{"a": ["x"], "b": "hel',
    "a text cut off at a digit": '{"a": "in 20',
    "a number that may be cut off": '{"a": [1, 2',
    "a key cut off": '{"a": 1, "b',
    "a value missing": '{"a": 1, "b":',
    "something was to follow": '{"a": 1,',
    "NaN": '{"a": NaN}',
    "NaN and a comma": '{"a": NaN,}',
    "undefined": '{"a": undefined}',
    "Infinity": '{"a": -Infinity,}',
    "two documents": '{"a": 1}{"a": 2}',
    "two lines": '{"a": 1}\n{"b": 2}',
    "two fences": '```json\n{"a": 1}\n```\nor\n```json\n{"b": 1}\n```',
    "a key twice": "{'a': 1, 'a': 2}",
    "a key twice among words": 'Here: {"a": 1, "a": 2}',
    "a key twice in an array": '[{"a": 1, "a": 2,}]',
    "something left out": '{"a": ["x", ...]}',
    "something left out, in one character": '{"a": ["x", …]}',
    "the first bracket is missing": '"a": 1, "b": {"c": 2}',
    "a member after the end": '{"a": 1}, "b": 2}',
    "a number with a plus": '{"a": +1, "b": .5}',
    "a number with zeros before it": '{"a": 007}',
    "an apostrophe in single quotes": "{'a': 'it's'}",
    "half a character": '{"a": "\\ud83d",}',
    "full-width punctuation": '{"a"：1，"b"：2}',
    "bottomless": "[" * 1500,
    "YAML": "a: 1\nb: 2",
}


@pytest.mark.parametrize(("broken", "value"), MENDED.values(), ids=MENDED.keys())
def test_what_is_mended(broken: str, value: object) -> None:
    text = mended(broken)
    assert text is not None
    assert json.loads(text) == value


@pytest.mark.parametrize("broken", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_what_is_left_alone(broken: str) -> None:
    assert mended(broken) is None


def test_an_array_among_words_is_one_only_where_one_was_promised() -> None:
    assert mended('Here: ["a", "b"]') is None
    assert mended('Here: ["a", "b"]', array=True) == '["a", "b"]'


def test_characters_stay_as_they_are() -> None:
    assert mended('{"行星": "火星",}') == '{"行星": "火星"}'


plain_text = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=12,
)


@given(value=st.dictionaries(plain_text, json_values, min_size=1, max_size=4), data=st.data())
@settings(derandomize=True, deadline=None, max_examples=300)
def test_whatever_is_taken_out_of_a_document_what_is_mended_says_the_same(
    value: dict[str, object], data: st.DataObject
) -> None:
    whole = json.dumps(value, ensure_ascii=False)
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + whole[at + 1 :]
    text = mended(broken)
    if text is not None:
        assert [letter for letter in text if letter.isalnum()] == [letter for letter in broken if letter.isalnum()]


# ---------------------------------------------------------------- the child process


def long(tail: str) -> str:
    return json.dumps({"items": [{"name": "火星", "number": number} for number in range(300)]})[:-1] + tail


async def test_a_long_text_is_mended_in_a_process_of_its_own() -> None:
    text = await repaired(long(",}"))
    assert text is not None
    assert json.loads(text) == json.loads(long("}"))
    assert await repaired(long(', "more": "cut o')) is None


async def test_a_text_that_takes_too_long_is_left_alone_and_its_process_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "TIME_LIMIT", 1.0)
    hopeless = '{"a": [' + '"say "hi" to", ' * 20_000 + "]}"
    async with asyncio.timeout(30):
        assert await repaired(hopeless) is None
    assert not list(processes_with("worker_svc.llm.repair"))


async def test_cancelling_ends_the_process_too() -> None:
    mending = asyncio.create_task(repaired('{"a": [' + '"say "hi" to", ' * 20_000 + "]}"))
    async with asyncio.timeout(30):
        while not list(processes_with("worker_svc.llm.repair")):  # noqa: ASYNC110 - a child says nothing when it starts
            await asyncio.sleep(0.01)
        mending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await mending
    assert not list(processes_with("worker_svc.llm.repair"))


async def test_a_text_without_an_end_is_not_even_tried() -> None:
    assert await repaired('{"a": 1,' + " " * MAX_CHARS + "}") is None


# ---------------------------------------------------------------- who uses it


async def test_an_executors_broken_json_is_mended_and_that_is_logged() -> None:
    with capture_logs() as logs:
        result = await Executor(Saying("{'a': 1,}"))(to_execute(task("JSON")), Heard())
    assert isinstance(result, CandidateMade)
    assert result.content == b'{"a": 1}'
    (line,) = [line for line in logs if line["event"] == "answer_repaired"]
    assert (line["log_level"], line["execution"], line["task"]) == ("info", "execution", "1_1")


async def test_where_no_json_is_promised_nothing_is_mended() -> None:
    result = await Executor(Saying("{'a': 1,}"))(to_execute(task("Text")), Heard())
    assert isinstance(result, CandidateMade)
    assert result.content == b"{'a': 1,}"


async def test_json_by_the_letter_is_left_as_it_was_written() -> None:
    written = '{"a":1,\n  "a": 2.50}'
    result = await Executor(Saying(written))(to_execute(task("JSON")), Heard())
    assert isinstance(result, CandidateMade)
    assert result.content.decode() == written


async def test_a_verdict_is_never_mended() -> None:
    broken = '{"verdicts": [{"criterion": 1, "evidence": "", "reason": "so", "outcome": "pass"},]}'
    assert mended(broken) is not None
    verdict = await Validator(Saying(broken))(to_judge("Mars", task(criteria=("is good",))), Heard())
    assert isinstance(verdict, VerdictGiven)
    assert "cannot be read" in verdict.feedback
