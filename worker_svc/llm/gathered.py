"""An answer while it comes: the pieces of a stream, and what is known at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from signoff.secrets import Secrets, SecretStream
from worker_svc.llm.bounds import Bounds, TooMuch
from worker_svc.llm.port import ModelAnswer, ModelFailure, OnDelta

#: Ends that an endpoint itself calls a fault of its own, DeepSeek and OpenRouter among them.
_FAULTS = frozenset({"error", "insufficient_system_resource"})
_MAX_SHOWN_CHARS = 500
_MAX_REFUSAL = 8 * 1024  # characters that are kept of a refusal, and of the name of a tool
_PORTION = 16 * 1024  # characters that are searched for secrets at once
_TEXTS = ("reasoning_content", "reasoning", "content")
_MOST_ENTRIES = 8  # of a list in a chunk: one choice was asked for
_MOST_TOKENS = 2**48  # more than any model writes: what is above is no count
_CHARS_PER_TOKEN = 4  # a common rule of thumb, for what an endpoint has not counted


@dataclass(slots=True)
class Written:
    """A text that comes in pieces, in bounded memory: many small pieces are kept as few large ones."""

    most: int  #: characters
    what: str  #: for the message
    blanks: int = 0  #: most characters of white space in a row; 0: as many as there are
    size: int = 0
    _blank: int = 0
    _blocks: list[str] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)

    def add(self, piece: str) -> None:
        """One more piece. Raises TooMuch."""
        self.size += len(piece)
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
    """A chunk in as many as it takes for each to be searched in a moment; nearly always it is one itself."""
    for choice in _items(_entry(chunk, "choices")):
        delta = _entry(choice, "delta")
        for name in _TEXTS:
            text = _text(delta, name)
            for at in range(0, len(text) - _PORTION, _PORTION):
                yield {"choices": [{"delta": {name: text[at : at + _PORTION]}}]}
                delta[name] = text[at + _PORTION :]
    yield chunk


class Gathered:
    """What an endpoint has sent so far; nothing of it is taken for granted. Secrets are hidden as it comes."""

    def __init__(self, secrets: Secrets | None = None, bounds: Bounds | None = None) -> None:
        bounds, hiding = bounds or Bounds(), secrets or Secrets()
        self.bounds = bounds
        self._written = Written(most=bounds.chars, what="text", blanks=bounds.blanks)
        self._thought = Written(most=bounds.chars, what="thinking", blanks=bounds.blanks)
        self._telling: SecretStream = hiding.stream()
        self._thinking: SecretStream = hiding.stream()
        self._hiding = hiding
        self.refusal = ""  #: what the model said in place of an answer
        self.tool: str | None = None  #: the first tool it called; none is ever offered
        self.finish_reason: str | None = None
        self.input_tokens = 0
        self.output_tokens = 0
        self.has_begun = False

    @property
    def spent(self) -> int:
        """Tokens of output: as counted, else what has come, estimated."""
        return self.output_tokens or -(-(self._written.size + self._thought.size) // _CHARS_PER_TOKEN)

    def take(self, chunk: Any, on_delta: OnDelta) -> bool:
        """One chunk. Whether it brought anything. Raises TooMuch."""
        is_first, self.has_begun = not self.has_begun, True
        brought = is_first
        usage = _entry(chunk, "usage")
        if isinstance(usage, dict):
            self.input_tokens = _count(usage.get("prompt_tokens")) or self.input_tokens
            self.output_tokens = _count(usage.get("completion_tokens")) or self.output_tokens
            brought = True
        for choice in _items(_entry(chunk, "choices")):
            brought = self._take_choice(choice, on_delta) or brought
        return brought

    def end(self, on_delta: OnDelta) -> None:
        """Nothing more comes: what was held back, because it might have been a secret, is told."""
        self._tell(self._thinking.end(), on_delta)
        self._tell_text(self._telling.end(), on_delta)

    def _take_choice(self, choice: Any, on_delta: OnDelta) -> bool:
        delta = _entry(choice, "delta")
        # Some endpoints send the reasoning under both names.
        if reasoning := _text(delta, "reasoning_content") or _text(delta, "reasoning"):
            self._thought.add(reasoning)
            self._tell(self._thinking.feed(reasoning), on_delta)
        if content := _text(delta, "content"):
            self._tell(self._thinking.end(), on_delta)
            self._tell_text(self._telling.feed(content), on_delta)
        refusal, calls = _text(delta, "refusal"), _items(_entry(delta, "tool_calls"))
        self.refusal = (self.refusal + refusal)[:_MAX_REFUSAL]
        for call in calls:
            self.tool = self.tool or _text(_entry(call, "function"), "name")[:_MAX_REFUSAL]
        finish = _text(choice, "finish_reason")[:_MAX_SHOWN_CHARS]
        self.finish_reason = finish or self.finish_reason
        return bool(reasoning or content or refusal or calls or finish)

    def _tell_text(self, piece: str, on_delta: OnDelta) -> None:
        if piece:
            self._written.add(piece)
            on_delta(piece)

    def _tell(self, piece: str, on_delta: OnDelta) -> None:
        if piece:
            on_delta(piece)

    def answer(self, who: str) -> ModelAnswer:
        """The whole of it. Raises ModelFailure when that is no answer; `who` is the model, for the message."""
        problem = self._problem(who)
        if problem is not None:
            raise problem
        return ModelAnswer(
            text=self._written.text,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            finish_reason=self.finish_reason or "",
        )

    def _problem(self, who: str) -> ModelFailure | None:
        if self.finish_reason is None:
            return ModelFailure.transient(f"{who} broke off its answer: it ended without a finish_reason")
        if self.finish_reason == "length":
            return ModelFailure.permanent(
                f"{who} stopped at its limit of output tokens: raise max_tokens, or the limit where the model is "
                "served, or split the task"
            )
        if self.finish_reason == "content_filter":
            return ModelFailure.permanent(f"{who} refused: its content filter stopped the answer")
        if self.tool is not None or self.finish_reason in {"tool_calls", "function_call"}:
            named = f' "{self._shown(self.tool)}"' if self.tool else ""
            return ModelFailure.transient(f"{who} called a tool{named}, though none was offered")
        if self.finish_reason in _FAULTS:
            return ModelFailure.transient(f'{who} broke off its answer with finish_reason "{self.finish_reason}"')
        if self.refusal and not self._written.size:
            return ModelFailure.permanent(f"{who} refused: {self._shown(self.refusal)}")
        return None

    def _shown(self, said: str) -> str:
        """On one line, bounded, without secrets: these first, for half of one is a secret too."""
        return " ".join(self._hiding.without(said).split())[:_MAX_SHOWN_CHARS]


def _entry(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _items(value: object) -> list[Any]:
    return value[:_MOST_ENTRIES] if isinstance(value, list) else []


def _text(part: object, name: str) -> str:
    value = _entry(part, name)
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS else 0
