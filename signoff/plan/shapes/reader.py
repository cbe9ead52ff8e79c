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
from collections.abc import Callable

from signoff.plan.shapes.tokens import ShapeUnclear, Tokens
from signoff.plan.shapes.types import Schema, Shape, is_type, of_quoted, of_type, of_words, or_null, union, with_items

MAX_SHAPE_CHARS = 16_000  # that one shape may have; people read no longer ones
MAX_DEPTH = 40  # levels of objects and arrays

_ARRAYS = frozenset({"array", "list", "set", "sequence", "iterable", "readonlyarray"})
_MAPS = frozenset({"record", "map", "dict", "mapping"})

_KEY = re.compile(r"[$@.-]*\w[\w$@.-]*")
_PLACEHOLDER = re.compile(r"<.*>|\[.*\]|\{.*\}|\.\.\.|…")
_SIZE = re.compile(r"[0-9]+(?:(?:\.\.|-|–)[0-9]+)?")
_OPTIONAL = re.compile(r"\b(?:optional|nullable)\b|可选|可为空", re.IGNORECASE)


def read_shape(text: str) -> tuple[Schema, str]:
    """Returns the JSON Schema of the shape that a text begins with, and the words behind it. Raises ShapeUnclear."""
    if len(text) > MAX_SHAPE_CHARS:
        raise ShapeUnclear(f"it has {len(text):,} characters, and more than {MAX_SHAPE_CHARS:,} are not read")
    tokens = Tokens(text)
    schema = _Reader(tokens).shape().schema
    return schema, tokens.rest()


_ANYTHING = Shape({})


