"""An answer while it comes: the pieces of a stream, and what is known at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from worker_svc.llm.port import ModelAnswer, ModelFailure, OnDelta

#: Ends that an endpoint itself calls a fault of its own, DeepSeek and OpenRouter among them.
_FAULTS = frozenset({"error", "insufficient_system_resource"})
_MAX_SHOWN_CHARS = 500


@dataclass(slots=True)
class Gathered:
    """The library does not check what an endpoint sends, so nothing is taken for granted here."""

    pieces: list[str] = field(default_factory=list)
    refusal: str = ""  #: what the model said in place of an answer
    tool: str | None = None  #: the first tool it called; none is ever offered
    finish_reason: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    has_begun: bool = False

    def take(self, chunk: Any, on_delta: OnDelta) -> None:
        """One chunk."""
        self.has_begun = True
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self.input_tokens = _count(getattr(usage, "prompt_tokens", 0))
            self.output_tokens = _count(getattr(usage, "completion_tokens", 0))
        for choice in _items(getattr(chunk, "choices", None)):
            self._take_choice(choice, on_delta)

    def _take_choice(self, choice: Any, on_delta: OnDelta) -> None:
        delta = getattr(choice, "delta", None)
        # Some endpoints send the reasoning under both names.
        if reasoning := _text(delta, "reasoning_content") or _text(delta, "reasoning"):
            on_delta(reasoning)
        if content := _text(delta, "content"):
            self.pieces.append(content)
            on_delta(content)
        self.refusal += _text(delta, "refusal")
        for call in _items(getattr(delta, "tool_calls", None)):
            self.tool = self.tool or _text(getattr(call, "function", None), "name")
        self.finish_reason = _text(choice, "finish_reason") or self.finish_reason

    def answer(self, who: str) -> ModelAnswer:
        """The whole of it. Raises ModelFailure when that is no answer; `who` is the model, for the message."""
        problem = self._problem(who)
        if problem is not None:
            raise problem
        return ModelAnswer(
            text="".join(self.pieces),
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
            named = f' "{self.tool[:_MAX_SHOWN_CHARS]}"' if self.tool else ""
            return ModelFailure.transient(f"{who} called a tool{named}, though none was offered")
        if self.finish_reason in _FAULTS:
            return ModelFailure.transient(f'{who} broke off its answer with finish_reason "{self.finish_reason}"')
        if self.refusal and not self.pieces:
            return ModelFailure.permanent(f"{who} refused: {' '.join(self.refusal.split())[:_MAX_SHOWN_CHARS]}")
        return None


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(part: object, name: str) -> str:
    value = getattr(part, name, None)
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
