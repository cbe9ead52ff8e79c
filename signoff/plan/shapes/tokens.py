"""The tokens of a shape: words, quoted texts, brackets and lines, read one after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>[^\S\n]+ | /\*[^*]*\*/ | //[^\n]{0,1000}+(?=\n))
    | (?P<line>\n)
    | (?P<quoted>(?<!\\)"(?:[^"\\\n]|\\.)*" | (?<!\w)'[^'\n]*' | `[^`\n]*` | “[^“”\n]*” | (?<!\w)‘[^‘’\n]*’)
    | (?P<empty>\[[^\S\n]*\])
    | (?P<more>\.\.\.|…)
    | (?P<mark>[][{}(),:;?|<>，：；？])
    | (?P<word>(?:(?!\.\.\.|//|/\*)[^\s\][{}(),:;?|<>"'“”‘’`…，：；？])+)
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_SAME: Mapping[str, str] = {"，": ",", "：": ":", "；": ";", "？": "?"}


class ShapeUnclear(ValueError):
    """The shape cannot be read, or in more than one way; the text says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token. Behind the last one comes an empty one of no kind."""

    kind: str
    text: str


_END = Token("", "")


class Tokens:
    """The tokens of a text, from left to right. White space between them is passed over, except lines."""

    def __init__(self, text: str) -> None:
        self._tokens: Sequence[Token] = [Token(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(text)]
        self._at = 0

    def more(self) -> bool:
        """Tells whether there is another token."""
        self._pass_space()
        return self._at < len(self._tokens)

    def _pass_space(self) -> None:
        while self._at < len(self._tokens) and self._tokens[self._at].kind == "space":
            self._at += 1

    def pass_lines(self) -> None:
        """Goes on behind the ends of lines."""
        while self.more() and self._tokens[self._at].kind == "line":
            self._at += 1

    def peek(self) -> Token:
        """Returns the next token, and leaves it there."""
        self._pass_space()
        if self._at >= len(self._tokens):
            return _END
        token = self._tokens[self._at]
        return Token(token.kind, _SAME.get(token.text, token.text))

    def take(self) -> Token:
        """Returns the next token, and goes on behind it. Raises ShapeUnclear when there is none."""
        token = self.peek()
        if not token.kind:
            raise ShapeUnclear("it breaks off")
        self._at += 1
        return token

    def skip(self, text: str) -> bool:
        """Takes the next token when it has this text. A bar may come lines later."""
        found = self.peek().text == text
        if not found and self.peek().kind == "line" and text == "|":
            return self._skip_over_lines(text)
        self._at += found
        return found

    def _skip_over_lines(self, text: str) -> bool:
        at = self._at
        self.pass_lines()
        if self.peek().text == text:
            self.take()
            return True
        self._at = at
        return False

    def rest(self) -> str:
        """Returns the text that has not been read."""
        return "".join(token.text for token in self._tokens[self._at :]).strip()
