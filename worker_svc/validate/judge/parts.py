"""Candidates that are too long for one request: they are judged in parts, and the opinions on the parts merged.

    asks for something to be there     passes in one part: PASS; fails in all: FAIL
    a count whose unit code knows      code counts in the whole text
    order, consistency, other counts   no part can tell: ERROR
    everything else                    passes in all parts: PASS; fails in one: FAIL

Anything else is undecided. A criterion that fails in every part fails, whatever it asks for.
"""

from __future__ import annotations

from collections.abc import Sequence

from signoff.v1 import execution_pb2
from worker_svc.prompts.messages import MAX_TOTAL_CHARS
from worker_svc.validate.invisible import made_visible
from worker_svc.validate.judge import counting
from worker_svc.validate.judge.answer import Opinion
from worker_svc.validate.judge.criteria import Nature, is_across, is_in_one_place, nature_of

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR

MOST_PARTS = 20  # a novel; each is a request of about 50,000 tokens for each vote
OVERLAP_CHARS = 2_000  # a page: text across a border is whole in one of the parts
UTF8_MOST = 4  # bytes of a character


def parts_of(content: bytes, most: int = MAX_TOTAL_CHARS) -> tuple[str, ...]:
    """Returns the text in parts that fit a request each. Empty: there would be more than MOST_PARTS."""
    if len(content) > UTF8_MOST * most * MOST_PARTS:
        return ()
    text, parts, start = content.decode("utf-8", errors="replace"), list[str](), 0
    while True:
        end = _end_of_part(text, start, most)
        parts.append(text[start:end])
        if end >= len(text):
            return tuple(parts)
        if len(parts) == MOST_PARTS:
            return ()
        start = _start_of_next(text, end, min(OVERLAP_CHARS, (end - start) // 4))


def _end_of_part(text: str, start: int, most: int) -> int:
    """Returns the end of a part: at the end of a line, if there is one in the part's last tenth."""
    size = most
    while (shown := len(made_visible(text[start : start + size]))) > most:
        size = size * most // (shown + 1)  # invisible characters take the space of their marks
    end = start + size
    if end >= len(text):
        return len(text)
    line_end = text.rfind("\n", end - size // 10, end)
    return line_end + 1 if line_end >= 0 else end


def _start_of_next(text: str, end: int, overlap: int) -> int:
    """Returns the start of the next part: a little before the end, at the beginning of a line if there is one."""
    begin = end - overlap
    line_end = text.find("\n", begin - 1, end - 1)
    return line_end + 1 if line_end >= 0 else begin


def merged(criterion: str, opinions: Sequence[Opinion], text: str) -> Opinion:
    """Merges the opinions on the parts of a text."""
    if nature_of(criterion) is Nature.AMOUNT and (decided := _counted(criterion, text)) is not None:
        return decided
    passed, failed = _of(opinions, PASS), _of(opinions, FAIL)
    if is_across(criterion):
        return Opinion(outcome=ERROR, reason=f"no part of {len(opinions)} can tell it of the whole candidate")
    if is_in_one_place(criterion) and passed:
        return _said(PASS, passed, opinions)
    if is_in_one_place(criterion):
        return _said(FAIL, failed, opinions) if len(failed) == len(opinions) else _unsure(opinions)
    if failed:
        is_sure = nature_of(criterion) in (Nature.FORBIDS, Nature.WHOLE) or len(failed) == len(opinions)
        return _said(FAIL, failed, opinions) if is_sure else _unsure(opinions)
    return _said(PASS, passed, opinions) if len(passed) == len(opinions) else _unsure(opinions)


def _counted(criterion: str, text: str) -> Opinion | None:
    """Decides by counting in the whole text; None: code does not know the unit, or its ways to count disagree."""
    subject = counting.subject_of(criterion)
    counts, is_rough = counting.counts_of(text, subject, criterion)
    allowed = {counting.allows(criterion, count) for count in counts}
    if len(allowed) != 1 or None in allowed or is_rough:
        return None
    found = " or ".join(map(str, sorted(counts)))
    return Opinion(outcome=PASS if True in allowed else FAIL, reason=f"code counts {found} {subject}")


def _of(opinions: Sequence[Opinion], outcome: execution_pb2.Outcome.ValueType) -> list[tuple[int, Opinion]]:
    return [(number, opinion) for number, opinion in enumerate(opinions, 1) if opinion.outcome == outcome]


def _said(
    outcome: execution_pb2.Outcome.ValueType, deciding: Sequence[tuple[int, Opinion]], opinions: Sequence[Opinion]
) -> Opinion:
    number, first = deciding[0]
    worthwhile = any(opinion.retry_worthwhile for _, opinion in deciding)
    reason = f"part {number} of {len(opinions)}: {first.reason}"
    return Opinion(outcome=outcome, reason=reason, retry_worthwhile=worthwhile)


def _unsure(opinions: Sequence[Opinion]) -> Opinion:
    passed, failed = len(_of(opinions, PASS)), len(_of(opinions, FAIL))
    unsure = _of(opinions, ERROR)
    why = f"; part {unsure[0][0]}: {unsure[0][1].reason}" if unsure else ""
    count = f"of {len(opinions)} parts {passed} passed it, {failed} failed it, {len(unsure)} could not tell"
    return Opinion(outcome=ERROR, reason=f"{count}{why}")
