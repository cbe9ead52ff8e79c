"""Reads an output format, such as "JSON: { title: string }", "CSV" or "a Python script", and what it promises.

Planner, prompts, response formats, checks, fences and the mock all go by this one reading. It is cautious, because
code checks the promise: a format that names several forms, or no known one, promises none. When such a format speaks of
JSON all the same, its author may rely on it, so `unclear` says why it promises nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.plan.forms import JSON, JSON_LINES, TEXT, OutputKind, named_form
from signoff.plan.shapes.reader import MAX_SHAPE_CHARS, read_shape
from signoff.plan.shapes.tokens import ShapeUnclear
from signoff.plan.shapes.types import Schema, is_type, items_of, with_items

__all__ = ["Format", "OutputKind", "format_of"]

MAX_FORMAT_CHARS = 2 * MAX_SHAPE_CHARS  # characters of a format that are read
MAX_WORDS_CHARS = 2_000  # of them, outside of brackets: a form that is named later is not seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The promise of an output format."""

    kind: OutputKind = OutputKind.TEXT
    media_type: str = TEXT.media_type
    fences: frozenset[str] = TEXT.fences  #: languages of a code fence that may hold the whole output
    schema: Mapping[str, Any] | None = None  #: JSON Schema of the value, or of each line of JSON Lines; None: any value
    states_schema: bool = False  #: the format is a JSON Schema itself, and no shape
    unclear: str = ""  #: why it promises no JSON although it speaks of it; empty otherwise

    @property
    def is_json(self) -> bool:
        """Tells whether the output parses as one JSON value."""
        return self.kind is OutputKind.JSON

    @property
    def is_array(self) -> bool:
        """Tells whether the output is a JSON array."""
        return self.is_json and self.schema is not None and self.schema.get("type") == "array"

    @property
    def is_object(self) -> bool:
        """Tells whether the output is a JSON object."""
        return self.is_json and self.schema is not None and self.schema.get("type") == "object"

    @property
    def properties(self) -> Mapping[str, Any]:
        """The keys that the shape of a JSON object names, each with its schema."""
        named = self.schema.get("properties") if self.is_json and self.schema is not None else None
        return named if isinstance(named, dict) else {}


_OPENING = re.compile(r"[{\[]")
_TYPED_ARRAY = re.compile(r"[\s:：=]*(?P<shape>(?P<word>[A-Za-z]\w*)\s*(?:\[\s*\]|[<\[].*[>\]]))", re.DOTALL)
_AN_EXAMPLE = re.compile(
    r"\be\.?g\b|\b(?:for example|for instance|such as|examples?|or|either|optional|optionally)\b"
    r"|例如|比如|示例|或|可选",
    re.IGNORECASE,
)
_NOUN = re.compile(
    r"\b(?P<array>arrays?|lists?)\b|\b(?P<object>objects?|dictionar\w+)\b|(?P<zh>(?<!\w)\w*(?:数组|列表|对象))", re.I
)
_OF = re.compile(
    r"\s*of\s+(?:the )?(?P<items>[a-z]+)\s*(?:$|[,.;(¤]|with\b|containing\b|having\b|that\b|each\b)", re.IGNORECASE
)
_ARRAYS_ZH = ("数组", "列表")
_KEYWORDS = frozenset(
    {"properties", "items", "required", "enum", "anyOf", "oneOf", "allOf", "$ref", "$defs", "prefixItems"}
)


@functools.lru_cache(maxsize=1024)
def format_of(output_format: str) -> Format:
    """Returns what an output format promises; an empty one promises text."""
    text = output_format[:MAX_FORMAT_CHARS].strip()
    if _OPENING.match(text):
        return _of_bare_shape(text)
    named, unclear = named_form(_without_brackets(text))
    if named is None:
        return Format(unclear=unclear)
    form, behind = named.form, text[named.end :]
    found = Format(kind=form.kind, media_type=form.media_type, fences=form.fences, unclear=unclear)
    return _with_shape(found, behind) if form in (JSON, JSON_LINES) else found


