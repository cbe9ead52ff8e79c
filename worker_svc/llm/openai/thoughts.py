"""Thoughts that a model leaves in its answer: told from the answer by the tags that are around them.

Servers that know a model send its thoughts apart. Others send them as text before the answer, in the tags of the
model's template, sometimes without the opening one, which was part of the prompt. Only what stands before the answer is
a thought: a document may speak of such tags, and show them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Opening and closing tags, as models are trained on them.
_PAIRS = (
    *((f"<{name}>", f"</{name}>") for name in ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think")),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
)
#: What stands around the answer itself where a template has tags for that too.
_AROUND_ANSWERS = (
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<|start|>assistant<|channel|>final<|message|>", "<|return|>"),
    ("<|channel|>final<|message|>", "<|return|>"),
    ("<answer>", "</answer>"),
)
#: Tags that are also names of a document's own elements: with nothing behind them they are the document.
_ALSO_NAMES = frozenset({"<thought>", "<thoughts>", "<reasoning>"})
_CODE = re.compile(r"(?ms)^(`{3,}|~{3,}).*?(?:^\1|\Z)|`[^`\n]*`")


@dataclass(frozen=True, slots=True)
class AnswerAndThoughts:
    """An answer, and what was thought before it."""

    answer: str
    has_thoughts: bool
    is_open: bool = False  #: the thoughts never ended, so there is no answer


def parted(text: str) -> AnswerAndThoughts:
    """Takes the thoughts at the beginning of an answer off."""
    rest, found = text.lstrip(), False
    while (pair := _opened(rest)) is not None:
        opening, closing = pair
        end = _find(rest, closing)
        behind = rest[end + len(closing) :].lstrip() if end >= 0 else ""
        if opening in _ALSO_NAMES and not behind:
            break
        if end < 0:
            return AnswerAndThoughts("", has_thoughts=True, is_open=True)
        rest, found = behind, True
    if not found and (end := _end_of_unopened(text)) >= 0:
        rest, found = text[end:].lstrip(), True
    return AnswerAndThoughts(_bare(rest) if found else text, has_thoughts=found)


def _opened(text: str) -> tuple[str, str] | None:
    begin = text[:64].lower()
    return next((pair for pair in _PAIRS if begin.startswith(pair[0].lower())), None)


def _find(text: str, tag: str) -> int:
    found = re.search(re.escape(tag), text, re.IGNORECASE)
    return -1 if found is None else found.start()


def _end_of_unopened(text: str) -> int:
    """Where thoughts end whose opening tag was part of the prompt; -1: nowhere. A tag within code is only spoken of."""
    shown = _CODE.sub(lambda code: " " * len(code[0]), text)
    ends = []
    for opening, closing in _PAIRS[:-1]:  # the last one's closing tag ends other things too
        end = _find(shown, closing)
        if end >= 0 and _find(shown[:end], opening) < 0 and _stands_alone(shown, end, len(closing)):
            ends.append(end + len(closing))
    return max(ends, default=-1)


def _stands_alone(text: str, at: int, length: int) -> bool:
    """Whether a tag ends a line or has one to itself, as templates put it: prose goes on after it."""
    after = text[at + length :].lstrip(" \t")
    before = text[:at].rstrip(" \t")
    return after.startswith("\n") or before.endswith("\n") or not after


def _bare(answer: str) -> str:
    for opening, closing in _AROUND_ANSWERS:
        if answer.startswith(opening):
            return answer[len(opening) :].strip().removesuffix(closing).strip()
    return answer
