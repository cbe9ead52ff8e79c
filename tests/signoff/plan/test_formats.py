"""The promises of output formats: the one table that planner, prompts, checks, fences and the mock go by."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.plan.formats import MAX_FORMAT_CHARS, MAX_WORDS_CHARS, OutputKind, format_of
from signoff.plan.forms import named_form

A = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
ARRAY, OBJECT, STRINGS = {"type": "array"}, {"type": "object"}, {"type": "array", "items": {"type": "string"}}
OBJECTS = {"type": "array", "items": {"type": "object"}}


@pytest.mark.parametrize(
    ("output_format", "kind", "media_type"),
    [
        ("", OutputKind.TEXT, "text/plain"),
        ("a poem", OutputKind.TEXT, "text/plain"),
        ("plain text", OutputKind.TEXT, "text/plain"),
        ("string", OutputKind.TEXT, "text/plain"),
        ("The final answer as plain text, not Markdown", OutputKind.TEXT, "text/plain"),
        ("patch notes", OutputKind.TEXT, "text/plain"),
        ("a swift reply", OutputKind.TEXT, "text/plain"),
        ("Explanation of the Python code", OutputKind.TEXT, "text/plain"),
        ("Markdown", OutputKind.MARKDOWN, "text/markdown"),
        ("Markdown document", OutputKind.MARKDOWN, "text/markdown"),
        ("a markdown table", OutputKind.MARKDOWN, "text/markdown"),
        ("GitHub-flavored Markdown", OutputKind.MARKDOWN, "text/markdown"),
        ("text/markdown; charset=utf-8", OutputKind.MARKDOWN, "text/markdown"),
        ("README.md", OutputKind.MARKDOWN, "text/markdown"),
        ("Text in Markdown", OutputKind.MARKDOWN, "text/markdown"),
        ("Bericht in Markdown", OutputKind.MARKDOWN, "text/markdown"),
        ("报告，Markdown格式", OutputKind.MARKDOWN, "text/markdown"),
        ("JSON", OutputKind.JSON, "application/json"),
        ("application/json", OutputKind.JSON, "application/json"),
        ("application/ld+json", OutputKind.JSON, "application/json"),
        ("valid JSON", OutputKind.JSON, "application/json"),
        ("Strict JSON, no markdown", OutputKind.JSON, "application/json"),
        ("GeoJSON", OutputKind.JSON, "application/json"),
        ("package.json", OutputKind.JSON, "application/json"),
        ("以JSON格式输出", OutputKind.JSON, "application/json"),
        ("A JSON file describing the Markdown", OutputKind.JSON, "application/json"),
        ("JSONL", OutputKind.JSON_LINES, "application/jsonl"),
        ("NDJSON", OutputKind.JSON_LINES, "application/jsonl"),
        ("json lines", OutputKind.JSON_LINES, "application/jsonl"),
        ("newline-delimited JSON", OutputKind.JSON_LINES, "application/jsonl"),
        ("one JSON object per line", OutputKind.JSON_LINES, "application/jsonl"),
        ("YAML", OutputKind.YAML, "application/yaml"),
        ("a docker-compose.yml", OutputKind.YAML, "application/yaml"),
        ("CSV with columns a, b", OutputKind.CSV, "text/csv"),
        ("CSV (not JSON)", OutputKind.CSV, "text/csv"),
        ("tab-separated values", OutputKind.CSV, "text/tab-separated-values"),
        ("Python", OutputKind.CODE, "text/x-python"),
        ("A short Python script", OutputKind.CODE, "text/x-python"),
        ("用 Python 编写的脚本", OutputKind.CODE, "text/x-python"),
        ("a Python script that prints JSON", OutputKind.CODE, "text/x-python"),
        ("React component in TSX", OutputKind.CODE, "text/x-typescript"),
        ("Java", OutputKind.CODE, "text/x-java"),
        ("JavaScript", OutputKind.CODE, "text/javascript"),
        ("Go program", OutputKind.CODE, "text/x-go"),
        ("SQL query", OutputKind.CODE, "application/sql"),
        ("HTML page", OutputKind.CODE, "text/html"),
        ("shell script", OutputKind.CODE, "text/x-shellscript"),
        ("unified diff", OutputKind.DIFF, "text/x-diff"),
        ("a git patch", OutputKind.DIFF, "text/x-diff"),
    ],
)
def test_a_format_names_what_the_output_is(output_format: str, kind: OutputKind, media_type: str) -> None:
    found = format_of(output_format)
    assert (found.kind, found.media_type, found.unclear) == (kind, media_type, "")


@pytest.mark.parametrize(
    ("output_format", "schema"),
    [
        ("JSON", None),
        ("JSON string", None),
        ("JSON Schema", None),
        ("JSON: { a: string }", A),
        ("json {a: string}", A),
        ("JSON object with { a: string }", A),
        ("Return a JSON object: {a: string}", A),
        ("JSON, of the form {a: string}", A),
        ("{ a: string }", A),
        ("JSON: {a: string}\n\nNo other keys.", A),
        ("JSON array of { a: string }", {"type": "array", "items": A}),
        ("JSON: [{ a: string }, ...]", {"type": "array", "items": A}),
        ("JSON: {a: string}[]", {"type": "array", "items": A}),
        ("JSON 数组: {a: 字符串}", {"type": "array", "items": A}),
        ("JSON: string[]", STRINGS),
        ("JSON: array<string>", STRINGS),
        ("JSON array of strings", STRINGS),
        ("JSON字符串数组", STRINGS),
        ("A JSON array", ARRAY),
        ("JSON 数组", ARRAY),
        ("a list of names as JSON array", ARRAY),
        ("JSON对象数组", OBJECTS),
        ("JSON list of objects with keys a and b", OBJECTS),
        ("A JSON object with title and year", OBJECT),
        ("JSON: Record<string, number>", {"type": "object", "additionalProperties": {"type": "number"}}),
        ('JSON: {"type": "object", "properties": {"a": true}}', {"type": "object", "properties": {"a": True}}),
        ("JSONL: { a: string }", A),
        ("one JSON object per line: { a: string }", A),
        ("JSONL array of lines", None),
    ],
)
def test_the_shape_of_json_is_a_schema(output_format: str, schema: object) -> None:
    found = format_of(output_format)
    assert (found.schema, found.unclear) == (schema, "")


@pytest.mark.parametrize(
    ("output_format", "why"),
    [
        ("JSON or YAML", "several forms"),
        ("a table or JSON", "several forms"),
        ("JSON5", "not plain which form"),
        ("report in the style of JSON-LD", "about JSON, or holds some"),
        ("Text about JSON", "read as text"),
        ("Markdown with a JSON block", "read as Markdown"),
        ('JSON, e.g. {"a": 1}', "an example"),
        ("JSON: { a, b", "a comma or '}' was expected"),
        ("JSON: { title: the title, briefly, year: number }", "'briefly' may be a key"),
        ("JSON: { a: string b: string }", "a comma may be missing"),
        ("JSON: { a: string, a: number }", "the key 'a' comes twice"),
        ("JSON: { a: string } or { b: string }", "say something else"),
        ("JSON: { a: string } (array)", "say something else"),
        ("JSON: " + "{a:" * 1000, "nested deeper"),
        ("JSON: { a: " + "x " * 20_000 + "}", "more than 16,000 are not read"),
        ("{topic}", 'begin it with "JSON:"'),
    ],
)
def test_what_speaks_of_json_and_is_not_understood_promises_no_shape_and_says_why(output_format: str, why: str) -> None:
    found = format_of(output_format)
    assert found.schema is None
    assert why in found.unclear


def test_the_keys_of_an_object_are_known() -> None:
    assert list(format_of("JSON: { a: string, b?: int }").properties) == ["a", "b"]
    assert not format_of("JSON: [{ a }]").properties
    assert not format_of('JSON: {"type": "object", "properties": [1]}').properties


@given(text=st.text("{}[]:,;|?.<>()\"'`/ \najsonJSONlistarrayofor数组", max_size=60))
@settings(derandomize=True, deadline=None, max_examples=1000)
def test_no_format_is_too_strange_to_read(text: str) -> None:
    format_of(text)
    format_of("JSON: " + text)


@pytest.mark.guard(name="a mention is asked about what stands just before it")
@pytest.mark.parametrize("words", ["not json ", "a report, csv ", "md，", "不要json"])
def test_many_mentions_of_forms_are_read_in_time(words: str) -> None:
    format_ = (words * MAX_FORMAT_CHARS)[:MAX_FORMAT_CHARS]
    begun = time.process_time()
    named_form(format_)
    assert time.process_time() - begun < 2  # about 0.1 s; 5 to 20 s when all that stands before each is looked at


@pytest.mark.guard(name="a mention is asked about what stands just before it")
@pytest.mark.parametrize("between", [" ", "  an ", " in any "])
def test_a_mention_is_ruled_out_by_the_words_just_before_it(between: str) -> None:
    assert format_of(f"{'a word ' * 20}no{between}JSON").kind is OutputKind.TEXT
    assert format_of(f"{'a word ' * 20}no {' ' * 60}in JSON").kind is OutputKind.JSON


@pytest.mark.guard(name="only so many words of a format are read")
def test_a_form_that_is_named_after_very_many_words_is_not_seen() -> None:
    assert format_of(f"{'x' * (MAX_WORDS_CHARS - 10)}, as JSON").is_json
    assert not format_of(f"{'x' * MAX_WORDS_CHARS}, as JSON").is_json
    assert format_of("{" + "x" * MAX_WORDS_CHARS + "}, as JSON") == format_of("{x}, as JSON")


def test_a_shape_may_be_longer_than_the_words() -> None:
    keys = [f"key_{number}" for number in range(400)]
    assert list(format_of(f"JSON: {{{', '.join(f'{key}: string' for key in keys)}}}").properties) == keys
