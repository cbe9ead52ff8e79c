"""The account of one question: the costs of its requests, reported while they arise.

A prompt is booked when it is sent, and the answer somewhat ahead of its coming: a worker that is killed between two
reports has spent no more than it reported. When the provider has counted, its figures replace the estimates; otherwise,
or when the answer broke off, the estimates stay.
"""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from typing import Any

from worker_svc.llm.openai.token_counts import Counts
from worker_svc.spent import NOTHING, OnSpent, Spent

BYTES_PER_TOKEN = 3  # of UTF-8: languages in Latin letters have about four, Chinese and the like about three
TOKENS_PER_MESSAGE = 8  # for the template around it
TOKENS_PER_PICTURE = 1_600  # the most that common endpoints take for one, scaled down
LEAST_AHEAD, SHARE_AHEAD = 32, 8  # booked ahead: at least so many tokens, or this part of those that have come
MOST_CHARS_PER_TOKEN = 16  # on average: a provider with a smaller count has not counted everything
CHARS_PER_TOKEN_THOUGHT = 8  # the same for answers with thoughts that are not counted apart; prose has 4 to 5
_LETTER, _FIGURE, _MARK, _TWO_MARKS = b"a", b"0", b",", b";"  # kinds of bytes


def _kind(byte: int) -> bytes:
    """Returns the kind of a byte's character; white space is its own kind, and all beyond ASCII are letters."""
    if chr(byte) in string.whitespace:
        return b"\n" if byte == ord("\n") else b" "
    if chr(byte) in string.digits:
        return _FIGURE
    return _MARK if chr(byte) in string.punctuation else _LETTER


_KINDS = bytes.maketrans(bytes(range(256)), b"".join(map(_kind, range(256))))
_BETWEEN_WORDS = bytes.maketrans(_FIGURE + _MARK + b"\n", b"   ")


def tokens_in(size: int) -> int:
    """Returns an estimate of the tokens of `size` bytes of prose, which is rather too high."""
    return -(-size // BYTES_PER_TOKEN)


def tokens_of(text: str) -> int:
    """Returns an estimate of the tokens of a text, which is rather too high."""
    content = text.encode(errors="replace")
    return max(tokens_in(len(content)), _apart(content))


def _apart(content: bytes) -> int:
    """Counts pieces that no vocabulary has in one token: words, figures, marks (two together are one), ends of lines.

    Tables and JSON have more of these than their size suggests; some models read a number figure by figure.
    """
    kinds = content.translate(_KINDS)
    marks = kinds.replace(_MARK * 2, _TWO_MARKS)
    words = len(kinds.translate(_BETWEEN_WORDS).split())
    return words + kinds.count(_FIGURE) + marks.count(_MARK) + marks.count(_TWO_MARKS) + kinds.count(b"\n")


def tokens_asked(messages: Sequence[Any], form: Any) -> int:
    """Returns an estimate of the tokens of a prompt, with the form of the answer if one is asked for."""
    asked = sum(_tokens_of_content(message["content"]) + TOKENS_PER_MESSAGE for message in messages)
    return asked + (tokens_of(json.dumps(form)) if form else 0)


def _tokens_of_content(content: Any) -> int:
    """Counts the tokens of a text, or of its parts with pictures."""
    if isinstance(content, str):
        return tokens_of(content)
    return sum(tokens_of(part["text"]) if part["type"] == "text" else TOKENS_PER_PICTURE for part in content)


class Streamed:
    """Measures how much of an answer has come, and keeps the provider's count of it."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.is_whole = False  #: the answer has ended
        self._pieces = self._bytes = self._chars = self._apart = 0
        self._has_thoughts = False

    def add(self, piece: str, *, is_thought: bool = False) -> None:
        """Adds a piece of the answer or of the thoughts."""
        if piece:
            self._has_thoughts = self._has_thoughts or is_thought
            self._pieces += 1
            self._chars += len(piece)
            content = piece.encode(errors="replace")
            self._bytes += len(content)
            self._apart += _apart(content)

    @property
    def estimate(self) -> int:
        """The tokens that have come, estimated: a piece has at least one."""
        return max(self._pieces, self._apart, tokens_in(self._bytes))

    @property
    def uncounted(self) -> int:
        """The tokens of the answer, estimated, that the provider has not counted."""
        # guard: a count that is too small is not believed -> if self.is_whole and self.counts.output_tokens:
        if self.is_whole and self.counts.output_tokens and self._is_all_counted:
            return 0
        return max(0, self.estimate - self.counts.output_tokens)

    @property
    def _is_all_counted(self) -> bool:
        """Tells whether the count can cover all pieces: some providers do not count thoughts."""
        counted = self.counts.output_tokens
        if self._has_thoughts and not self.counts.reasoning_tokens:
            return counted >= self._pieces and counted * CHARS_PER_TOKEN_THOUGHT >= self._chars
        return counted * MOST_CHARS_PER_TOKEN >= self._chars


class Account:
    """Reports the costs of a question. `most` is the largest number of tokens that an answer may have."""

    def __init__(self, on_spent: OnSpent, most: int) -> None:
        self._on_spent = on_spent
        self._most = most
        self._settled = NOTHING  # of requests that have ended
        self._asked = 0  # estimated tokens of the open request's prompt
        self._booked = 0  # tokens of the open request's answer

    def asked(self, tokens: int) -> None:
        """Books a prompt of about so many tokens, which is about to be sent."""
        self._asked = tokens
        # guard: a prompt is booked when it is sent -> (removed)
        self._book(Counts(), 0)

    def came(self, streamed: Streamed) -> None:
        """Books more of the answer when the part booked ahead is nearly used up."""
        came = streamed.uncounted
        is_near = came + self._ahead(came) // 2 > self._booked
        if is_near and self._within(came, self._ahead(came)) > self._booked:
            self._book(streamed.counts, came)

    def refused(self) -> None:
        """Takes back the prompt of a request that was refused or did not reach the endpoint."""
        self._settle(Spent(requests=1))

    def ended(self, streamed: Streamed, *, on_its_way: bool = False) -> None:
        """Settles an answer that has ended. `on_its_way`: more of it may have been sent than was read."""
        rest = streamed.uncounted
        ahead = self._ahead(rest) if on_its_way else 0
        # guard: what was streamed is booked -> self._settle(self._spent(streamed.counts, 0))
        self._settle(self._spent(streamed.counts, self._within(rest, ahead)))

    def _book(self, counts: Counts, came: int) -> None:
        self._booked = self._within(came, self._ahead(came))
        self._on_spent(self._settled + self._spent(counts, self._booked))

    def _settle(self, spent: Spent) -> None:
        self._settled += spent
        self._asked = self._booked = 0
        self._on_spent(self._settled)

    @staticmethod
    def _ahead(came: int) -> int:
        return LEAST_AHEAD + came // SHARE_AHEAD

    def _within(self, came: int, ahead: int) -> int:
        """Returns the tokens to book: up to the limit, unless more have come already by the estimate."""
        return min(came + ahead, self._most) if came < self._most else came + ahead

    def _spent(self, counts: Counts, uncounted: int) -> Spent:
        return Spent(
            requests=1,
            input_tokens=counts.input_tokens,
            output_tokens=counts.output_tokens,
            cached_input_tokens=counts.cached_input_tokens,
            reasoning_tokens=counts.reasoning_tokens,
            estimated_input_tokens=0 if counts.input_tokens else self._asked,
            estimated_output_tokens=uncounted,
        )
