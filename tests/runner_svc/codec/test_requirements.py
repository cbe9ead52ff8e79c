"""Requirements of a spec, as the core's Requirements."""

from __future__ import annotations

from runner_svc.codec.canaries import take_canaries
from runner_svc.codec.requirements import requirements_of
from runner_svc.core.model.requirements import ANY_EXECUTOR, ANY_VALIDATOR, USUAL, Requirement, Requirements
from runner_svc.core.model.values import Role
from signoff.v1 import plan_pb2 as pb


def validated(**fields: object) -> Requirements:
    return requirements_of(pb.TaskSpec(validation=pb.Validation(**fields)))  # type: ignore[arg-type]


def test_a_task_that_asks_for_nothing_shares_the_usual_terms() -> None:
    assert requirements_of(pb.TaskSpec(task_id="a", output=pb.TaskOutput(description="a text"))) is USUAL
    assert validated(criteria=["is good"]) is validated(description="It is good.") is validated() is USUAL
    assert requirements_of(pb.TaskSpec(executor=pb.ExecutorSpec(name="model"))) is USUAL


def test_tasks_that_ask_for_the_same_share_their_terms() -> None:
    asked = [pb.TaskSpec(task_id=name, executor=pb.ExecutorSpec(model="large")) for name in ("a", "b")]
    assert requirements_of(asked[0]) is requirements_of(asked[1])
    assert requirements_of(asked[0]) is not USUAL


def test_equal_wants_are_one_key() -> None:
    first, second = (Requirement(role=Role.EXECUTOR, handlers=frozenset({"fetch"}), model="m") for _ in range(2))
    assert {first: 1}[second] == 1
    assert first != Requirement(role=Role.VALIDATOR, handlers=frozenset({"fetch"}), model="m")


def test_a_command_needs_somebody_who_runs_commands() -> None:
    terms = requirements_of(pb.TaskSpec(executor=pb.ExecutorSpec(command=pb.CommandSpec(argv=["true"]))))
    assert terms.executors == (Requirement(role=Role.EXECUTOR, handlers=frozenset({"command"})),)


def test_labels_and_models_of_an_executor() -> None:
    executor = pb.ExecutorSpec(labels={"gpu": "a100"}, model="s", escalation=["m", "l"], max_failures=5)
    executor.run_timeout.FromMilliseconds(1500)
    terms = requirements_of(pb.TaskSpec(executor=executor))
    assert [wants.model for wants in terms.executors] == ["s", "m", "l"]
    assert {wants.labels for wants in terms.executors} == {frozenset({("gpu", "a100")})}
    assert (terms.max_failures, terms.run_timeout, terms.idle_timeout) == (5, 1.5, None)
    assert terms.validators is ANY_VALIDATOR


def test_the_default_executor_is_named_model() -> None:
    assert requirements_of(pb.TaskSpec(executor=pb.ExecutorSpec(max_failures=1))).executors == (ANY_EXECUTOR,)


def test_a_judge_is_needed_for_what_no_check_decides() -> None:
    checks = [pb.Check(json=pb.JsonCheck())]
    assert validated(checks=checks).validators.handlers == frozenset()
    assert validated(checks=checks, criteria=["is good"]).validators == ANY_VALIDATOR
    assert validated(checks=checks, description="It is good.").validators == ANY_VALIDATOR
    decided = [pb.Check(json=pb.JsonCheck(), criterion=1)]
    assert validated(checks=decided, criteria=["valid JSON"]).validators.handlers == frozenset()
    assert validated(checks=decided, criteria=["valid JSON", "is good"]).validators == ANY_VALIDATOR


def test_a_person_needs_no_judge_beside_them() -> None:
    terms = validated(human=True)
    assert (terms.human, terms.validators.handlers) == (True, frozenset())
    assert validated(human=True, criteria=["is good"]).validators == ANY_VALIDATOR


def test_checks_name_what_validators_must_have() -> None:
    checks = [
        pb.Check(command=pb.CommandCheck(argv=["true"])),
        pb.Check(function=pb.FunctionCheck(name="complete")),
    ]
    judge = pb.JudgeSpec(model="strict", labels={"zone": "eu"})
    wants = validated(checks=checks, criteria=["is good"], judge=judge).validators
    assert wants.handlers == frozenset({"command", "complete", "judge"})
    assert (wants.model, wants.labels) == ("strict", frozenset({("zone", "eu")}))


def test_a_task_that_makes_files_has_no_canaries_and_workers_are_told_of_none() -> None:
    spec = pb.TaskSpec(output=pb.TaskOutput(files=["a.md"]))
    spec.validation.canaries.add(candidate="good", good=True)
    assert take_canaries(spec) == ()
    assert not spec.validation.canaries
