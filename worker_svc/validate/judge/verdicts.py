"""The fields of a verdict, in the forms that models give them. A field that could mean two things is refused.

outcome     "Pass", "PASSED", "not met", "通过": one word of a table, in any case, with punctuation around it
criterion   1, 1.0, "1", "#1", "Criterion 1", or the criterion's own words; may be missing where there is only one
keys        in any case, with any of "_", "-" and space between their words
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from signoff.v1 import execution_pb2
from worker_svc.validate.checking.text.folding import folded

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR

#: Without "yes" and "true": of "contains no X" they say one thing of the text, and another of the criterion.
_OUTCOMES: Mapping[str, execution_pb2.Outcome.ValueType] = {
    **dict.fromkeys(("pass", "passed", "passes", "met", "satisfied", "fulfilled"), PASS),
    **dict.fromkeys(("通过", "合格", "满足", "符合"), PASS),
    **dict.fromkeys(
        ("fail", "failed", "fails", "not met", "unmet", "not satisfied", "unsatisfied", "not fulfilled", "not passed",
         "不通过", "未通过", "不合格", "不满足", "未满足", "不符合", "失败"), FAIL),
    **dict.fromkeys(
        ("cannot tell", "can't tell", "can not tell", "cannot be told", "unknown", "unclear", "undecided", "unsure",
         "无法判断", "不确定", "无法确定"), ERROR),
}  # fmt: skip
_AROUND = " \t\n.,;:!?\"'*`_()[]。，！✓✔✅✗✘❌"
_BETWEEN = re.compile(r"[\s_-]+")
_NUMBER = re.compile(
    r"(?:criterion|criteria|no\.?|number|nr\.?|标准|第)? ?#? ?(\d{1,4})(?:\.0+)?(?:条|[.:)、]?)", re.ASCII
)
_NUMBERED = re.compile(r"(?:criterion )?#?(\d{1,4}) ?[.:)、-] ?(.+)", re.ASCII | re.DOTALL)


class UnclearField(ValueError):
    """A field has no clear meaning; the text says what was expected."""


def with_plain_keys(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the object with keys in the schema's spelling. Raises UnclearField when two become the same."""
    plain = {plain_key(key): value for key, value in verdict.items()}
    if len(plain) < len(verdict):
        raise UnclearField(f"expected each key once, but got {', '.join(verdict)}")
    return plain


def plain_key(key: str) -> str:
    """Returns a key in lower case, with "_" between its words: retryWorthwhile is retry_worthwhile."""
    return _BETWEEN.sub("_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key.strip())).casefold()


def outcome_of(stated: object) -> execution_pb2.Outcome.ValueType:
    """Returns the outcome that a word states. Raises UnclearField."""
    word = _BETWEEN.sub(" ", folded(stated)).strip(_AROUND) if isinstance(stated, str) else ""
    outcome = _OUTCOMES.get(word)
    if outcome is None:
        raise UnclearField(f"expected an outcome of pass, fail, cannot_tell, but got {stated!r}"[:200])
    return outcome


def number_of(stated: object, criteria: Sequence[str]) -> int:
    """Returns the number of the criterion that a verdict is about. Raises UnclearField."""
    found = _number_in(stated, criteria)
    if found is None or not 1 <= found <= len(criteria):
        wanted = f"the number of one of the criteria 1 to {len(criteria)}"
        raise UnclearField(f"expected one verdict for each of the criteria, with {wanted}, but got {stated!r}"[:300])
    return found


def _number_in(stated: object, criteria: Sequence[str]) -> int | None:
    if stated is None and len(criteria) == 1:
        return 1
    if isinstance(stated, bool):
        return None
    if isinstance(stated, (int, float)):
        return int(stated) if stated == stated // 1 else None
    if not isinstance(stated, str):
        return None
    text = folded(stated)
    if (same := _places_of(text, criteria)) or not (numbered := _NUMBER.fullmatch(text) or _NUMBERED.fullmatch(text)):
        return same[0] if len(same) == 1 else None
    number = int(numbered[1])
    if numbered.re is _NUMBERED and number not in _places_of(numbered[2], criteria):
        return None  # the number says one criterion, and the words another or none
    return number


def _places_of(text: str, criteria: Sequence[str]) -> list[int]:
    """Returns the numbers of the criteria that have these words."""
    wanted = text.strip(_AROUND)
    return (
        [n for n, criterion in enumerate(criteria, 1) if folded(criterion).strip(_AROUND) == wanted] if wanted else []
    )