def _without_brackets(text: str) -> str:
    """Returns a format with the text in brackets, such as a shape, blanked out. Very many words are cut off."""
    words, depth, outside = list(text), 0, 0
    for at, character in enumerate(text):
        opens = character in "{["
        depth += opens
        outside += not depth
        # guard: only so many words of a format are read -> if False:
        if outside > MAX_WORDS_CHARS:
            return "".join(words[:at])
        if depth:
            words[at] = "¤" if opens and depth == 1 else " "
        depth -= character in "}]" and depth > 0
    return "".join(words)


def _of_bare_shape(text: str) -> Format:
    """Reads a format that is a shape without the word JSON. `{topic}` may be a placeholder, and promises nothing."""
    try:
        schema, rest = read_shape(text)
    except ShapeUnclear:
        return Format(unclear="it looks like the shape of JSON, and is not understood" if ":" in text else "")
    if rest or not _says_types(schema):
        return Format(unclear='it looks like the shape of JSON: to promise that, begin it with "JSON:"')
    found = Format(kind=JSON.kind, media_type=JSON.media_type, fences=JSON.fences, schema=schema)
    own = _own_schema(text)
    return found if own is None else dataclasses.replace(found, schema=own, states_schema=True)


def _says_types(schema: Schema) -> bool:
    """Tells whether a shape says more than the names of keys."""
    inner = [*schema.get("properties", {}).values(), *(schema[key] for key in ("items",) if key in schema)]
    return any(inner)


def _with_shape(found: Format, behind: str) -> Format:
    """Returns the format with the shape that follows its name, or with the reason why it is not understood."""
    opening = _OPENING.search(behind)
    typed = _TYPED_ARRAY.match(behind)
    if typed is not None and (is_type(typed["word"]) or typed["word"].lower() in ("record", "optional")):
        at = typed.start("shape")
    elif opening is not None:
        at = opening.start()
    else:
        return dataclasses.replace(found, schema=_told_in_words(behind) if found.is_json else None)
    lead = behind[:at]
    if _AN_EXAMPLE.search(lead):
        return dataclasses.replace(found, unclear="its shape is taken for an example, and is not checked")
    own = _own_schema(behind[at:])
    if own is not None:
        return dataclasses.replace(found, schema=own, states_schema=True)
    try:
        schema = _read_wholly(behind[at:])
    except ShapeUnclear as unclear:
        return dataclasses.replace(found, unclear=f"its shape is not understood: {unclear}")
    noun = _NOUN.search(lead)
    is_array_of = noun is not None and (noun["array"] or (noun["zh"] or "").endswith(_ARRAYS_ZH)) and found.is_json
    in_array = is_array_of and schema.get("type") != "array"
    return dataclasses.replace(found, schema=with_items(schema) if in_array else schema)


def _read_wholly(text: str) -> Schema:
    """Reads the shape that a text begins with. Raises ShapeUnclear when the words after it are about the shape too."""
    schema, rest = read_shape(text)
    if _OPENING.search(rest) or _NOUN.search(rest) or re.match(r"or\b|[|/]|或", rest, re.IGNORECASE):
        raise ShapeUnclear("the words behind it say something else of it")
    return schema


def _told_in_words(behind: str) -> Schema | None:
    """Returns the schema of "array of strings", "object with …", 对象数组; None when no such word comes first."""
    noun = _NOUN.search(behind)
    if noun is None or len(behind[: noun.start()].split()) > 1 or _AN_EXAMPLE.search(behind[: noun.end() + 10]):
        return None
    if noun["object"]:
        return {"type": "object"}
    if noun["array"]:
        of = _OF.match(behind + " ", noun.end())
        return items_of(of["items"]) if of is not None else {"type": "array"}
    return items_of(_items_zh(noun["zh"])) if noun["zh"].endswith(_ARRAYS_ZH) else {"type": "object"}


def _items_zh(array: str) -> str:
    """Returns the word for the items in the word for an array: 字符串 of 格式的字符串的数组."""
    return array[: -len("数组")].rpartition("格式")[2].removeprefix("的").removesuffix("的")


def _own_schema(text: str) -> Schema | None:
    """Returns a text read as a JSON Schema; None when it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_schema = isinstance(value, dict) and ("$schema" in value or ("type" in value and _KEYWORDS & value.keys()))
    return value if is_schema else None
