"""The costs of an execution as records: `signoff cost --json` prints them, and the door answers with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from signoff.client.costs import EXECUTE, VALIDATE, Amount, Costs, Fate, FateCosts, SignOffCosts, TaskCosts, WorkFate
from signoff.display.natural_order import natural
from signoff.display.wire_names import phase_name, record_of
from signoff.v1 import execution_pb2 as pb

LAST = (WorkFate.UNDECIDED, WorkFate.UNKNOWN)  # after all that is known to have been of use or not


def records(execution: pb.Execution, costs: Costs, *, by_task: bool, top: int) -> Iterator[dict[str, Any]]:
    """Yields the costs for programs: the totals by phase and model as they are, all else under its name."""
    currency = {"currency": costs.currency}
    for task in in_order(costs) if by_task else ():
        for total in totals(task.by_model):
            yield {"task_id": task.task_id, **total, **currency}
    for total in totals(costs.by_model):
        yield {**total, **currency}
    for budget in execution.budgets:
        yield {"budget": {**record_of(budget), **currency}}
    if costs.per_sign_off is not None:
        yield {"sign_off": {**sign_off_record(costs.per_sign_off), **currency}}
    for fate, of in by_importance(costs):
        kind = {"kind": fate.kind} if fate.kind else {}
        share = {"share": share_of(costs, of)}
        yield {"fate": {"what": fate.what, **kind, "times": of.times, **columns(of.spent), **share, **currency}}
    for task in costs.most_expensive(top):
        yield {"most_expensive": {**task_record(task), **currency}}
    if costs.left is not None:
        yield {"left": {**asdict(costs.left), **currency}}


def totals(by_model: Mapping[tuple[int, str], Amount]) -> Iterator[dict[str, Any]]:
    for (phase, model), amount in by_model.items():
        yield {"phase": phase_name(phase), "model": model, **columns(amount)}


def columns(amount: Amount) -> dict[str, int]:
    """Returns the columns of an amount by name, without those that are zero."""
    return {name: value for name, value in amount._asdict().items() if value}


def sign_off_record(done: SignOffCosts) -> dict[str, Any]:
    return {
        "tasks": done.tasks,
        "mean": asdict(done.mean),
        "median": asdict(done.median),
        "largest": task_record(done.largest),
    }


def task_record(task: TaskCosts) -> dict[str, Any]:
    phases = {"execute": task.tokens_in(EXECUTE), "validate": task.tokens_in(VALIDATE), "together": task.spent.tokens}
    return {"task_id": task.task_id, "attempts": task.attempts, "tokens": phases, **columns(task.spent)}


def by_importance(costs: Costs) -> list[tuple[Fate, FateCosts]]:
    def place(item: tuple[Fate, FateCosts]) -> tuple[bool, bool, int, int]:
        fate, of = item
        return fate.what in LAST, fate.what is not WorkFate.SIGNED_OFF, -of.spent.tokens, -of.times

    return sorted(costs.by_fate.items(), key=place)


def share_of(costs: Costs, of: FateCosts) -> float:
    return of.spent.tokens / costs.spent.tokens if costs.spent.tokens else 0.0


def in_order(costs: Costs) -> Iterable[TaskCosts]:
    return (costs.tasks[name] for name in natural(costs.tasks))
