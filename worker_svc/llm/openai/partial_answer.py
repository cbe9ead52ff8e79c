"""An answer while it comes: the pieces of a stream, and the result at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from signoff.secrets.redaction import Secrets
from signoff.secrets.stream import SecretStream
from worker_svc.llm.account import Streamed
from worker_svc.llm.openai.bounds import MAX_SHOWN_CHARS, Bounds, TooMuch
from worker_svc.llm.openai.dialects import (
    CALLED_A_TOOL,
    FAULT,
    FILTERED,
    STOPPED_AT_LIMIT,
    WHOLE,
    entry,
    finish_of,
    items,
    standard_chunk,
    text,
)
from worker_svc.llm.openai.failures import MORE_TOKENS
from worker_svc.llm.openai.thoughts import parted
from worker_svc.llm.openai.token_counts import counts_in
from worker_svc.llm.port import ModelAnswer, ModelFailure, OnDelta

_MAX_REFUSAL = 8 * 1024  # characters of a refusal, and of the name of a tool
_PORTION = 16 * 1024  # characters to search for secrets at once
_TEXTS = ("reasoning_content", "reasoning", "content")


@dataclass(slots=True)
class BoundedText:
    """A text that comes in pieces, in bounded memory: many small pieces are kept as few large ones."""

    most: int  #: characters
    what: str  #: for the message
    blanks: int = 0  #: most characters of white space in a row; 0: no limit
    size: int = 0
    _blank: int = 0
    _blocks: list[str] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)

    def add(self, piece: str) -> None:
        """Adds a piece. Raises TooMuch."""
        self.size += len(piece)
        # guard: an answer is bounded -> if False:
        if self.size > self.most:
            raise TooMuch(f"wrote more than {self.most} characters of {self.what}")
        self._blank = self._blank + len(piece) if piece.isspace() else 0
        if self.blanks and self._blank > self.blanks:
            raise TooMuch(f"wrote nothing but white space for {self.blanks} characters")
        self._pieces.append(piece)
        if len(self._pieces) >= 4096:
            self._blocks.append("".join(self._pieces))
            self._pieces.clear()

    @property
    def text(self) -> str:
        return "".join((*self._blocks, *self._pieces))


def portions(chunk: Any) -> Iterator[Any]:
    """Splits a chunk, so that each part is searched in a moment; nearly always it is one part."""
    for choice in items(entry(standard_chunk(chunk), "choices")):
        delta = entry(choice, "delta")
        for name in _TEXTS:
            said = text(delta, name)
            for at in range(0, len(said) - _PORTION, _PORTION):
                yield {"choices": [{"delta": {name: said[at : at + _PORTION], "whole": entry(delta, "whole")}}]}
                delta[name] = said[at + _PORTION :]
    yield chunk


class PartialAnswer:
    """The answer that an endpoint has sent so far. Its form is never trusted, and secrets are hidden as it comes."""

    def __init__(self, secrets: Secrets | None = None, bounds: Bounds | None = None) -> None:
        bounds, hiding = bounds or Bounds(), secrets or Secrets()
        self.bounds = bounds
        self._written = BoundedText(most=bounds.chars, what="text", blanks=bounds.blanks)
        self._thought = BoundedText(most=bounds.chars, what="thinking", blanks=bounds.blanks)
        self._text_stream: SecretStream = hiding.stream()
        self._thought_stream: SecretStream = hiding.stream()
        self._hiding = hiding
        self.refusal = ""  #: the model's words instead of an answer
        self.tool: str | None = None  #: the first tool it called; none is ever offered
        self.finish_reason: str | None = None
        self.streamed = Streamed()
        self.has_begun = False
        self._came_in_pieces = False

    def take(self, chunk: Any, on_delta: OnDelta) -> bool:
        """Takes a chunk, and tells whether it brought anything. Raises TooMuch."""
        is_first, self.has_begun = not self.has_begun, True
        brought = is_first
        for counts in counts_in(chunk):
            self.streamed.counts = counts.or_else(self.streamed.counts)
            brought = True
        for choice in items(entry(chunk, "choices")):
            brought = self._take_choice(choice, on_delta) or brought
        return brought

    def end(self, on_delta: OnDelta) -> None:
        """Ends the answer: passes on the text that was held back because it might have been a secret."""
        self._pass_on(self._thought_stream.end(), on_delta)
        self._pass_on_text(self._text_stream.end(), on_delta)

    def _take_choice(self, choice: Any, on_delta: OnDelta) -> bool:
        delta = entry(choice, "delta")
        if entry(delta, "whole"):
            delta = {} if self._came_in_pieces else delta
        # Some endpoints send the reasoning under both names.
        if reasoning := text(delta, "reasoning_content") or text(delta, "reasoning"):
            self.streamed.add(reasoning, is_thought=True)
            self._thought.add(reasoning)
            self._pass_on(self._thought_stream.feed(reasoning), on_delta)
        if content := text(delta, "content"):
            self._came_in_pieces = self._came_in_pieces or not entry(delta, "whole")
            self.streamed.add(content)
            self._pass_on(self._thought_stream.end(), on_delta)
            # guard: no key in what a model streams -> self._pass_on_text(content, on_delta)
            self._pass_on_text(self._text_stream.feed(content), on_delta)
        # guard: what is no answer is cut before it is counted -> most = None
        most = self.bounds.event_bytes  # an answer in one JSON may have more, and neither is an answer
        refusal, calls = text(delta, "refusal")[:most], items(entry(delta, "tool_calls"))
        self.refusal = (self.refusal + refusal)[:_MAX_REFUSAL]
        self.streamed.add(refusal)
        for call in calls:
            self.streamed.add(text(entry(call, "function"), "arguments")[:most])
            self.tool = self.tool or text(entry(call, "function"), "name")[:_MAX_REFUSAL]
        finish = finish_of(text(choice, "finish_reason")[:MAX_SHOWN_CHARS])
        self.finish_reason = finish or self.finish_reason
        self.streamed.is_whole = self.finish_reason is not None
        return bool(reasoning or content or refusal or calls or finish)

    def _pass_on_text(self, piece: str, on_delta: OnDelta) -> None:
        if piece:
            self._written.add(piece)
            on_delta(piece)

    def _pass_on(self, piece: str, on_delta: OnDelta) -> None:
        if piece:
            on_delta(piece)

    def answer(self, who: str) -> ModelAnswer:
        """Returns the whole answer. Raises ModelFailure when it is none; `who` is the model, for the message."""
        problem = self._problem(who)
        if problem is not None:
            raise problem
        # guard: thoughts are no answer -> given = parted(self._written.text.join((chr(0), chr(0))))
        given = parted(self._written.text)
        if given.is_open:
            raise ModelFailure.transient(f"{who} gave thoughts and no answer")
        return ModelAnswer(
            text=given.answer,
            finish_reason=self.finish_reason or "",
        )

    def _problem(self, who: str) -> ModelFailure | None:
        if self.finish_reason is None:
            return ModelFailure.transient(f"{who} broke off its answer: it ended without a finish_reason")
        if self.finish_reason == STOPPED_AT_LIMIT:
            return ModelFailure.too_small(f"{who} stopped at its limit of output tokens: {MORE_TOKENS}")
        if self.finish_reason == FILTERED:
            return ModelFailure.permanent(f"{who} refused: its content filter stopped the answer")
        if self.tool is not None or self.finish_reason == CALLED_A_TOOL:
            named = f' "{self._shown(self.tool)}"' if self.tool else ""
            return ModelFailure.transient(f"{who} called a tool{named}, though none was offered")
        if self.finish_reason == FAULT:
            return ModelFailure.transient(f'{who} broke off its answer with finish_reason "{self.finish_reason}"')
        if self.refusal and not self._written.size:
            return ModelFailure.permanent(f"{who} refused: {self._shown(self.refusal)}")
        # guard: only ends that are known are whole -> if False:
        if self.finish_reason != WHOLE:
            ended = self._shown(self.finish_reason)
            return ModelFailure.transient(
                f'{who} ended its answer with finish_reason "{ended}", which is none of the ends known to be good'
            )
        return None

    def _shown(self, said: str) -> str:
        """Shows words on one line, bounded. Secrets go first, for half of one is a secret too."""
        return " ".join(self._hiding.without(said).split())[:MAX_SHOWN_CHARS]
