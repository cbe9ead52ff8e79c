"""Reads shapes, as people and models write them for JSON, as JSON Schema: `{ papers: [{ title, year: int }], total? }`.

    shape    = one ("|" one)*                   a union; of quoted or plain words, the values allowed
    one      = (object | array | type | example) "[]"*  remark?
    object   = "{" member (("," | ";" | line) member)* "}"
    member   = key "?"? (":" shape)? | "[" key … "]" ":" shape | "..."
    array    = "[" shape ("," shape)* "]" | ("Array" | "List" | …) "<" shape ">"
    type     = a word such as string, int, number[]; in quotes too, for models write {"name": "string"}
    remark   = "(" … ")"

A schema promises what the shape says and nothing more: a key without a type may hold anything, and so may one that is
described in words; keys besides those named are allowed; what is optional may be missing, or null. Whatever could be
read in two ways raises `ShapeUnclear`: a shape read wrongly would reject right work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from signoff.plan.shape_types import Schema, Shape, is_type, of_quoted, of_type, of_words, or_null, union, with_items

MAX_SHAPE_CHARS = 16_000  # that one shape may have; people read no longer ones
MAX_DEPTH = 40  # levels of objects and arrays

_TOKEN = re.compile(
    r"""
      (?P<space>[^\S\n]+ | /\*[^*]*\*/ | //[^\n]*(?=\n))
    | (?P<line>\n)
    | (?P<quoted>"(?:[^"\\\n]|\\.)*" | (?<!\w)'[^'\n]*' | `[^`\n]*` | “[^”\n]*” | (?<!\w)‘[^’\n]*’)
    | (?P<empty>\[[^\S\n]*\])
    | (?P<more>\.\.\.|…)
    | (?P<mark>[][{}(),:;?|<>，：；？])
    | (?P<word>(?:(?!\.\.\.|//|/\*)[^\s\][{}(),:;?|<>"'“”‘’`…，：；？])+)
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_SAME: Mapping[str, str] = {"，": ",", "：": ":", "；": ";", "？": "?"}

_ARRAYS = frozenset({"array", "list", "set", "sequence", "iterable", "readonlyarray"})
_MAPS = frozenset({"record", "map", "dict", "mapping"})

_KEY = re.compile(r"[\w$@.-]*\w[\w$@.-]*")
_PLACEHOLDER = re.compile(r"<.*>|\[.*\]|\{.*\}|\.\.\.|…")
_SIZE = re.compile(r"[0-9]+(?:(?:\.\.|-|–)[0-9]+)?")
_OPTIONAL = re.compile(r"\b(?:optional|nullable)\b|可选|可为空", re.IGNORECASE)


class ShapeUnclear(ValueError):
    """The shape cannot be read, or in more than one way; the text says why."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def read_shape(text: str) -> tuple[Schema, str]:
    """Returns the JSON Schema of the shape that a text begins with, and the words behind it. Raises ShapeUnclear."""
    if len(text) > MAX_SHAPE_CHARS:
        raise ShapeUnclear(f"it has {len(text):,} characters, and more than {MAX_SHAPE_CHARS:,} are not read")
    reader = _Reader([_Token(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(text)])
    schema = reader.shape().schema
    return schema, reader.rest()


_ANYTHING = Shape({})


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def shape(self) -> Shape:
        """Reads a shape and what it may be instead."""
        read = [self._one()]
        while self._skip("|") or (self._depth and self._skip("or")):
            read.append(self._one())
        return read[0] if len(read) == 1 else union(read)

    def rest(self) -> str:
        """Returns the text that has not been read."""
        return "".join(token.text for token in self._tokens[self._at :]).strip()

    # ------------------------------------------------------------ parts

    def _one(self) -> Shape:
        self._pass_lines()
        token = self._peek()
        if token.text == "{":
            read = self._inside(self._object)
        elif token.text == "[":
            read = self._inside(self._array)
        elif token.kind == "empty":
            self._take()
            read = Shape({"type": "array"})
        elif token.kind == "quoted":
            self._take()
            read = of_quoted(_inner(token.text))
        elif token.text == "<":
            read = self._placeholder()
        else:
            return self._with_tail(self._words())
        read = self._with_tail(read)
        if self._depth and self._peek().kind == "word" and self._peek().text.lower() != "or":
            self._prose()  # such as "[string] sorted by name"
        return read

    def _placeholder(self) -> Shape:
        """Reads `<string>` or `<title of the paper>`."""
        self._take()
        words: list[str] = []
        while (token := self._take()).text != ">":
            words.append(token.text)
        return Shape(of_type(words[0])) if len(words) == 1 and is_type(words[0]) else _ANYTHING

    def _inside(self, read: Callable[[], Schema]) -> Shape:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ShapeUnclear(f"it is nested deeper than {MAX_DEPTH} levels")
        self._take()
        schema = read()
        self._depth -= 1
        return Shape(schema)

    def _with_tail(self, read: Shape) -> Shape:
        """Reads `[]`, `?` and a remark in parentheses behind a shape."""
        schema, optional, literal = read.schema, read.is_optional, read.literal
        while True:
            if self._peek().kind == "empty":
                self._take()
                schema, literal = with_items(schema), None
            elif self._peek().text in ("?", "？"):
                self._take()
                optional = True
            elif self._depth and self._peek().text == "(":
                optional = bool(_OPTIONAL.search(self._remark())) or optional
            else:
                return Shape(schema, optional, read.is_prose, literal)

    def _remark(self) -> str:
        """Reads to the closing parenthesis."""
        said, depth = "", 0
        while True:
            token = self._take()
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            said += token.text
            if not depth:
                return said

    def _object(self) -> Schema:
        properties: dict[str, Schema] = {}
        required: list[str] = []
        others: Schema | None = None
        after_prose = False
        while not self._closes("}"):
            if self._peek().kind == "more":
                self._take()
                continue
            key, is_placeholder = self._key()
            optional = self._skip("?")
            is_typed = self._skip(":")
            if not is_typed and after_prose:
                raise ShapeUnclear(f"{key!r} may be a key, or belong to the words before it")
            read = self.shape() if is_typed else _ANYTHING
            after_prose = read.is_prose
            if is_placeholder:
                others = read.schema
            elif key in properties:
                raise ShapeUnclear(f"the key {key!r} comes twice")
            else:
                missing_too = optional or read.is_optional
                properties[key] = or_null(read.schema) if missing_too else read.schema
                required += [] if missing_too else [key]
            self._separate("}")
        schema: Schema = {"type": "object"}
        if properties:
            schema |= {"properties": properties, "required": required}
        return schema | ({"additionalProperties": others} if others and not properties else {})

    def _key(self) -> tuple[str, bool]:
        """Reads a key, and tells whether it stands for any: `[name: string]`, `<name>` and `{name}` do."""
        token = self._take()
        if token.kind == "quoted":
            key = _inner(token.text)
            return key, bool(_PLACEHOLDER.fullmatch(key))
        if token.text in ("[", "<", "{"):
            closing = {"[": "]", "<": ">", "{": "}"}[token.text]
            while self._take().text != closing:
                pass
            return "", True
        if token.kind == "word" and _KEY.fullmatch(token.text):
            return token.text, False
        raise ShapeUnclear(f"a key was expected, but got {token.text[:40]!r}")

    def _array(self) -> Schema:
        items: list[Shape] = []
        while not self._closes("]"):
            if self._peek().kind == "more":
                self._take()
            else:
                items.append(self.shape())
            self._separate("]")
        schemas = [item.schema for item in items]
        same = bool(schemas) and all(schema == schemas[0] for schema in schemas)
        return with_items(schemas[0] if same else {})

    def _separate(self, closing: str) -> None:
        """Reads what stands between two members."""
        on_line = self._peek().kind == "line"
        self._pass_lines()
        if self._skip(",") or self._skip(";") or on_line or self._peek().kind == "more":
            return
        if not self._closes(closing, take=False):
            raise ShapeUnclear(f"a comma or {closing!r} was expected, but got {self._peek().text[:40]!r}")

    def _closes(self, closing: str, *, take: bool = True) -> bool:
        self._pass_lines()
        if self._peek().text != closing:
            return False
        if take:
            self._take()
        return True

    # ------------------------------------------------------------ words

    def _words(self) -> Shape:
        """Reads a type, an example, or a description in words, up to where the member ends."""
        words: list[str] = []
        while self._has_word():
            token = self._take()
            words.append(token.text)
            if token.text.lower() in _ARRAYS | _MAPS | {"optional"} and self._peek().text in ("<", "["):
                return self._generic(token.text.lower()) if len(words) == 1 else self._prose()
            if len(words) == 1 and is_type(token.text) and self._peek().text == "[":
                return self._sized(of_type(token.text))
        if not words:
            raise ShapeUnclear(f"a type was expected, but got {self._peek().text[:40]!r}")
        if self._is_at_end():
            return of_words(words)
        return self._prose()

    def _has_word(self) -> bool:
        return self._more() and self._peek().kind == "word"

    def _is_at_end(self) -> bool:
        """Tells whether what stands next may follow a type."""
        token = self._peek()
        return token.kind in ("", "line", "empty") or token.text in (",", ";", "}", "]", "|", ">", "?", "(")

    def _prose(self) -> Shape:
        """Passes the rest of a description; it ends where a member ends, outside of its own brackets."""
        depth = 0
        while self._more():
            token = self._peek()
            if not depth and (token.kind == "line" or token.text in (",", ";", "}", "]", ">")):
                break
            if not depth and token.text == ":":
                raise ShapeUnclear("there are two colons between two commas: a comma may be missing")
            depth += (token.text in ("(", "[", "{", "<")) - (token.text in (")", "]", "}", ">"))
            self._take()
        return Shape({}, is_prose=True)

    def _generic(self, name: str) -> Shape:
        """Reads what stands between the brackets of `Array<…>`, `list[…]`, `Record<…, …>` or `Optional[…]`."""
        closing = {"<": ">", "[": "]"}[self._take().text]
        inner = [self.shape()]
        while self._skip(","):
            inner.append(self.shape())
        if not self._skip(closing):
            raise ShapeUnclear(f"{closing!r} was expected, but got {self._peek().text[:40]!r}")
        if name == "optional":
            return Shape(inner[0].schema, is_optional=True)
        if name in _MAPS:
            values = inner[-1].schema
            return Shape({"type": "object"} | ({"additionalProperties": values} if values else {}))
        return Shape(with_items(inner[0].schema if len(inner) == 1 else {}))

    def _sized(self, schema: Schema) -> Shape:
        """Reads `string[3]`: an array, whose length is not promised."""
        self._take()
        if not _SIZE.fullmatch(self._take().text) or self._take().text != "]":
            raise ShapeUnclear("a number was expected between the brackets behind a type")
        return Shape(with_items(schema))

    # ------------------------------------------------------------ tokens

    def _more(self) -> bool:
        self._pass_space()
        return self._at < len(self._tokens)

    def _pass_space(self) -> None:
        while self._at < len(self._tokens) and self._tokens[self._at].kind == "space":
            self._at += 1

    def _pass_lines(self) -> None:
        while self._more() and self._tokens[self._at].kind == "line":
            self._at += 1

    def _peek(self) -> _Token:
        self._pass_space()
        if self._at >= len(self._tokens):
            return _Token("", "")
        token = self._tokens[self._at]
        return _Token(token.kind, _SAME.get(token.text, token.text))

    def _take(self) -> _Token:
        token = self._peek()
        if not token.kind:
            raise ShapeUnclear("it breaks off")
        self._at += 1
        return token

    def _skip(self, text: str) -> bool:
        found = self._peek().text == text
        if not found and self._peek().kind == "line" and text == "|":
            return self._skip_over_lines(text)
        self._at += found
        return found

    def _skip_over_lines(self, text: str) -> bool:
        at = self._at
        self._pass_lines()
        if self._peek().text == text:
            self._take()
            return True
        self._at = at
        return False


def _inner(quoted: str) -> str:
    return quoted[1:-1].replace('\\"', '"')
