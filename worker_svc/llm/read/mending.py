"""Mends JSON that a model broke, without a guess.

A mend changes only commas, comments, and quotes around a token. It takes a comma off the end of an object or an array,
puts one between two members, leaves comments out, writes strings in single or curly quotes in double ones and bare
names of keys in quotes, and reads True, False and None. It neither adds nor removes brackets, and keeps every other
character, in its order, in a value. A text that could be read in two ways, or not at all, is left alone.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

MOST_DEPTH = 200  # levels of arrays and objects

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_LITERALS = {"true": "true", "false": "false", "null": "null", "True": "true", "False": "false", "None": "null"}
_KEY = re.compile(r"[^\W\d][\w$-]*")
_LINE_COMMENT = re.compile(r"//[^\n]*|(?<!\S)#[ \t]+[^\W\d][^\n]*")
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ENDS_BARE = re.compile(r"""[\s{}\[\]:,，"'“”„‟«»‘’‚`＂]|/[/*]""")
#: Quotes that open a string, and those that may end it. Its inside has none of the same family.
_CLOSING = {'"': '"', "'": "'", "“": "”", "„": "“”", "‘": "’", "‚": "‘’", "«": "»", "＂": "＂"}
_FAMILY = {"“": '“”„‟"', "„": '“”„‟"', "‘": "‘’‚'", "‚": "‘’‚'", "«": "«»", "＂": '＂"'}
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "'": "'"}
_HEX = re.compile(r"[0-9a-fA-F]{4}")


class UnclearJson(Exception):
    """The text cannot be read, or in more than one way."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  #: a bracket, ":", ",", "string", "bare", or "end"
    text: str = ""  #: of a string, its value
    after_space: bool = False  #: white space or a comment stands before it


def mended(text: str) -> str | None:
    """Returns the JSON that a text becomes by such changes alone; None: it is left alone."""
    try:
        return "".join(_Reader(_tokens(text)).document())
    except UnclearJson:
        return None


# ---------------------------------------------------------------- tokens


def _tokens(text: str) -> list[_Token]:
    """Splits a text into tokens. Raises UnclearJson."""
    found, at = list[_Token](), 0
    while True:
        begin, at = at, _after_space(text, at)
        is_apart = at > begin or not found
        if at >= len(text):
            return [*found, _Token("end", after_space=is_apart)]
        character = text[at]
        if character in "{}[]:":
            token, at = _Token(character, after_space=is_apart), at + 1
        elif character in ",，":
            token, at = _Token(",", after_space=is_apart), at + 1
        elif character in _CLOSING:
            said, at = _string(text, at)
            token = _Token("string", said, is_apart)
        else:
            end = _ENDS_BARE.search(text, at)
            stop = end.start() if end is not None else len(text)
            if stop == at:
                raise UnclearJson
            token, at = _Token("bare", text[at:stop], is_apart), stop
        found.append(token)


def _after_space(text: str, at: int) -> int:
    while at < len(text):
        if text[at].isspace() or text[at] == "\ufeff":
            at += 1
            continue
        comment = _LINE_COMMENT.match(text, at) or _BLOCK_COMMENT.match(text, at)
        if comment is None:
            return at
        at = comment.end()
    return at


def _string(text: str, at: int) -> tuple[str, int]:
    """Returns the value of the string that begins here, and its end. Raises UnclearJson."""
    opening, said = text[at], list[str]()
    closing, family = _CLOSING[opening], _FAMILY.get(opening, "")
    at += 1
    while at < len(text):
        character = text[at]
        if character in closing:
            return "".join(said), at + 1
        if character in family:
            raise UnclearJson
        if character == "\\":
            escaped, at = _escape(text, at + 1)
            said.append(escaped)
        else:
            said.append(character)
            at += 1
    raise UnclearJson


def _escape(text: str, at: int) -> tuple[str, int]:
    letter = text[at : at + 1]
    if letter == "u" and _HEX.fullmatch(text, at + 1, at + 5):
        unit, at = int(text[at + 1 : at + 5], 16), at + 5
        low = text[at + 2 : at + 6]
        if 0xD800 <= unit < 0xDC00 and text[at : at + 2] == "\\u" and _HEX.fullmatch(low):
            second = int(low, 16)
            if 0xDC00 <= second < 0xE000:
                return chr(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00)), at + 6
        if 0xD800 <= unit < 0xE000:
            raise UnclearJson  # half a character
        return chr(unit), at
    if letter not in _ESCAPES:
        raise UnclearJson
    return _ESCAPES[letter], at + 1


# ---------------------------------------------------------------- grammar


class _Reader:
    """Reads tokens as an object or an array, and writes them as JSON."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def document(self) -> list[str]:
        """Returns the pieces of the JSON. Raises UnclearJson."""
        if self._next.kind not in "{[":
            raise UnclearJson
        written = self._value()
        if self._next.kind != "end":
            raise UnclearJson
        return written

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _value(self) -> list[str]:
        token = self._take()
        if token.kind in ("{", "["):
            self._depth += 1
            if self._depth > MOST_DEPTH:
                raise UnclearJson
            written = self._object() if token.kind == "{" else self._array()
            self._depth -= 1
            return written
        if token.kind == "string":
            return [_quoted(token.text)]
        if token.kind == "bare" and token.text in _LITERALS:
            return [_LITERALS[token.text]]
        if token.kind == "bare" and _NUMBER.fullmatch(token.text):
            return [token.text]
        raise UnclearJson

    def _object(self) -> list[str]:
        written, keys = ["{"], set[str]()
        while self._next.kind != "}":
            key = self._key()
            if key in keys or self._take().kind != ":":
                raise UnclearJson  # of two values for one key, which one?
            keys.add(key)
            written += [_quoted(key), ": ", *self._value()]
            self._separate("}", written, is_member=True)
        self._take()
        return [*written, "}"]

    def _key(self) -> str:
        token = self._take()
        is_name = token.kind == "bare" and _KEY.fullmatch(token.text) and token.text not in _LITERALS
        if token.kind != "string" and not is_name:
            raise UnclearJson
        return token.text

    def _array(self) -> list[str]:
        written = ["["]
        while self._next.kind != "]":
            begun = self._next.kind
            written += self._value()
            self._separate("]", written, is_member=begun in "{[" and self._next.kind == begun)
        self._take()
        return [*written, "]"]

    def _separate(self, closing: str, written: list[str], *, is_member: bool) -> None:
        """Reads the comma behind a value. Leaves out one before the end, and puts in one that is missing.

        It is missing only when a member follows for certain: `[1 200]` may be a number, `"a" "b"` one text.
        """
        if self._next.kind == ",":
            self._take()
            if self._next.kind == ",":
                raise UnclearJson  # something is missing between them
        elif self._next.kind != closing and not (is_member and self._next.after_space):
            raise UnclearJson
        if self._next.kind != closing:
            written.append(", ")


def _quoted(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a pair of surrogates
        raise UnclearJson from None
    return json.dumps(text, ensure_ascii=False)
