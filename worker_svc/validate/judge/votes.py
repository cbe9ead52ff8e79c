"""Counts votes: a criterion passes when enough judges pass it, and fails when enough can no longer pass it.

    passes >= needed                 PASS
    votes - fails < needed           FAIL
    else                             ERROR: too many could not tell, or gave no answer that can be read

A judge without a readable answer votes neither way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.validate.judge.answer import Opinion

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR

MAX_VOTES = 9
_MAX_REASON_CHARS = 2_000  # of one criterion: a verdict must fit its frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The number of judges that are asked, and the number that must agree on a pass."""

    votes: int
    needed: int


def rule_of(judge: plan_pb2.JudgeSpec) -> Rule:
    """Returns the plan's rule; a pass needs at least a majority, whatever the plan says."""
    votes = min(max(judge.votes, 1), MAX_VOTES)
    return Rule(votes=votes, needed=min(max(judge.needed, votes // 2 + 1), votes))


def counted(opinions: Sequence[Opinion | None], rule: Rule) -> Opinion:
    """Counts the votes on one criterion; None is a judge without an answer. The reasons are those of the majority."""
    passed, failed = _of(opinions, PASS), _of(opinions, FAIL)
    if len(passed) >= rule.needed:
        return Opinion(outcome=PASS, reason=_reason_of(passed, rule))
    if rule.votes - len(failed) < rule.needed:
        useless = sum(not opinion.retry_worthwhile for opinion in failed)
        return Opinion(outcome=FAIL, reason=_reason_of(failed, rule), retry_worthwhile=2 * useless <= len(failed))
    return Opinion(outcome=ERROR, reason=_undecided(opinions, rule))


def _of(opinions: Sequence[Opinion | None], outcome: execution_pb2.Outcome.ValueType) -> list[Opinion]:
    return [opinion for opinion in opinions if opinion is not None and opinion.outcome == outcome]


def _undecided(opinions: Sequence[Opinion | None], rule: Rule) -> str:
    unsure, silent = _of(opinions, ERROR), sum(opinion is None for opinion in opinions)
    if rule.votes == 1 and unsure:
        return _reason_of(unsure, rule)
    passed, failed = len(_of(opinions, PASS)), len(_of(opinions, FAIL))
    count = f"of {rule.votes} judges {passed} passed it, {failed} failed it, {len(unsure)} could not tell"
    return _clipped("; ".join([f"{count}, {silent} gave no answer", *_reasons(unsure)]))


def _reason_of(deciding: Sequence[Opinion], rule: Rule) -> str:
    said = "; ".join(_reasons(deciding))
    return _clipped(said if rule.votes == 1 else f"{len(deciding)} of {rule.votes} judges: {said or 'no reason given'}")


def _reasons(opinions: Sequence[Opinion]) -> list[str]:
    return list(dict.fromkeys(opinion.reason for opinion in opinions if opinion.reason))


def _clipped(reason: str) -> str:
    return reason[:_MAX_REASON_CHARS]