class _Reader:
    """Reads shapes, and the parts of shapes."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._depth = 0

    def shape(self) -> Shape:
        """Reads a shape and what it may be instead."""
        read = [self._one()]
        while self._tokens.skip("|") or (self._depth and self._tokens.skip("or")):
            read.append(self._one())
        return read[0] if len(read) == 1 else union(read)

    # ------------------------------------------------------------ parts

    def _one(self) -> Shape:
        self._tokens.pass_lines()
        token = self._tokens.peek()
        if token.text == "{":
            read = self._inside(self._object)
        elif token.text == "[":
            read = self._inside(self._array)
        elif token.kind == "empty":
            self._tokens.take()
            read = Shape({"type": "array"})
        elif token.kind == "quoted":
            self._tokens.take()
            read = of_quoted(_inner(token.text))
        elif token.text == "<":
            read = self._placeholder()
        else:
            return self._with_tail(self._words())
        read = self._with_tail(read)
        if self._depth and self._tokens.peek().kind == "word" and self._tokens.peek().text.lower() != "or":
            self._prose()  # such as "[string] sorted by name"
        return read

    def _placeholder(self) -> Shape:
        """Reads `<string>` or `<title of the paper>`."""
        self._tokens.take()
        words: list[str] = []
        while (token := self._tokens.take()).text != ">":
            words.append(token.text)
        return Shape(of_type(words[0])) if len(words) == 1 and is_type(words[0]) else _ANYTHING

    def _inside(self, read: Callable[[], Schema]) -> Shape:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ShapeUnclear(f"it is nested deeper than {MAX_DEPTH} levels")
        self._tokens.take()
        schema = read()
        self._depth -= 1
        return Shape(schema)

    def _with_tail(self, read: Shape) -> Shape:
        """Reads `[]`, `?` and a remark in parentheses behind a shape."""
        schema, optional, literal = read.schema, read.is_optional, read.literal
        while True:
            if self._tokens.peek().kind == "empty":
                self._tokens.take()
                schema, literal = with_items(schema), None
            elif self._tokens.peek().text in ("?", "？"):
                self._tokens.take()
                optional = True
            elif self._depth and self._tokens.peek().text == "(":
                optional = bool(_OPTIONAL.search(self._remark())) or optional
            else:
                return Shape(schema, optional, read.is_prose, literal)

    def _remark(self) -> str:
        """Reads to the closing parenthesis."""
        said, depth = "", 0
        while True:
            token = self._tokens.take()
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
            if self._tokens.peek().kind == "more":
                self._tokens.take()
                continue
            key, is_placeholder = self._key()
            optional = self._tokens.skip("?")
            is_typed = self._tokens.skip(":")
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
        token = self._tokens.take()
        if token.kind == "quoted":
            key = _inner(token.text)
            return key, bool(_PLACEHOLDER.fullmatch(key))
        if token.text in ("[", "<", "{"):
            closing = {"[": "]", "<": ">", "{": "}"}[token.text]
            while self._tokens.take().text != closing:
                pass
            return "", True
        if token.kind == "word" and _KEY.fullmatch(token.text):
            return token.text, False
        raise ShapeUnclear(f"a key was expected, but got {token.text[:40]!r}")

    def _array(self) -> Schema:
        items: list[Shape] = []
        while not self._closes("]"):
            if self._tokens.peek().kind == "more":
                self._tokens.take()
            else:
                items.append(self.shape())
            self._separate("]")
        schemas = [item.schema for item in items]
        same = bool(schemas) and all(schema == schemas[0] for schema in schemas)
        return with_items(schemas[0] if same else {})

    def _separate(self, closing: str) -> None:
        """Reads what stands between two members."""
        on_line = self._tokens.peek().kind == "line"
        self._tokens.pass_lines()
        if self._tokens.skip(",") or self._tokens.skip(";") or on_line or self._tokens.peek().kind == "more":
            return
        if not self._closes(closing, take=False):
            raise ShapeUnclear(f"a comma or {closing!r} was expected, but got {self._tokens.peek().text[:40]!r}")

    def _closes(self, closing: str, *, take: bool = True) -> bool:
        self._tokens.pass_lines()
        if self._tokens.peek().text != closing:
            return False
        if take:
            self._tokens.take()
        return True

    # ------------------------------------------------------------ words

    def _words(self) -> Shape:
        """Reads a type, an example, or a description in words, up to where the member ends."""
        words: list[str] = []
        while self._has_word():
            token = self._tokens.take()
            words.append(token.text)
            if token.text.lower() in _ARRAYS | _MAPS | {"optional"} and self._tokens.peek().text in ("<", "["):
                return self._generic(token.text.lower()) if len(words) == 1 else self._prose()
            if len(words) == 1 and is_type(token.text) and self._tokens.peek().text == "[":
                return self._sized(of_type(token.text))
        if not words:
            raise ShapeUnclear(f"a type was expected, but got {self._tokens.peek().text[:40]!r}")
        if self._is_at_end():
            return of_words(words)
        return self._prose()

    def _has_word(self) -> bool:
        return self._tokens.more() and self._tokens.peek().kind == "word"

    def _is_at_end(self) -> bool:
        """Tells whether what stands next may follow a type."""
        token = self._tokens.peek()
        return token.kind in ("", "line", "empty") or token.text in (",", ";", "}", "]", "|", ">", "?", "(")

    def _prose(self) -> Shape:
        """Passes the rest of a description; it ends where a member ends, outside of its own brackets."""
        depth = 0
        while self._tokens.more():
            token = self._tokens.peek()
            if not depth and (token.kind == "line" or token.text in (",", ";", "}", "]", ">")):
                break
            if not depth and token.text == ":":
                raise ShapeUnclear("there are two colons between two commas: a comma may be missing")
            depth += (token.text in ("(", "[", "{", "<")) - (token.text in (")", "]", "}", ">"))
            self._tokens.take()
        return Shape({}, is_prose=True)

    def _generic(self, name: str) -> Shape:
        """Reads what stands between the brackets of `Array<…>`, `list[…]`, `Record<…, …>` or `Optional[…]`."""
        closing = {"<": ">", "[": "]"}[self._tokens.take().text]
        inner = [self.shape()]
        while self._tokens.skip(","):
            inner.append(self.shape())
        if not self._tokens.skip(closing):
            raise ShapeUnclear(f"{closing!r} was expected, but got {self._tokens.peek().text[:40]!r}")
        if name == "optional":
            return Shape(inner[0].schema, is_optional=True)
        if name in _MAPS:
            values = inner[-1].schema
            return Shape({"type": "object"} | ({"additionalProperties": values} if values else {}))
        return Shape(with_items(inner[0].schema if len(inner) == 1 else {}))

    def _sized(self, schema: Schema) -> Shape:
        """Reads `string[3]`: an array, whose length is not promised."""
        self._tokens.take()
        if not _SIZE.fullmatch(self._tokens.take().text) or self._tokens.take().text != "]":
            raise ShapeUnclear("a number was expected between the brackets behind a type")
        return Shape(with_items(schema))


def _inner(quoted: str) -> str:
    return quoted[1:-1].replace('\\"', '"')
