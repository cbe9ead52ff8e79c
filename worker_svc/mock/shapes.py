"""Loose shapes, as planners write them, read as JSON Schema: `{ papers: [{ title, year, venue }], total: number }`.

    shape  = object | array | choice          choice = scalar ("|" scalar)*
    object = "{" member ("," member)* "}"     member = key "?"? (":" shape)?
    array  = "[" shape? "]" | shape "[]"      scalar = words, or a quoted value

Reading is forgiving: `shape_schema` gives None for what it cannot read, and the caller falls back to any object.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_TOKEN = re.compile(r"""\[\s*\]|[{}\[\],:?|<>]|\.\.\.|…|"[^"]*"|'[^']*'|[^\s{}\[\],:?|<>"'…]+""")
_WORD = re.compile(r"[\w\"'$.-]")

_TYPES: Mapping[str, str] = {
    "string": "string", "str": "string", "text": "string",
    "int": "integer", "integer": "integer",
    "number": "number", "float": "number", "double": "number", "decimal": "number",
    "bool": "boolean", "boolean": "boolean",
    "null": "null",
    "object": "object", "dict": "object", "map": "object",
    "array": "array", "list": "array",
}  # fmt: skip

# A key without a type says its type by its name, or is a string.
_TYPE_OF_KEY: Mapping[str, str] = {
    "count": "integer", "total": "integer", "rank": "integer", "age": "integer", "size": "integer",
    "score": "number", "rate": "number", "ratio": "number", "price": "number", "percentage": "number",
    "confidence": "number", "weight": "number",
}  # fmt: skip


@functools.lru_cache(maxsize=1024)
def shape_schema(output_format: str) -> Mapping[str, Any] | None:
    """The JSON Schema of the shape in an output format such as "JSON: { a: string[] }", or None when it has none."""
    start = min((at for at in map(output_format.find, "{[") if at >= 0), default=-1)
    if start < 0:
        return {"type": "array", "items": {"type": "object"}} if _says_array(output_format) else None
    reader = _Reader(_TOKEN.findall(output_format[start:]))
    try:
        return reader.shape()
    except (IndexError, RecursionError):
        return None


def _says_array(output_format: str) -> bool:
    return re.match(r"\s*json\W*(array|list)\b", output_format, re.IGNORECASE) is not None


class _Reader:
    """Reads tokens from left to right; raises IndexError when they end too early."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def shape(self, key: str = "") -> Schema:
        """One shape with the `[]` behind it; `key` is what it is the value of."""
        token = self._peek()
        schema = self._object() if token == "{" else self._array(key) if token == "[" else self._choice(key)
        while self._more() and re.fullmatch(r"\[\s*\]", self._peek()):
            self._take()
            schema = {"type": "array", "items": schema}
        return schema

    def _object(self) -> Schema:
        self._take()
        properties: dict[str, Schema] = {}
        required: list[str] = []
        while self._peek() != "}":
            key = self._take().strip("\"'")
            if _WORD.match(key) and key != "...":
                optional = self._skip("?")
                properties[key] = self.shape(key) if self._skip(":") else _of_key(key)
                if not optional:
                    required.append(key)
        self._take()
        return {"type": "object", "properties": properties, "required": required}

    def _array(self, key: str) -> Schema:
        self._take()
        items: Schema | None = None
        while self._peek() != "]":
            if self._peek() in {",", "}", "...", "…"}:
                self._take()
                continue
            item = self.shape(key)
            items = items or item
        self._take()
        return {"type": "array", "items": items or _of_key(key)}

    def _choice(self, key: str) -> Schema:
        """Scalars with "|" between; quoted ones are the allowed values."""
        options = [self._scalar(key)]
        while self._skip("|"):
            options.append(self._scalar(key) if self._peek() not in {"{", "["} else self.shape(key))
        values = [value for option in options for value in option.get("enum", ())]
        return {"enum": values} if values else options[0]

    def _scalar(self, key: str) -> Schema:
        words = []
        while self._more() and (_WORD.match(self._peek()) or self._peek() in {"<", ">", ":", "?"}):
            words.append(self._take())
        if words and words[0][0] in "\"'":
            return {"enum": [words[0][1:-1]]}
        if words[1:2] == ["<"] and words[0].lower() in {"array", "list"}:
            return {"type": "array", "items": _of_word(words[2] if len(words) > 2 else "", key)}
        if not words and self._more() and self._peek()[0] not in ",}[]":
            self._take()  # a stray sign: skip it, so that reading always moves on
        return _of_word(words[0] if words else "", key)

    def _more(self) -> bool:
        return self._at < len(self._tokens)

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, token: str) -> bool:
        found = self._more() and self._peek() == token
        self._at += found
        return found


def _of_word(word: str, key: str) -> Schema:
    named = _TYPES.get(word.lower())
    return {"type": named} if named else _of_key(key)


def _of_key(key: str) -> Schema:
    lowered = key.lower()
    if lowered.startswith(("is_", "has_")):
        return {"type": "boolean"}
    if lowered.removesuffix("s") == "year":
        return {"type": "integer", "minimum": 2023}
    return {"type": _TYPE_OF_KEY.get(lowered, "string")}
