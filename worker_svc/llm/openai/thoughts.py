"""Separates thoughts that a model leaves in its answer, by the tags around them.

Servers that know a model send its thoughts apart. Others send them as text before the answer, in the tags of the
model's template, sometimes without the opening tag, which was part of the prompt. Only text before the answer is a
thought: a document may speak of such tags, and show them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Opening and closing tags that models are trained on.
_PAIRS = (
    *((f"<{name}>", f"</{name}>") for name in ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think")),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
)
#: Tags around the answer itself, in templates that have them too.
_AROUND_ANSWERS = (
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<|start|>assistant<|channel|>final<|message|>", "<|return|>"),
    ("<|channel|>final<|message|>", "<|return|>"),
    ("<answer>", "</answer>"),
)
#: Tags that may be a document's own elements: when nothing follows them, they are the document.
_ALSO_NAMES = frozenset({"<thought>", "<thoughts>", "<reasoning>"})
_NO_SPACE = re.compile(r"\S")
_CODE = re.compile(r"(?ms)^(`{3,}|~{3,}).*?(?:^\1|\Z)|`[^`\n]*`")


@dataclass(frozen=True, slots=True)
class AnswerAndThoughts:
    """An answer without its thoughts."""

    answer: str
    has_thoughts: bool
    is_open: bool = False  #: the thoughts never ended, so there is no answer


def parted(text: str) -> AnswerAndThoughts:
    """Takes off the thoughts at the beginning of an answer."""
    at, found = _after_space(text, 0), False  # a place, for a copy of the rest behind each thought adds up
    while (pair := _opened(text, at)) is not None:
        opening, closing = pair
        end = _find(text, closing, at)
        behind = _after_space(text, end + len(closing)) if end >= 0 else len(text)
        if opening in _ALSO_NAMES and behind == len(text):
            break
        if end < 0:
            return AnswerAndThoughts("", has_thoughts=True, is_open=True)
        at, found = behind, True
    if not found and (end := _end_of_unopened(text)) >= 0:
        at, found = _after_space(text, end), True
    return AnswerAndThoughts(_bare(text[at:]) if found else text, has_thoughts=found)


def _after_space(text: str, at: int) -> int:
    found = _NO_SPACE.search(text, at)
    return len(text) if found is None else found.start()


def _opened(text: str, at: int) -> tuple[str, str] | None:
    begin = text[at : at + 64].lower()
    return next((pair for pair in _PAIRS if begin.startswith(pair[0].lower())), None)


def _find(text: str, tag: str, at: int = 0) -> int:
    found = re.compile(re.escape(tag), re.IGNORECASE).search(text, at)
    return -1 if found is None else found.start()


def _end_of_unopened(text: str) -> int:
    """Returns the end of thoughts whose opening tag was in the prompt, or -1. Tags in code do not count."""
    shown = _CODE.sub(lambda code: " " * len(code[0]), text)
    ends = []
    for opening, closing in _PAIRS[:-1]:  # the last one's closing tag ends other things too
        end = _find(shown, closing)
        if end >= 0 and _find(shown[:end], opening) < 0 and _stands_alone(shown, end, len(closing)):
            ends.append(end + len(closing))
    return max(ends, default=-1)


def _stands_alone(text: str, at: int, length: int) -> bool:
    """Tells whether a tag ends a line or has one to itself, as templates put it: in prose, text would follow."""
    after = text[at + length :].lstrip(" \t")
    before = text[:at].rstrip(" \t")
    return after.startswith("\n") or before.endswith("\n") or not after


def _bare(answer: str) -> str:
    for opening, closing in _AROUND_ANSWERS:
        if answer.startswith(opening):
            return answer[len(opening) :].strip().removesuffix(closing).strip()
    return answer
