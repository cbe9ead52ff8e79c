"""Counting votes: a criterion passes when enough judges pass it, and fails when enough cannot be reached any more.

    passes >= needed                 PASS
    votes - fails < needed           FAIL
    else                             ERROR: too many could not tell, or gave no answer that can be read

A vote that is no answer counts neither way, so a broken judge neither passes nor fails anything.
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
    """How many judges are asked, and how many must agree on a pass."""

    votes: int
    needed: int


def rule_of(judge: plan_pb2.JudgeSpec) -> Rule:
    """As the plan says; never less than more than half, whatever it says."""
    votes = min(max(judge.votes, 1), MAX_VOTES)
    return Rule(votes=votes, needed=min(max(judge.needed, votes // 2 + 1), votes))


def counted(opinions: Sequence[Opinion | None], rule: Rule) -> Opinion:
    """What the votes on one criterion come to; None is a vote for nothing. The reasons are of those who decided."""
    passed, failed = _of(opinions, PASS), _of(opinions, FAIL)
    if len(passed) >= rule.needed:
        return Opinion(outcome=PASS, reason=_told(passed, rule))
    if rule.votes - len(failed) < rule.needed:
        useless = sum(not opinion.retry_worthwhile for opinion in failed)
        return Opinion(outcome=FAIL, reason=_told(failed, rule), retry_worthwhile=2 * useless <= len(failed))
    return Opinion(outcome=ERROR, reason=_undecided(opinions, rule))


def _of(opinions: Sequence[Opinion | None], outcome: execution_pb2.Outcome.ValueType) -> list[Opinion]:
    return [opinion for opinion in opinions if opinion is not None and opinion.outcome == outcome]


def _undecided(opinions: Sequence[Opinion | None], rule: Rule) -> str:
    unsure, silent = _of(opinions, ERROR), sum(opinion is None for opinion in opinions)
    if rule.votes == 1 and unsure:
        return _told(unsure, rule)
    passed, failed = len(_of(opinions, PASS)), len(_of(opinions, FAIL))
    count = f"of {rule.votes} judges {passed} passed it, {failed} failed it, {len(unsure)} could not tell"
    return _clipped("; ".join([f"{count}, {silent} gave no answer", *_reasons(unsure)]))


def _told(deciding: Sequence[Opinion], rule: Rule) -> str:
    said = "; ".join(_reasons(deciding))
    return _clipped(said if rule.votes == 1 else f"{len(deciding)} of {rule.votes} judges: {said or 'no reason given'}")


def _reasons(opinions: Sequence[Opinion]) -> list[str]:
    return list(dict.fromkeys(opinion.reason for opinion in opinions if opinion.reason))


def _clipped(reason: str) -> str:
    return reason[:_MAX_REASON_CHARS]
