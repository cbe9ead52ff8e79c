"""Reasons that contradict their pass: they say that the criterion fails.

The list is short on purpose. It reads statements about the criterion or the whole candidate. It passes over quotations,
concessions ("although it does not …") and denials ("nothing is missing").
"""

from __future__ import annotations

import re

from worker_svc.validate.checking.text.folding import folded

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|‘[^’]*’|「[^」]*」|『[^』]*』|«[^»]*»|`[^`]*`|(?<!\w)'[^']*'(?!\w)")
_SUBJECT = (
    r"(?:it|this|(?:the|this) (?:candidate|text|answer|output|document|author|response|criterion|requirement|essay"
    r"|report"
    r"|summary|article))"
)
_FAILS = re.compile(
    rf"^(?:{_SUBJECT} )?(?:clearly |therefore |thus )?fails?(?: because| as | since| to |:|\.|,|$)"
    rf"|\b{_SUBJECT} (?:clearly |therefore |thus )?fails? (?:because|to|the|this|on)\b"
    r"|\b(?:does not|doesn't|do not|did not|fails? to|cannot|can't) "
    r"(?:satisfy|meet|fulfil|fulfill|pass|comply with) (?:the |this |that )?(?:\w+ )?(?:criteri|requirement"
    r"|condition|$|because|as )"
    rf"|\b{_SUBJECT} (?:does not|doesn't) (?:satisfy|meet|fulfil|fulfill) it\b"
    r"|\b(?:criterion|requirement|condition) (?:\d+ )?(?:is|was) (?:not|n't) (?:met|satisfied|fulfilled)\b"
    r"|\b(?:is|was) not (?:met|satisfied|fulfilled)\b|^not (?:met|satisfied|fulfilled)\b"
    r"|\b(?:should|must|has to) (?:fail|be rejected|be failed)\b|\b(?:should|must|can) ?not (?:pass|be passed)\b"
    r"|(?<!不是)(?:不符合|不满足|未满足|未能满足|没有满足|不达标|未达到|不合格|没有达到)(?:该|本|此|这[条项个]|要求"
    r"|标准|条件|$|[,，。.])"
    r"|(?:^|[,，。.;；])(?:不通过|未通过|失败)"
)
#: By these, only a criterion that asks for something to be there fails.
_LACKS = re.compile(
    rf"\b{_SUBJECT} (?:does not|doesn't|never|fails to) "
    r"(?:contain|include|mention|name|state|say|give|list|cite|explain|describe|have|provide|define|address|show)\b"
    r"|\b(?:is|are) (?:missing|absent|nowhere to be found)\b|\bthere (?:is|are) no\b|\bno mention of\b"
    r"|(?:没有|未)(?:提到|提及|包含|说明|给出|列出|解释|出现)|缺少|缺失"
)
_CONCEDED = re.compile(
    r"\b(?:although|though|even if|while|despite|except|but|however|whereas|not only|yet)\b|虽然|尽管|即使|但|除了|不仅"
)
_DENIED = re.compile(
    r"\b(?:nothing|never|no|none|not|nor|any|without|neither|where|if|unless)\b[^.;]{0,30}$|(?:不|没有|并非"
    r"|无)[^。；]{0,6}$"
)
_CLAUSE = re.compile(r"[.;。；!！?？\n]+")
_MOST_CHARS = 4_000  # of a reason: its beginning says it


def says_it_fails(reason: str, *, asks_for_presence: bool, criterion: str = "") -> bool:
    """Tells whether a reason says that the criterion is not satisfied.

    `asks_for_presence`: the criterion fails when something is missing.
    """
    about = folded(criterion)
    for clause in _CLAUSE.split(folded(_QUOTED.sub(" x ", reason[:_MOST_CHARS]))):
        if _is_stated(_FAILS, clause.strip(), about):
            return True
        if asks_for_presence and _is_stated(_LACKS, clause.strip(), about):
            return True
    return False


def _is_stated(pattern: re.Pattern[str], clause: str, about: str) -> bool:
    """Tells whether a clause states the pattern, without conceding or denying it and not in the criterion's words."""
    if _CONCEDED.search(clause):
        return False
    found = pattern.search(clause)
    return found is not None and found[0].strip() not in about and not _DENIED.search(clause[: found.start()])
