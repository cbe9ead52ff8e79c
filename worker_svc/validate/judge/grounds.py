"""The evidence of a verdict, and the reasons why a pass cannot rest on it.

Evidence has a kind (criteria.Ground). The criterion decides which kinds count, and code verifies each as far as it can:

    quotes    every quotation stands in the candidate, and one of them is long enough
    absence   the thing said to be missing is not in the candidate
    count     code counts again when it knows the unit; of other things, some must be quoted
    whole     code cannot verify it, so it never counts alone for something that must be there, but in pictures

Models that ignore the schema give a string or a list of quotations; both are read when they have only one meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.checking.text.scripts import is_spaceless
from worker_svc.validate.judge import counting
from worker_svc.validate.judge.criteria import Ground, Nature, allowed_for, is_about_pictures, nature_of
from worker_svc.validate.judge.evidence import Quotable, is_nothing, quoted_in, words_in

MOST_QUOTES = 20  # more are no evidence
MOST_QUOTE_CHARS = 4_000  # of one quotation, a subject or a text; a longer one is no evidence
_MOST_SHOWN = 300  # characters of a quotation in a reason

_KINDS = {
    "quotes": Ground.QUOTES, "quote": Ground.QUOTES, "quotation": Ground.QUOTES, "quotations": Ground.QUOTES,
    "absence": Ground.ABSENCE, "absent": Ground.ABSENCE, "missing": Ground.ABSENCE,
    "count": Ground.COUNT, "counts": Ground.COUNT,
    "whole": Ground.WHOLE,
}  # fmt: skip
_ABSENCE = re.compile(
    r"^(?:(?:there (?:is|are|were|was)|it (?:has|contains|uses|mentions|gives|makes|includes)|i (?:found|see|saw)"
    r"|the (?:text|candidate|output|document|report|answer) (?:has|contains|uses|mentions|makes|includes|gives)) )?"
    r"(?:no|none|nothing|not any|zero|neither)\b|\b(?:not|never) (?:found|present|mentioned|used|included|there"
    r"|appear)|\bnowhere\b"
    r"|\b(?:is|are) (?:absent|missing)\b|\babsence of\b|\b(?:does|do|did|is|are|was|were|has|have)(?: not|n't)\b"
    r"|^without\b|\bfree of\b|\bnever\b|\bno such\b"
    r"|未(?:提及|提到|出现|发现|包含|使用|见|涉及)|没有|不(?:包含|含|存在|提及|涉及)|无(?:任何)?"
)
_NAMED = re.compile(
    r"\b(?:mentions? of|occurrences? of|instances? of|trace of|absence of|references? to|sign of|free of) (?:the "
    r"|a |an |any )?(.+?)"
    r"(?: (?:was|is|were|are|anywhere|in the|found|at all|could|present|appears?)\b.*)?$"
    r"|(?:未(?:提及|提到|出现|发现|包含|使用|见|涉及)|没有(?:提到|提及|出现|使用)?|不(?:包含|含|存在|提及|涉及)"
    r"|无任何)(.+)$"
)
_ALL_OF_IT = re.compile(
    r"^(?:all|every|each|the tone|the style|the language)\b|\b(?:whole|entire|throughout|overall|consistently)\b"
    r"|全文|整篇|整体|通篇|全部|始终|均|每"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence of a verdict."""

    kind: Ground | None = None  #: None: it is not stated
    quotes: tuple[str, ...] = ()
    subject: str = ""  #: the thing that is absent, or counted
    count: int | None = None
    text: str = ""  #: evidence of a model that knows of no kinds

    @property
    def in_words(self) -> str:
        """Returns the evidence for a reader; empty: there is none."""
        if self.text or self.quotes:
            quoted = " … ".join(self.quotes)
            return f"“{self.text or quoted}”" + (f", {self.count} {self.subject}".rstrip() if self.count else "")
        if self.kind is Ground.ABSENCE and self.subject:
            return f"no “{self.subject}”"
        if self.kind is Ground.COUNT and self.count is not None:
            return f"{self.count} {self.subject}".strip()
        return ""


def evidence_of(value: object) -> Evidence:
    """Reads evidence in any of its forms."""
    match value:
        case Mapping():
            return _of_fields({str(key).strip().casefold(): item for key, item in value.items()})
        case list():
            return Evidence(quotes=tuple(quote for quote in map(said, value) if not is_nothing(quote)))
        case _:
            text = said(value)
            return Evidence(text="" if is_nothing(text) else text)


def said(value: object) -> str:
    """Returns any value as text that a message can carry."""
    text = "" if value is None or value is False else str(value)
    return text.encode(errors="replace").decode()


def _of_fields(fields: Mapping[str, Any]) -> Evidence:
    quotes = fields.get("quotes", fields.get("quote", ()))
    quotes = quotes if isinstance(quotes, list) else [quotes] if quotes else []
    count = fields.get("count")
    subject = said(fields.get("subject"))
    return Evidence(
        kind=_KINDS.get(said(fields.get("kind")).strip().casefold()),
        quotes=tuple(quote for quote in map(said, quotes) if not is_nothing(quote)),
        subject="" if is_nothing(subject) else subject,
        count=int(count)
        if isinstance(count, (int, float)) and not isinstance(count, bool) and count == count // 1
        else None,
    )


