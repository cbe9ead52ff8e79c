"""The example of commands works: its programs run in order, and its checks fail wrong results only."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.processes.commands import EXAMPLES
from tests.support.work.givens import Heard, json_schema, length, regex, required_keys, to_execute
from tests.support.work.programs import checked
from worker_svc.assignment import Artifact, Assignment, CandidateResult
from worker_svc.commands import CommandChecks, CommandExecutor
from worker_svc.validate import checks

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL

TASKS = {task["task_id"]: task for task in json.loads((EXAMPLES / "primes" / "plan.json").read_text())["tasks"]}
ATOMIC = {task_id: task for task_id, task in TASKS.items() if "output" in task}


def spec_of(task: dict[str, Any]) -> plan_pb2.TaskSpec:
    """Returns the task with the fields that commands read."""
    given, output = task["input"], task["output"]
    command = task["executor"]["command"]
    return plan_pb2.TaskSpec(
        task_id=task["task_id"],
        input=plan_pb2.TaskInput(parameters_json=json.dumps(given["parameters"]) if "parameters" in given else ""),
        output=plan_pb2.TaskOutput(artifact=output["artifact"], format=output["format"]),
        executor=plan_pb2.ExecutorSpec(
            command=plan_pb2.CommandSpec(argv=command["argv"], memory_bytes=command.get("memory_mib", 0) * 1024**2)
        ),
    )


def check_of(check: dict[str, Any]) -> plan_pb2.Check:
    match check["type"]:
        case "command":
            return checked(*check["argv"], timeout=check.get("timeout", 0))
        case "json_schema":
            return json_schema(check["schema"])
        case "required_keys":
            return required_keys(*check["keys"])
        case "length":
            return length(max_chars=check["max_chars"])
        case kind:
            assert kind == "regex"
            return regex(check["pattern"])


async def executed(base: Path) -> dict[str, Assignment]:
    """Runs every task when its artifacts are there. Returns each assignment, with its candidate."""
    made: dict[str, Artifact] = {}
    done: dict[str, Assignment] = {}
    while len(done) < len(ATOMIC):
        ready = [task_id for task_id in ATOMIC if task_id not in done and set(reads(task_id)) <= set(made)]
        assert ready, f"nothing can run after {sorted(done)}"
        for task_id in ready:
            inputs = tuple(made[name] for name in reads(task_id))
            assignment = to_execute(spec_of(ATOMIC[task_id]), inputs=inputs)
            result = await CommandExecutor(base)(assignment, Heard())
            assert isinstance(result, CandidateResult), f"task {task_id}: {result}"
            candidate = candidate_of(task_id, result)
            made[candidate.name] = candidate
            done[task_id] = replace(assignment, candidate=candidate)
    return done


def reads(task_id: str) -> list[str]:
    names: list[str] = ATOMIC[task_id]["input"].get("artifacts", [])
    return names


def candidate_of(task_id: str, result: CandidateResult) -> Artifact:
    return Artifact(
        name=ATOMIC[task_id]["output"]["artifact"],
        task_id=task_id,
        media_type=result.media_type,
        digest=hashlib.sha256(result.content).hexdigest(),
        content=result.content,
    )


async def checked_by_all(assignment: Assignment, base: Path) -> list[execution_pb2.CriterionResult]:
    assert assignment.candidate is not None
    results = checks.implicit_results(assignment.candidate.whole(), assignment.task.output)
    for check in map(check_of, ATOMIC[assignment.task.task_id]["validation"]["checks"]):
        if check.HasField("command"):
            results.append(await CommandChecks(base)(check, assignment, Heard()))
        else:
            results.append(checks.check_result(check, assignment.candidate.whole()))
    return results


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assignment]:
    return asyncio.run(executed(tmp_path_factory.mktemp("primes")))


@pytest.mark.parametrize("task_id", ATOMIC)
async def test_every_task_makes_what_its_checks_pass(done: dict[str, Assignment], task_id: str, tmp_path: Path) -> None:
    results = await checked_by_all(done[task_id], tmp_path)
    assert len(results) > len(ATOMIC[task_id]["validation"]["checks"])
    assert [result for result in results if result.outcome != PASS] == []


def test_what_is_counted_is_what_mathematics_knows(done: dict[str, Assignment]) -> None:
    assert json.loads(text_of(done["3"])) == {
        "below": 2_000_000,
        "primes": 148_933,
        "below_one_million": 78_498,
        "largest": 1_999_993,
        "twins": 14_871,
        "three_mod_4": 74_516,
    }
    assert "There are **148,933** of them; the largest is 1,999,993. 14,871 pairs are twins." in text_of(done["4_2"])
    digest = hashlib.sha256(text_of(done["4_2"]).encode()).hexdigest()
    assert text_of(done["5"]) == f"{digest}  inputs/report.md\n"


def text_of(assignment: Assignment) -> str:
    assert assignment.candidate is not None
    return assignment.candidate.whole().decode()


@pytest.mark.parametrize(
    ("task_id", "right", "wrong"),
    [
        ("1", '"from": 250000', '"from": 250001'),
        ("2_3", '"last": 749993', '"last": 749991'),
        ("3", '"primes": 148933', '"primes": 148934'),
        ("4_1", '"Li": 1490', '"Li": 1491'),
        ("4_2", "| 18", "| 17"),
        ("5", "inputs/report.md", "inputs/other.md"),
    ],
)
async def test_a_check_that_is_a_command_finds_what_is_wrong(
    done: dict[str, Assignment], tmp_path: Path, task_id: str, right: str, wrong: str
) -> None:
    assignment = done[task_id]
    assert assignment.candidate is not None
    assert right in text_of(assignment)
    content = text_of(assignment).replace(right, wrong, 1).encode()
    broken = replace(assignment, candidate=replace(assignment.candidate, content=content))
    results = await checked_by_all(broken, tmp_path)
    failed = [
        result for result in results if result.outcome == FAIL and result.criterion.startswith("passes the command")
    ]
    assert len(failed) == 1, results


def test_no_task_needs_a_model() -> None:
    for task in ATOMIC.values():
        assert task["executor"]["command"]["argv"]
        assert task["validation"]["checks"]
        assert "criteria" not in task["validation"]
