"""The summary of a map whose parts pass by tells which tasks a name stands for."""

from __future__ import annotations

from signoff.cli.run.start_execution import PlanSummary
from signoff.v1 import plan_pb2


def summary(*, names: bool = True) -> PlanSummary:
    """Returns the summary of a, g/b, g/h/c, where g and h are groups; b has a check that was made from a criterion."""
    seen = PlanSummary(names=names)
    b = plan_pb2.TaskSpec(task_id="b")
    b.validation.checks.add(criterion=1)
    seen.take(
        plan_pb2.MapPart(
            groups=plan_pb2.MapGroups(groups=[plan_pb2.MapGroup(task_id="g"), plan_pb2.MapGroup(task_id="h", parent=3)])
        )
    )
    tasks = [
        plan_pb2.MapTask(spec=plan_pb2.TaskSpec(task_id="a")),
        plan_pb2.MapTask(spec=b, parent=3),
        plan_pb2.MapTask(spec=plan_pb2.TaskSpec(task_id="c"), parent=4),
    ]
    seen.take(plan_pb2.MapPart(tasks=plan_pb2.MapTasks(tasks=tasks)))
    return seen


def test_a_name_stands_for_a_task_or_for_all_below_a_group() -> None:
    assert summary().tasks_below(["a"]) == {"a"}
    assert summary().tasks_below(["g"]) == {"b", "c"}
    assert summary().tasks_below(["h", "a"]) == {"a", "c"}
    assert summary().tasks_below(["nothing"]) == set()


def test_names_are_kept_only_when_they_are_wanted() -> None:
    assert summary(names=False).tasks_below(["a"]) == set()
    assert summary(names=False).derived == 1
