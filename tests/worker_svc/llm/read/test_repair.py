"""Broken JSON of models: some is mended, the rest is left alone."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from signoff.v1 import execution_pb2
from tests.support.draws import so_many
from tests.support.patterns import Run, outgrows
from tests.support.processes.commands import processes_with
from tests.support.work.givens import Heard, Saying, required_keys, task, to_execute, to_judge, verdicts
from worker_svc.assignment import CandidateResult, VerdictResult
from worker_svc.executor import Executor
from worker_svc.llm.read import repair
from worker_svc.llm.read.mending import mended
from worker_svc.llm.read.repair import MAX_CHARS, READ_HERE_CHARS, FoundJson, found_in, json_found
from worker_svc.validate.validator import Validator

MENDED = {
    "a comma after the last": ('{"a": [1, 2,], "b": 2,}', {"a": [1, 2], "b": 2}),
    "a comma that is missing": ('{"a": "x"\n"b": [{"c": 1} {"d": 2}]}', {"a": "x", "b": [{"c": 1}, {"d": 2}]}),
    "a comma that is missing after a number": ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
    "a comma of another script": ('{"a": 1，"b": 2}', {"a": 1, "b": 2}),
    "single quotes": ("{'a': 'it', 'b_c': ['x']}", {"a": "it", "b_c": ["x"]}),
    "an apostrophe, escaped": (r"{'a': 'it\'s'}", {"a": "it's"}),
    "double quotes in single ones": ("{'a': 'say \"x\"'}", {"a": 'say "x"'}),
    "curly quotes": ("{“a”: “b”}", {"a": "b"}),
    "German quotes": ("{„titel“: „Bericht“, „autor“: „Meier“}", {"titel": "Bericht", "autor": "Meier"}),
    "French quotes": ("{«a»: «b»}", {"a": "b"}),
    "keys without quotes": ("{a: 1, b: 'x', 行星: 2, data-id: 3}", {"a": 1, "b": "x", "行星": 2, "data-id": 3}),
    "comments": ('{"a": 1, // one\n "b": "//x" /* two */, # three\n "c": 3}', {"a": 1, "b": "//x", "c": 3}),
    "Python's words": ("{'a': True, 'b': None, 'c': False}", {"a": True, "b": None, "c": False}),
    "a line break in a text": ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
    "other ways to write a number": ('{"a": 3.50, "b": 1e5,}', {"a": 3.5, "b": 100000.0}),
    "a fence, and single quotes": ("```json\n{'a': 1}\n```", {"a": 1}),
    "a fence that is not closed": ('```json\n{"a": 1,}', {"a": 1}),
    "a byte order mark": ('\ufeff{"a": 1}', {"a": 1}),
    "Chinese": ('{"行星": "火星", // 红色\n"数": 2,}', {"行星": "火星", "数": 2}),
    "a negative number": ('{"a": -5, "b": "2026-01-02",}', {"a": -5, "b": "2026-01-02"}),
    "escapes": ('{"a": "\\u706b\\n\\ud83d\\ude00",}', {"a": "火\n😀"}),
    "an array": ("[1, 'two',]", [1, "two"]),
}

AMONG_WORDS = {
    "words before": ('Here is the JSON: {"a": 1}', "Here is the JSON:"),
    "words after": ('{"a": 1} I hope this helps!', "I hope this helps!"),
    "words on both sides": ('Well: {"a": 1,} Bye', "Well:\n…\nBye"),
    "words around a fence": ('Sure:\n```json\n{"a": 1}\n```\nBye', "Sure:\n…\nBye"),
    "words that take it back": (
        'I could not do the task, so this is only an example: {"a": 1}',
        "I could not do the task, so this is only an example:",
    ),
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
    # signs and units
    "a minus of typography": '{"change": −5}',
    "less than": '{"p": <0.05}',
    "about": '{"p": ~5}',
    "percent": '{"growth": 12%}',
    "a currency": '{"price": $12}',
    "a currency behind": '{"price": 12€}',
    "a unit": '{"mass": 5kg}',
    "a negation": '{"passed": !true}',
    "a fraction": '{"a": 1/2}',
    "a range": '{"a": 1-2}',
    "thousands with a comma": '{"a": 1,200}',
    "thousands with a space": '{"a": 1 200}',
    "thousands with a space, in an array": "[1 200]",
    "a word": '{"a": ok}',
    # brackets
    "a bracket in the middle": '{"items": [{"a": 1, {"b": 2}]}',
    "the last bracket": '{"a": {"b": 1}',
    "the last brackets": '{"a": [{"b": "x"}, {"b": "y"',
    "a bracket inside": '{"a": [{"b": 1}, {"b": 2]}',
    "a bracket too many": '{"a": 1}}',
    "brackets of the wrong kind": '{"a": [1, 2}',
    "the first bracket is missing": '"a": 1, "b": {"c": 2}',
    "a member after the end": '{"a": 1}, "b": 2}',
    # quotes
    "quotes in a text": '{"a": "he said "hi" to me", "b": 1}',
    "markup in a text": '{"a": "<a href="x">y</a>"}',
    "curly quotes in curly quotes": "{“a”: “he said “hi” to me”}",
    "quotes of two kinds": '{“a": 1}',
    "an apostrophe in single quotes": "{'a': 'it's'}",
    "two texts side by side": '["y" "z"]',
    "two texts in two lines": '["y"\n"z"]',
    "a backslash that escapes nothing": r'{"a": "\alpha"}',
    # ends
    "a text cut off": '{"a": "hel',
    "a text cut off, single quotes": "{'a': 'hel",
    "a text cut off after a whole value": '{"a": ["x"], "b": "hel',
    "a number that may be cut off": '{"a": [1, 2',
    "a key cut off": '{"a": 1, "b',
    "a value missing": '{"a": 1, "b":',
    "a value missing in an array": "[1, , 2]",
    "something was to follow": '{"a": 1,',
    "NaN": '{"a": NaN}',
    "undefined": '{"a": undefined}',
    "Infinity": '{"a": -Infinity,}',
    "two documents": '{"a": 1}{"a": 2}',
    "two lines": '{"a": 1}\n{"b": 2}',
    "two fences": '```json\n{"a": 1}\n```\nor\n```json\n{"b": 1}\n```',
    "a key twice": "{'a': 1, 'a': 2}",
    "a key twice, mended": '[{"a": 1, "a": 2,}]',
    "something left out": '{"a": ["x", ...]}',
    "something left out, in one character": '{"a": ["x", …]}',
    "a number with a plus": '{"a": +1, "b": .5}',
    "a number with zeros before it": '{"a": 007}',
    "a number in another base": '{"a": 0x1F}',
    "half a character": '{"a": "\\ud83d",}',
    "colons of another script": '{"a"：1，"b"：2}',
    "bottomless": "[" * 1500,
    "deep": "[" * 300 + "1," + "]" * 300,
    "YAML": "a: 1\nb: 2",
}


@pytest.mark.parametrize(("broken", "value"), MENDED.values(), ids=MENDED.keys())
def test_what_is_mended(broken: str, value: object) -> None:
    found = found_in(broken)
    assert found is not None
    assert (json.loads(found.text), found.remark) == (value, "")


@pytest.mark.parametrize(("text", "remark"), AMONG_WORDS.values(), ids=AMONG_WORDS.keys())
def test_words_around_a_document_are_kept_beside_it(text: str, remark: str) -> None:
    found = found_in(text)
    assert found is not None
    assert (found.text, found.remark) == ('{"a": 1}', remark)


@pytest.mark.parametrize("broken", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_what_is_left_alone(broken: str) -> None:
    assert found_in(broken) is None


@pytest.mark.guard(name="nothing is guessed")
def test_signs_and_units_are_not_guessed() -> None:
    assert [found_in(broken) for broken in ('{"change": −5}', '{"growth": 12%}', '{"price": $12}')] == [None] * 3


def test_an_array_among_words_is_one_only_where_one_was_promised() -> None:
    assert found_in('Here: ["a", "b"]') is None
    assert found_in('Here: ["a", "b"]', array=True) == FoundJson(text='["a", "b"]', is_mended=False, remark="Here:")


def test_characters_and_digits_stay_as_they_are() -> None:
    assert mended('{"行星": "火星", "n": 12345678901234567.890,}') == '{"行星": "火星", "n": 12345678901234567.890}'


plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
texts = plain | st.text("a,:{}[]\"'“”„#/% 1-.\\", max_size=8)
numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(float)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(texts, json_values, min_size=1, max_size=4) | st.lists(json_values, min_size=1, max_size=4)
DAMAGE = "{}[]:,\"'“”„‘’#/-+.%eE0159 ntf!<~$aX_`"


def damaged(whole: str, data: st.DataObject) -> str:
    """Removes, adds or replaces some characters of a document."""
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        kind = data.draw(st.sampled_from(["out", "in", "other", "twice"]))
        letter = data.draw(st.sampled_from(DAMAGE))
        rest = whole[at + 1 :]
        middle = {"out": "", "in": letter + whole[at], "other": letter, "twice": whole[at] * 2}[kind]
        whole = whole[:at] + middle + rest or "?"
    return whole


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@given(value=documents, indent=st.sampled_from([None, 2]), data=st.data())
@settings(
    derandomize=True,
    deadline=None,
    max_examples=so_many(100, long=400),
    suppress_health_check=[HealthCheck.filter_too_much],
)
def test_of_a_document_that_was_damaged_comes_back_either_all_or_nothing(
    value: object, indent: int | None, data: st.DataObject
) -> None:
    whole = json.dumps(value, ensure_ascii=False, indent=indent)
    broken = damaged(whole, data)
    assume(not is_json(broken))
    assume(not any(is_json(broken[at:end]) for at in range(2) for end in (len(broken), len(broken) - 1)))
    found = found_in(broken, array=True)
    if found is not None:
        written = [letter for letter in found.text if letter not in NO_CONTENT]
        assert written == [letter for letter in _said(broken, found.remark) if letter not in NO_CONTENT]


#: What a mend may change; escapes are compared by the letters behind them.
NO_CONTENT = " \n,，\"'“”„‘’\\"


def _said(broken: str, remark: str) -> str:
    """Returns the content of a broken text, without the words around it and the words of Python."""
    for part in remark.split("\n…\n"):
        broken = broken.replace(part, "", 1) if part else broken
    return broken


@given(value=documents, indent=st.sampled_from([None, 2]), data=st.data())
@settings(derandomize=True, deadline=None, max_examples=so_many(50, long=150))
def test_a_document_comes_back_from_what_may_be_mended(value: object, indent: int | None, data: st.DataObject) -> None:
    whole = json.dumps(value, ensure_ascii=False, indent=indent)
    found = found_in(_harmed(value, data, indent), array=True)
    assert found is not None
    assert json.loads(found.text) == json.loads(whole)


def _harmed(value: object, data: st.DataObject, indent: int | None) -> str:
    """Writes a document with trailing commas, comments, other quotes, bare keys and a fence."""
    newline = "\n" if indent else ""
    comment = data.draw(st.sampled_from(["", "/* a: [1, */", "// so\n", " # so it is\n"]))
    if isinstance(value, dict):
        members = [f"{_text(key, data, bare=True)}: {_harmed(entry, data, indent)}" for key, entry in value.items()]
        return "{" + newline + (comment + ", ").join(members) + (",}" if members else "}")
    if isinstance(value, list):
        return (
            "[" + ", ".join(_harmed(entry, data, indent) for entry in value) + (", " if value else "") + comment + "]"
        )
    if isinstance(value, str):
        return _text(value, data)
    return str(value) if value is None or isinstance(value, bool) else json.dumps(value)


def _text(text: str, data: st.DataObject, *, bare: bool = False) -> str:
    quotes = data.draw(st.sampled_from(['""', "''", "“”", "„“"]))
    if bare and text.isidentifier() and text not in ("true", "false", "null", "True", "False", "None"):
        return data.draw(st.sampled_from([text, json.dumps(text)]))
    if quotes == '""' or any(letter in text for letter in "\"'“”„‟\\\n"):
        return json.dumps(text, ensure_ascii=False)
    return quotes[0] + text + quotes[1]


# ---------------------------------------------------------------- the child process


def long(tail: str, *, items: int = 1_500) -> str:
    text = json.dumps({"items": [{"name": "火星", "number": number} for number in range(items)]})[:-1] + tail
    assert len(text) > READ_HERE_CHARS
    return text


async def test_a_long_text_is_mended_in_a_process_of_its_own() -> None:
    found = await json_found(long(",}"))
    assert found is not None
    assert (json.loads(found.text), found.is_mended) == (json.loads(long("}")), True)
    assert await json_found(long(', "more": "cut o')) is None
    among = await json_found("Here:\n" + long("}") + "\nDone.")
    assert among == FoundJson(text=long("}"), is_mended=False, remark="Here:\n…\nDone.")


async def test_a_text_that_takes_too_long_is_left_alone_and_its_process_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "TIME_LIMIT", 0.01)
    async with asyncio.timeout(30):
        assert await json_found(long(",}")) is None
    assert not list(processes_with("worker_svc.llm.read.repair"))


async def test_cancelling_ends_the_process_too() -> None:
    mending = asyncio.create_task(json_found(long(",}", items=20_000)))
    async with asyncio.timeout(30):
        while not list(processes_with("worker_svc.llm.read.repair")):  # noqa: ASYNC110 - a child says nothing when it starts
            await asyncio.sleep(0.001)
        mending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await mending
    assert not list(processes_with("worker_svc.llm.read.repair"))


async def test_a_text_without_an_end_is_not_even_tried() -> None:
    assert await json_found('{"a": 1,' + " " * MAX_CHARS + "}") is None


# ---------------------------------------------------------------- who uses it


async def test_an_executors_broken_json_is_mended_and_that_is_logged() -> None:
    with capture_logs() as logs:
        result = await Executor(Saying("{'a': 1,}"))(to_execute(task("JSON")), Heard())
    assert isinstance(result, CandidateResult)
    assert result.content == b'{"a": 1}'
    (line,) = [line for line in logs if line["event"] == "answer_repaired"]
    assert (line["log_level"], line["execution"], line["task"]) == ("info", "execution", "1_1")


async def test_where_no_json_is_promised_nothing_is_mended() -> None:
    result = await Executor(Saying("{'a': 1,}"))(to_execute(task("Text")), Heard())
    assert isinstance(result, CandidateResult)
    assert result.content == b"{'a': 1,}"


async def test_json_by_the_letter_is_left_as_it_was_written() -> None:
    written = '{"a":1,\n  "a": 2.50}'
    result = await Executor(Saying(written))(to_execute(task("JSON")), Heard())
    assert isinstance(result, CandidateResult)
    assert result.content.decode() == written


async def test_a_verdict_is_mended_only_where_that_is_no_guess() -> None:
    with_comma = verdicts("pass").replace("}]}", "},]}")
    without_end = verdicts("pass")[:-1]
    for answer, outcome in ((with_comma, execution_pb2.OUTCOME_PASS), (without_end, execution_pb2.OUTCOME_ERROR)):
        verdict = await Validator(Saying(answer))(to_judge("Mars", task(criteria=("is good",))), Heard())
        assert isinstance(verdict, VerdictResult)
        assert verdict.outcome == outcome


async def test_words_around_a_document_go_beside_it_to_the_judge() -> None:
    result = await Executor(Saying('Only an example: {"a": 1}'))(to_execute(task("JSON")), Heard())
    assert isinstance(result, CandidateResult)
    assert (result.content, result.remark) == (b'{"a": 1}', "Only an example:")


@pytest.mark.guard(name="words around a result are judged or rejected")
async def test_words_around_a_document_reject_it_without_a_judge() -> None:
    around = to_judge('{"a": 1}', task("JSON", checks=(required_keys("a"),)))
    assert around.candidate is not None
    around = replace(around, candidate=replace(around.candidate, remark="Only an example:"))
    assert around.candidate is not None
    verdict = await Validator(None)(around, Heard())
    assert verdict.outcome == execution_pb2.OUTCOME_FAIL
    assert "words around the result, which no judge reads: “Only an example:”" in verdict.feedback
    assert verdict.retry_worthwhile


async def test_a_judge_is_shown_the_words_around_a_document() -> None:
    given = to_judge('{"a": 1}', task("JSON", criteria=("is about Mars",)))
    assert given.candidate is not None
    given = replace(given, candidate=replace(given.candidate, remark="I could not do it.\u202e"))
    model = Saying("")
    await Validator(model)(given, Heard())
    asked = model.requests[0].messages[-1].content
    block = asked.partition("# What its author wrote around it\n<<<BEGIN ")[2]
    assert "I could not do it.⟨U+202E⟩\n<<<END" in block


@pytest.mark.parametrize("end", ["x{", "`{"])
def test_an_answer_that_is_almost_in_a_fence_is_read_in_linear_time(end: str) -> None:
    assert not outgrows(found_in, Run("```", " ", end), 1_000, most=8, floor=0.01)
