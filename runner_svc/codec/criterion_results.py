"""Results of criteria and checks as messages and back."""

from __future__ import annotations

from collections.abc import Iterable

from runner_svc.core.model.values import CriterionResult, Outcome
from signoff.v1 import execution_pb2 as pb

_OUTCOMES = frozenset(Outcome)


def results_to_proto(results: Iterable[CriterionResult]) -> list[pb.CriterionResult]:
    """Returns the results as messages, in their order."""
    return [
        pb.CriterionResult(
            criterion=result.criterion,
            outcome=pb.Outcome.ValueType(result.outcome),
            reason=result.reason,
            deterministic=result.deterministic,
            criterion_number=result.criterion_number,
            check_number=result.check_number,
        )
        for result in results
    ]


def results_from_proto(results: Iterable[pb.CriterionResult]) -> tuple[CriterionResult, ...]:
    """Returns the results of the messages, in their order."""
    return tuple(
        CriterionResult(
            criterion=result.criterion,
            outcome=outcome_from_proto(result.outcome),
            reason=result.reason,
            deterministic=result.deterministic,
            criterion_number=result.criterion_number,
            check_number=result.check_number,
        )
        for result in results
    )


def outcome_from_proto(number: int) -> Outcome:
    """Returns the outcome; an unknown one is an error, never a pass."""
    return Outcome(number) if number in _OUTCOMES else Outcome.ERROR
