"""A validator's results: one for each criterion and each check of a task."""

from __future__ import annotations

from signoff.plan.specs import criteria_of, own_checks
from signoff.v1 import execution_pb2, plan_pb2


def results_of(
    task: plan_pb2.TaskSpec, outcome: execution_pb2.Outcome.ValueType = execution_pb2.OUTCOME_PASS
) -> list[execution_pb2.CriterionResult]:
    """Returns the results, all with the same outcome."""
    criteria = [
        execution_pb2.CriterionResult(criterion=text, outcome=outcome, reason="because", criterion_number=number)
        for number, text in enumerate(criteria_of(task), 1)
    ]
    checks = [
        execution_pb2.CriterionResult(criterion="a check", outcome=outcome, deterministic=True, check_number=number)
        for number in own_checks(task)
    ]
    return [*criteria, *checks]