def unproven(evidence: Evidence, criterion: str, quotable: Quotable, *, has_pictures: bool = False) -> str:
    """Says why a pass cannot rest on the evidence; empty: it can.

    `has_pictures`: the judge has seen pictures, which cannot be quoted.
    """
    # guard: evidence is short enough to be looked for -> if False:
    if max(map(len, (evidence.text, evidence.subject, *evidence.quotes))) > MOST_QUOTE_CHARS:
        return f"a quotation or a subject of more than {MOST_QUOTE_CHARS:,} characters"
    # guard: only what pictures show needs no quotation -> if has_pictures and evidence.kind is Ground.WHOLE:
    if has_pictures and _is_seen(evidence, criterion, quotable):
        return ""
    if evidence.text:
        return _unproven_words(evidence.text, criterion, quotable)
    if len(evidence.quotes) > MOST_QUOTES:
        return f"more than {MOST_QUOTES} quotations"
    allowed = allowed_for(criterion)
    if evidence.kind is Ground.ABSENCE and Ground.ABSENCE in allowed:
        return _unproven_absence(evidence.subject, quotable)  # its quotations, if any, name the absent thing
    for quote in evidence.quotes:
        if not quotable.has(quote):
            return f"a quotation that is not in the candidate: {_shown(quote)}"
    if evidence.kind is Ground.COUNT and Ground.COUNT in allowed and evidence.count is not None:
        return _unproven_count(evidence, criterion, quotable)
    if evidence.quotes:
        return _too_short(evidence.quotes, criterion, quotable)
    # guard: only a criterion that forbids is shown by absence -> if evidence.kind is not Ground.COUNT:
    if allowed & {Ground.ABSENCE, Ground.WHOLE} and evidence.kind is not Ground.COUNT:
        return ""
    return "no quotation of the candidate that shows it"


def _is_seen(evidence: Evidence, criterion: str, quotable: Quotable) -> bool:
    """Tells whether a pass rests on pictures alone, and may: the criterion is about them, or there is no text."""
    if evidence.kind is not Ground.WHOLE or evidence.quotes or evidence.text:
        return False
    return is_about_pictures(criterion) or not quotable.text.strip()


def _unproven_words(text: str, criterion: str, quotable: Quotable) -> str:
    """Does the same for evidence that is a string."""
    allowed = allowed_for(criterion)
    if Ground.ABSENCE in allowed and _ABSENCE.search(folded(text)) and not quotable.holds(text):
        return next(filter(None, (_unproven_absence(name, quotable) for name in _named_absent(text))), "")
    if quotable.has(text):
        return _too_short((text,), criterion, quotable)
    if Ground.COUNT in allowed and (claim := counting.claim_in(text)) is not None:
        counted = Evidence(kind=Ground.COUNT, count=claim[0], subject=claim[1], quotes=quoted_in(text))
        return _unproven_count(counted, criterion, quotable)
    if Ground.WHOLE in allowed and _ALL_OF_IT.search(folded(text)) and all(map(quotable.has, quoted_in(text))):
        return ""
    return f"a quotation that is not in the candidate: {_shown(text)}"


def _too_short(quotes: tuple[str, ...], criterion: str, quotable: Quotable) -> str:
    """Says why quotations are too short: a word or two stand in most texts by chance.

    A name that the criterion asks for is long enough.
    """
    if nature_of(criterion) is Nature.FORBIDS or Ground.WHOLE in allowed_for(criterion):
        return ""
    if any(quotable.shows(quote) or _is_asked_for(quote, criterion) for quote in quotes):
        return ""
    return f"a quotation that is too short to show it: {_shown(quotes[0])}"


_MENTIONS = re.compile(r"\b(?:mention|contain|include|refer to|refers to|say|use)s?\b|提到|提及|包含|包括|含有")
_LEAST_LETTERS = 4  # of a word that says something by itself, in scripts with spaces


def _is_asked_for(quote: str, criterion: str) -> bool:
    """Tells whether a criterion asks for these very words to be there."""
    about = folded(criterion)
    says_something = len(quote) >= _LEAST_LETTERS or not quote.islower()
    return says_something and words_in(quote) > 0 and _MENTIONS.search(about) is not None and _has_word(about, quote)


def _unproven_absence(subject: str, quotable: Quotable) -> str:
    if subject and _has_word(folded(quotable.text), subject):
        return f"what is said to be absent, but is there: {_shown(subject)}"
    return ""


def _named_absent(text: str) -> tuple[str, ...]:
    """Returns the things that a sentence says are not there, if it names any."""
    if quoted := quoted_in(text):
        return quoted
    found = _NAMED.search(folded(text).strip(" .。"))
    return (next(filter(None, found.groups())).strip(" .。"),) if found is not None else ()


def _has_word(text: str, words: str) -> bool:
    """Tells whether folded text has the words, not only inside of others. Scripts without spaces have no bounds."""
    wanted = folded(words).strip(" .,;:!?。，\"'")
    if not wanted:
        return False
    before = "" if is_spaceless(wanted[0]) or not wanted[0].isalnum() else r"(?<!\w)"
    after = "" if is_spaceless(wanted[-1]) or not wanted[-1].isalnum() else r"(?!\w)"
    return re.search(f"{before}{re.escape(wanted)}{after}", text) is not None


def _unproven_count(evidence: Evidence, criterion: str, quotable: Quotable) -> str:
    claimed = evidence.count or 0
    if counting.allows(criterion, claimed) is False:
        return f"a count that the criterion does not allow: {claimed}"
    counts, is_rough = counting.counts_of(quotable.text, evidence.subject, criterion)
    if counts:
        if counting.is_one_of(claimed, counts, is_rough=is_rough):
            return ""
        found = " or ".join(map(str, sorted(counts)))
        return f"a count that is wrong: {claimed} {evidence.subject}, but code counts {found}"
    for quote in evidence.quotes:
        if not quotable.has(quote):
            return f"a quotation that is not in the candidate: {_shown(quote)}"
    if not evidence.quotes:
        return f"a count without quotations of what was counted: {claimed} {_shown(evidence.subject)}"
    return ""


def _shown(words: str) -> str:
    return f"“{' '.join(words.split())[:_MOST_SHOWN]}”"
