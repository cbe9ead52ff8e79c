"""The specs of a task: its executor, its judge, its budget and its canaries."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from planner_svc.compiler import Compiled
from planner_svc.diagnostics import Diagnostic, Severity
from planner_svc.model import Budget, CommandSpec, ExecutorSpec, JudgeSpec, Task
from planner_svc.read.plain_tasks import plain_task
from planner_svc.read.specs import executor_from_json, executor_to_json, judge_from_json, judge_to_json
from planner_svc.wire.execution_json import execution_json
from planner_svc.wire.maps import map_from_proto, map_to_bytes
from signoff.v1 import plan_pb2
from tests.support.values.trees import atomic, codes, compiled, group

EVERYTHING = {
    "name": "model",
    "labels": {"zone": "eu", "gpu": ""},
    "model": "Qwen/Qwen3-8B",
    "escalation": ["gpt-5-mini", "ft:gpt-5:me"],
    "run_timeout": 90.5,
    "idle_timeout": 30,
    "outage_patience": 3_600,
    "max_failures": 5,
    "temperature": 0.2,
    "max_tokens": 4_000,
}


def only_task(result: Compiled) -> Task:
    assert result.map is not None, result.diagnostics
    (task,) = result.map.tasks
    return task


def executor_of(raw: Any) -> ExecutorSpec | None:
    return only_task(compiled(atomic("1", executor=raw))).executor


def judged(**fields: Any) -> Compiled:
    return compiled(atomic("1", validation={"criteria": ["good"], **fields}))


def the(result: Compiled, code: str) -> Diagnostic:
    (diagnostic,) = [diagnostic for diagnostic in result.diagnostics if diagnostic.code == code]
    return diagnostic


# ---------------------------------------------------------------- executors


def test_every_field_of_an_executor_is_read() -> None:
    assert executor_of(EVERYTHING) == ExecutorSpec(
        name="model",
        labels=(("gpu", ""), ("zone", "eu")),
        model="Qwen/Qwen3-8B",
        escalation=("gpt-5-mini", "ft:gpt-5:me"),
        run_timeout=timedelta(seconds=90.5),
        idle_timeout=timedelta(seconds=30),
        outage_patience=timedelta(hours=1),
        max_failures=5,
        temperature=0.2,
        max_tokens=4_000,
    )


def test_a_text_is_short_for_the_name_and_a_list_for_the_arguments() -> None:
    assert executor_of("fetch") == executor_of({"name": "fetch"}) == ExecutorSpec(name="fetch")
    command = {"command": {"argv": ["sort", "-u", ""]}}
    assert executor_of({"command": ["sort", "-u", ""]}) == executor_of(command)


def test_a_command_may_have_its_name_and_its_memory() -> None:
    found = executor_of({"name": "command", "command": {"argv": ["sort"], "memory_mib": 16}})

    assert found == ExecutorSpec(name="command", command=CommandSpec(argv=("sort",), memory_bytes=16 << 20))


def test_an_empty_executor_is_one_and_nothing_is_none() -> None:
    assert executor_of({}) == executor_of(dict.fromkeys(EVERYTHING)) == ExecutorSpec()
    assert executor_of(None) is None


@pytest.mark.parametrize(
    ("raw", "place", "expected"),
    [
        (7, "executor", "an object, or a text with the executor's name"),
        ([], "executor", "an object"),
        ("", "executor", "a name"),
        ("fetch me", "executor", "a name"),
        ("command", "executor", "a command"),
        ({"pace": 1}, "executor", "fields out of name, labels, model, .*but got 'pace'"),
        ({"x" * 9_000: 1}, "executor", "fields out of"),
        ({"name": "x" * 129}, "executor.name", "a name"),
        ({"name": "ünder"}, "executor.name", "a name"),
        ({"name": ["fetch"]}, "executor.name", "a name"),
        ({"name": "command"}, "executor.name", "a command"),
        ({"labels": ["eu"]}, "executor.labels", "an object of texts"),
        ({"labels": {"zone": 1}}, "executor.labels", "a text of at most 128 characters under 'zone'"),
        ({"labels": {"zone": "x" * 129}}, "executor.labels", "a text of at most 128"),
        ({"labels": {"x" * 129: ""}}, "executor.labels", "labels of 1 to 128 characters"),
        ({"labels": {"": ""}}, "executor.labels", "labels of 1 to 128 characters"),
        ({"labels": {str(n): "" for n in range(65)}}, "executor.labels", "at most 64 labels"),
        ({"model": "a b"}, "executor.model", "a name"),
        ({"model": {}}, "executor.model", "a name"),
        ({"escalation": "gpt"}, "executor.escalation", "a list of names"),
        ({"escalation": ["gpt", None]}, "executor.escalation", "a name"),
        (
            {"run_timeout": 0},
            "executor.run_timeout",
            "a number of seconds, more than 0 and at most 2,592,000",
        ),
        ({"run_timeout": -1}, "executor.run_timeout", "a number of seconds"),
        ({"run_timeout": True}, "executor.run_timeout", "a number of seconds"),
        ({"run_timeout": "90"}, "executor.run_timeout", "a number of seconds"),
        ({"idle_timeout": 2_592_000.5}, "executor.idle_timeout", "a number of seconds"),
        ({"outage_patience": 0}, "executor.outage_patience", "a number of seconds"),
        ({"idle_timeout": 10**400}, "executor.idle_timeout", "a number of seconds"),
        ({"max_failures": 0}, "executor.max_failures", "a whole number from 1 to 1,000, but got 0"),
        ({"max_failures": 1_001}, "executor.max_failures", "a whole number"),
        ({"max_failures": 2.0}, "executor.max_failures", "a whole number"),
        ({"temperature": 2.1}, "executor.temperature", "a number from 0 to 2"),
        ({"temperature": -0.1}, "executor.temperature", "a number from 0 to 2"),
        ({"temperature": False}, "executor.temperature", "a number from 0 to 2"),
        ({"max_tokens": 10_000_001}, "executor.max_tokens", "a whole number"),
        ({"max_tokens": "many"}, "executor.max_tokens", "a whole number"),
        ({"command": "sort -u"}, "executor.command", "an object with argv"),
        ({"command": []}, "executor.command", "a list with a program"),
        ({"command": [""]}, "executor.command", "the name of a program first"),
        ({"command": ["sort", 1]}, "executor.command", "texts without null characters"),
        ({"command": ["sort\0"]}, "executor.command", "texts without null characters"),
        ({"command": {}}, "executor.command.argv", "a list with a program"),
        ({"command": {"argv": "sort"}}, "executor.command.argv", "a list with a program"),
        ({"command": {"argv": ["sort"], "cpus": 1}}, "executor.command", "fields out of argv, memory_mib"),
        ({"command": {"argv": ["sort"], "memory_mib": 15}}, "executor.command.memory_mib", "a whole number"),
        ({"command": {"argv": ["sort"], "memory_mib": 1_048_577}}, "executor.command.memory_mib", "a whole number"),
        ({"name": "fetch", "command": ["sort"]}, "executor.command", 'a command under the name "command" only'),
        ({"name": "model", "command": ["sort"]}, "executor.command", 'a command under the name "command" only'),
    ],
)
def test_a_malformed_executor_is_an_error_with_its_place(raw: Any, place: str, expected: str) -> None:
    result = compiled(atomic("2"), atomic("1", executor=raw))

    assert not result.ok
    found = the(result, "malformed-executor")
    assert (found.path, found.task_ids) == (f"tasks[1].{place}", ("1",))
    assert re.match(rf"tasks\[1\]\.{place}: expected {expected}", found.message), found.message
    assert len(found.message) < 400


def test_all_mistakes_of_an_executor_are_named_at_once() -> None:
    result = compiled(atomic("1", executor={"pace": 1, "model": 1, "temperature": 3, "command": {"argv": []}}))

    paths = [found.path for found in result.diagnostics if found.code == "malformed-executor"]
    assert sorted(paths) == [
        "tasks[0].executor",
        "tasks[0].executor.command.argv",
        "tasks[0].executor.model",
        "tasks[0].executor.temperature",
    ]


@pytest.mark.parametrize("seconds", [1e-9, 0.001, 1, 59.5, 2_592_000])
def test_any_time_above_nothing_is_a_timeout(seconds: float) -> None:
    found = executor_of({"run_timeout": seconds, "idle_timeout": seconds})

    assert found is not None
    assert found.run_timeout == found.idle_timeout == max(timedelta(seconds=seconds), timedelta(microseconds=1))


def test_an_executor_on_a_group_is_ignored_with_a_warning() -> None:
    result = compiled(group("1", executor="fetch"), atomic("1_1"))

    found = the(result, "executor-on-group")
    assert (found.severity, found.path, found.task_ids) == (Severity.WARNING, "tasks[0].executor", ("1",))
    assert only_task(result).executor is None


def test_a_task_with_an_executor_is_not_read_as_a_plain_one() -> None:
    assert plain_task(atomic("1"), 0) is not None
    assert plain_task(atomic("1", executor=None), 0) is not None
    assert plain_task(atomic("1", executor={}), 0) is None


def test_what_an_executor_names_counts_in_the_size_of_its_task() -> None:
    arguments = ["x" * 120_000] * 8
    texts = {"input": {"description": "y" * 600_000}, "output": {"description": "z" * 600_000}}
    assert compiled({**atomic("1"), **texts}).ok
    result = compiled({**atomic("1", executor={"command": ["echo", *arguments]}), **texts})

    assert the(result, "task-too-large").path == "tasks[0]"


def test_the_digest_is_about_the_executor_too() -> None:
    results = [compiled(atomic("1", executor=executor)) for executor in (None, "a", "b", {"max_tokens": 1})]

    assert len({result.map.digest for result in results if result.map is not None}) == 4


# ---------------------------------------------------------------- judges


def test_every_field_of_a_judge_is_read() -> None:
    result = judged(judge={"model": "gpt-5", "labels": {"zone": "eu"}, "votes": 3, "needed": 2}, human=True)

    validation = only_task(result).validation
    assert validation is not None
    assert validation.judge == JudgeSpec(model="gpt-5", labels=(("zone", "eu"),), votes=3, needed=2)
    assert validation.human


def test_without_a_judge_there_is_none_and_nobody_is_waited_for() -> None:
    validation = only_task(judged(judge=None, human=None)).validation

    assert validation is not None
    assert (validation.judge, validation.human) == (None, False)


def test_a_person_is_somebody_who_says_when_it_is_good() -> None:
    assert "no-criteria" not in {found.code for found in compiled(atomic("1", validation={"human": True})).diagnostics}
    assert "no-criteria" in {found.code for found in compiled(atomic("1", validation={"judge": {}})).diagnostics}


@pytest.mark.parametrize(("votes", "needed"), [(None, 1), (1, 1), (2, 2), (3, 2), (3, 3), (4, 3), (9, 5), (9, None)])
def test_more_than_half_of_the_votes_decide(votes: int | None, needed: int | None) -> None:
    assert judged(judge={"votes": votes, "needed": needed}).ok


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"judge": "gpt-5"}, "judge"),
        ({"judge": []}, "judge"),
        ({"judge": {"mood": 3}}, "judge"),
        ({"judge": {"model": 5}}, "judge.model"),
        ({"judge": {"model": "a b"}}, "judge.model"),
        ({"judge": {"labels": "eu"}}, "judge.labels"),
        ({"judge": {"votes": 0}}, "judge.votes"),
        ({"judge": {"votes": 10}}, "judge.votes"),
        ({"judge": {"votes": 2.5}}, "judge.votes"),
        ({"judge": {"votes": "3", "needed": 2}}, "judge.votes"),
        ({"judge": {"needed": 2}}, "judge.needed"),
        ({"judge": {"votes": 2, "needed": 1}}, "judge.needed"),
        ({"judge": {"votes": 4, "needed": 2}}, "judge.needed"),
        ({"judge": {"votes": 3, "needed": 4}}, "judge.needed"),
        ({"judge": {"votes": 3, "needed": True}}, "judge.needed"),
        ({"human": "yes"}, "human"),
        ({"human": 1}, "human"),
        ({"worded_checks": 0}, "worded_checks"),
        ({"worded_checks": "no"}, "worded_checks"),
    ],
)
def test_a_malformed_judge_is_an_error_with_its_place(fields: dict[str, Any], place: str) -> None:
    result = judged(**fields)

    assert not result.ok
    found = the(result, "malformed-validation")
    assert found.path == f"tasks[0].validation.{place}"
    assert found.message.startswith(f"{found.path}: expected ")


# ---------------------------------------------------------------- in the plan's own form


@pytest.mark.parametrize(
    "raw", [EVERYTHING, {}, {"name": "fetch"}, {"command": {"argv": ["a", ""], "memory_mib": 20}, "idle_timeout": 0.25}]
)
def test_an_executor_is_written_as_a_plan_has_it(raw: dict[str, Any]) -> None:
    mistakes: list[str] = []
    spec = executor_from_json(raw, "executor", lambda place, _: mistakes.append(place))

    assert executor_to_json(spec) == raw
    assert not mistakes


@pytest.mark.parametrize("raw", [{}, {"model": "m", "labels": {"a": "b"}, "votes": 5, "needed": 4}])
def test_a_judge_is_written_as_a_plan_has_it(raw: dict[str, Any]) -> None:
    mistakes: list[str] = []
    spec = judge_from_json(raw, "judge", lambda place, _: mistakes.append(place))

    assert judge_to_json(spec) == raw
    assert not mistakes


def test_execution_json_shows_executor_judge_and_human() -> None:
    validation = {"criteria": ["good"], "judge": {"votes": 3}, "human": True}
    result = compiled(atomic("1", executor=EVERYTHING, validation=validation), atomic("2", validation={"judge": None}))

    assert codes(result) == set()
    assert result.map is not None
    first, second = json.loads(execution_json(result.map))["tasks"]
    assert first["executor"] == EVERYTHING
    assert (first["validation"]["judge"], first["validation"]["human"]) == ({"votes": 3}, True)
    assert "executor" not in second
    assert not {"judge", "human"} & set(second["validation"])


# ---------------------------------------------------------------- budgets


def test_a_task_and_a_group_may_have_budgets() -> None:
    result = compiled(group("1", budget={"tokens": 9_000}), atomic("1_1", budget={"cost": 0.25, "tokens": 5}))
    assert result.map is not None
    assert result.map.groups[0].budget == Budget(tokens=9_000)
    assert result.map.tasks[0].budget == Budget(tokens=5, cost_nanos=250_000_000)
    told = json.loads(execution_json(result.map))
    assert told["groups"][0]["budget"] == {"tokens": 9_000}
    assert told["tasks"][0]["budget"] == {"tokens": 5, "cost": 0.25}


def test_budgets_are_part_of_the_map_and_travel_with_it() -> None:
    result = compiled(group("1", budget={"tokens": 9_000}), atomic("1_1", budget={"cost": 0}))
    without = compiled(group("1"), atomic("1_1"))
    assert result.map is not None
    assert result.encoded is not None
    assert without.map is not None
    assert result.map.digest != without.map.digest
    parts = [plan_pb2.MapPart.FromString(part) for part in map_to_bytes(result.map, result.encoded)]
    again, _ = map_from_proto(parts)
    assert (again.groups, [task.budget for task in again.tasks]) == (result.map.groups, [Budget(cost_nanos=0)])


@pytest.mark.parametrize(
    ("budget", "field", "problem"),
    [
        ({}, "budget.tokens", "expected tokens or cost, but got neither"),
        ({"tokens": -1}, "budget.tokens", "expected a whole number of 0 or more, but got -1"),
        ({"tokens": 1.5}, "budget.tokens", "expected a whole number of 0 or more, but got 1.5"),
        ({"cost": "much"}, "budget.cost", "expected a number from 0 to 1,000,000,000"),
        ({"tonnes": 1}, "budget", "expected fields out of tokens, cost, but got"),
        (5, "budget", "expected an object, but got"),
    ],
)
def test_a_budget_that_is_none_is_an_error_with_its_place(budget: Any, field: str, problem: str) -> None:
    diagnostics = compiled(atomic("1", budget=budget)).diagnostics
    told = [d for d in diagnostics if d.code == "malformed-budget"]
    assert {d.severity for d in told} == {Severity.ERROR}
    assert any(d.path == f"tasks[0].{field}" and problem in d.message for d in told)


# ---------------------------------------------------------------- canaries


def canaries_of(result: Compiled) -> list[tuple[str, bool]]:
    validation = only_task(result).validation
    assert validation is not None
    return [(canary.candidate, canary.good) for canary in validation.canaries]


def test_a_canary_is_a_text_or_any_other_json_with_what_is_known_of_it() -> None:
    raw = [
        {"candidate": "# 標題", "good": True},
        {"candidate": {"名": [1, None]}, "good": False},
        {"candidate": 0, "good": False},
        {"candidate": "", "good": False},
    ]
    known = [("# 標題", True), ('{"名": [1, null]}', False), ("0", False), ("", False)]
    result = judged(canaries=raw)
    assert canaries_of(result) == known
    assert canaries_of(judged(canaries=None)) == []

    assert result.map is not None
    assert result.encoded is not None
    parts = [plan_pb2.MapPart.FromString(part) for part in map_to_bytes(result.map, result.encoded)]
    assert map_from_proto(parts)[0].tasks == [task._replace(position=0) for task in result.map.tasks]
    shown = json.loads(execution_json(result.map))["tasks"][0]["validation"]["canaries"]
    assert shown == [{"candidate": text, "good": good} for text, good in known]


@pytest.mark.parametrize(
    ("raw", "place", "message"),
    [
        ({}, "", "expected a list of at most 20 canaries, but got an object"),
        ([{"candidate": "a", "good": True}] * 21, "", "expected a list of at most 20 canaries, but got 21"),
        (["a"], "[0]", "expected an object with candidate and good, but got"),
        ([{"candidate": "a"}], "[0].good", "expected true or false, but got nothing"),
        ([{"good": True}], "[0].candidate", "expected a text, or JSON of another kind, but got nothing"),
        ([{"candidate": "a", "good": "yes"}], "[0].good", "expected true or false, but got"),
        ([{"candidate": "a", "good": True, "bad": 1}], "[0]", "expected fields out of candidate, good, but got 'bad'"),
        (
            [{"candidate": "ü" * 140_000, "good": True}],
            "[0].candidate",
            "expected at most 262,144 bytes, but got 280,000",
        ),
    ],
)
def test_a_canary_that_is_none_is_named(raw: Any, place: str, message: str) -> None:
    found = the(judged(canaries=raw), "malformed-validation")
    assert found.path == f"tasks[0].validation.canaries{place}"
    assert message in found.message


def test_canaries_count_for_the_size_of_a_task() -> None:
    raw = [{"candidate": "x" * 250_000, "good": True}] * 9
    assert "task-too-large" in codes(judged(canaries=raw))
