"""Searches for phrases as a reader does: at any place, at the beginning, at the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.form import within
from worker_svc.validate.checking.mentions import Mention, found_in
from worker_svc.validate.checking.parts import paragraphs
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed, prose_of, strings_of, text_of
from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.checking.text.scripts import is_of_word, is_spaceless

MAX_SHOWN = 80  # characters of a phrase, or of the text in its place, in a reason
_OPENING, _ENDING = " \"'([*_#>", " \"')]*_"  # may stand around a phrase at an end of the text
_APART = "\n\0\n"  # between the strings of JSON: no phrase stands in two of them
_MARKS = "*_`"  # phrases with one of them are compared with the text as it stands


def check_contains(check: plan_pb2.Check, content: bytes) -> None:
    if check.criterion:
        _check_mentions(check.contains, content)
        return
    wanted = check.contains
    texts: dict[bool, str] = {}
    problems = []
    for phrase in wanted.phrases:
        is_plain = not any(mark in phrase for mark in _MARKS)
        if is_plain not in texts:
            texts[is_plain] = _folded_strings(content, wanted.case_sensitive, marks=not is_plain)
        found = sum(1 for _ in _places(_sought(phrase, wanted.case_sensitive), texts[is_plain], wanted.whole_words))
        try:
            within(found, wanted.min_occurrences, _most(wanted), f"occurrences of {_shown(phrase)}")
        except CheckFailed as failed:
            problems.append(str(failed))
        else:
            if wanted.any:
                return
    if problems:
        raise CheckFailed("; ".join(problems))


def _folded_strings(content: bytes, case_sensitive: bool, *, marks: bool) -> str:
    """Returns the text to search: of JSON, its strings and keys, kept apart."""
    return folded(_APART.join(strings_of(content, keys=True)), case_sensitive=case_sensitive, marks=marks)


def _check_mentions(wanted: plan_pb2.ContainsCheck, content: bytes) -> None:
    """Decides whether phrases are mentioned, or are not. Raises CheckBroken when that takes a judge."""
    is_absent = wanted.HasField("max_occurrences") and wanted.max_occurrences == 0
    for phrase in wanted.phrases:
        found = _mentioned(phrase, content, wanted.case_sensitive)
        # guard: a phrase inside another word is left to the judge -> if False:
        if found is Mention.INSIDE or (found is Mention.NAME and not is_absent):
            raise CheckBroken(f"cannot tell: {_shown(phrase)} stands in the text, but not as a word of its own")
        if is_absent and found is not Mention.NOWHERE:
            raise CheckFailed(f"expected no {_shown(phrase)}, but the text has it")
        if not is_absent and found is Mention.NOWHERE:
            raise CheckFailed(f"expected {_shown(phrase)}, but the text does not have it")


def _mentioned(phrase: str, content: bytes, case_sensitive: bool) -> Mention:
    """Returns how a phrase stands in a candidate. In JSON, only strings count for sure; a key may not be meant."""
    text, strings = text_of(content), strings_of(content)
    best = found_in(_APART.join(strings), phrase, case_sensitive=case_sensitive)
    if best is not Mention.NOWHERE or strings == [text] or not any(map(is_of_word, phrase)):
        return best
    others = _APART.join((*strings_of(content, keys=True), text))
    return Mention.INSIDE if found_in(others, phrase, case_sensitive=case_sensitive) else Mention.NOWHERE


def check_starts_with(check: plan_pb2.Check, content: bytes) -> None:
    wanted = check.starts_with
    text = _paragraph(prose_of(content), wanted.paragraph) if wanted.paragraph else prose_of(content)
    phrase, text = _sought(wanted.phrase, wanted.case_sensitive), _compared(text, wanted.phrase, wanted.case_sensitive)
    for start in dict.fromkeys((0, len(text) - len(text.lstrip(_OPENING)))):
        if text.startswith(phrase, start) and not (wanted.whole_words and _goes_on(text, start + len(phrase))):
            return
    where = f"paragraph {wanted.paragraph}" if wanted.paragraph else "the text"
    raise CheckFailed(f"expected {where} to start with {_shown(wanted.phrase)}, but it starts with {_shown(text)}")


def check_ends_with(check: plan_pb2.Check, content: bytes) -> None:
    wanted = check.ends_with
    phrase = _sought(wanted.phrase, wanted.case_sensitive)
    text = _compared(prose_of(content), wanted.phrase, wanted.case_sensitive)
    for end in dict.fromkeys((len(text), len(text.rstrip(_ENDING)))):
        start = end - len(phrase)
        if text.endswith(phrase, 0, end) and not (wanted.whole_words and _goes_on(text, start)):
            return
    shown = repr(text if len(text) <= MAX_SHOWN else f"…{text[-MAX_SHOWN:]}")
    raise CheckFailed(f"expected the text to end with {_shown(wanted.phrase)}, but it ends with {shown}")


def _sought(phrase: str, case_sensitive: bool) -> str:
    sought = folded(phrase, case_sensitive=case_sensitive, marks=True)
    if not sought:
        raise CheckBroken("there is no phrase to search for")
    return sought


def _compared(text: str, phrase: str, case_sensitive: bool) -> str:
    """Returns a text for comparison with the phrase: without emphasis, unless the phrase has marks itself."""
    is_plain = not any(mark in phrase for mark in _MARKS)
    return folded(text, case_sensitive=case_sensitive, marks=not is_plain)


def _paragraph(text: str, number: int) -> str:
    found = list(islice(paragraphs(text), number))
    if len(found) < number:
        raise CheckFailed(f"expected at least {number} paragraphs, but got {len(found)}")
    return found[-1]


def _places(phrase: str, text: str, whole_words: bool) -> Iterator[int]:
    """Yields the places of the phrase; those that overlap count once."""
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        is_word = not whole_words or not (_goes_on(text, at) or _goes_on(text, end))
        if is_word:
            yield at
        at = text.find(phrase, end if is_word else _next_edge(text, at))


def _next_edge(text: str, at: int) -> int:
    """Returns the next place after `at` that is not within a word: a whole word begins at none before it."""
    at += 1
    while _goes_on(text, at):
        at += 1
    return at


def _goes_on(text: str, at: int) -> bool:
    """Tells whether a place lies within a word. Scripts without spaces have no such places."""
    return 0 < at < len(text) and all(is_of_word(text[n]) and not is_spaceless(text[n]) for n in (at - 1, at))


def _most(wanted: plan_pb2.ContainsCheck) -> int | None:
    return wanted.max_occurrences if wanted.HasField("max_occurrences") else None


def _shown(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…")
