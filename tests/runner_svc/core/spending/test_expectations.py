"""The expected costs of attempts, compared with the prompts that workers send."""

from __future__ import annotations

import hashlib

import pytest

from runner_svc.codec.maps import map_from_parts
from runner_svc.core.model.map import Map
from runner_svc.core.model.pass_rules import Demands
from runner_svc.core.model.requirements import ANY_EXECUTOR, ANY_VALIDATOR, Requirement, Requirements
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import Content, Phase, Role
from runner_svc.core.spending.expectations import (
    BY_A_MODEL,
    FIRST_ANSWER,
    MOST_OF_ALL,
    NO_PRICES,
    AttemptKind,
    AttemptSize,
    cost_per_question,
    expected,
    size_of,
)
from runner_svc.core.state.task_record import TaskRecord
from runner_svc.prices import Price, Prices
from signoff.v1 import execution_pb2, plan_pb2
from tests.support.values.maps import map_of
from worker_svc.assignment import Artifact, Assignment
from worker_svc.executor import request_for
from worker_svc.llm.account import tokens_asked
from worker_svc.llm.port import ModelRequest
from worker_svc.prompts.messages import Asking
from worker_svc.validate.judge.panel import judge_request

SPEC = plan_pb2.TaskSpec(
    task_id="1_2",
    description="Write about the moons of Mars, for children who have never looked through a telescope.",
    input=plan_pb2.TaskInput(description="Notes", parameters_json='{"language": "English"}'),
    output=plan_pb2.TaskOutput(description="A page", format="Markdown", artifact="page"),
    validation=plan_pb2.Validation(
        criteria=["It names both moons.", "It says who has found them."],
        checks=[plan_pb2.Check(length=plan_pb2.LengthCheck(min_chars=100, max_chars=5_000))] * 3,
    ),
)


def plan(spec: plan_pb2.TaskSpec, inputs: int) -> Map:
    """Returns a plan with some tasks, and one whose inputs are their artifacts."""
    makers = [
        plan_pb2.MapTask(
            spec=plan_pb2.TaskSpec(task_id=f"0_{n}", output=plan_pb2.TaskOutput(artifact=f"notes_{n}")), stage=1
        )
        for n in range(inputs)
    ]
    last = plan_pb2.MapTask(spec=spec, stage=2, waits_for=range(inputs))
    header = plan_pb2.MapHeader(plan_id="p", idea="A book", task_count=inputs + 1, map_digest="d")
    return map_from_parts(
        [plan_pb2.MapPart(header=header), plan_pb2.MapPart(tasks=plan_pb2.MapTasks(tasks=[*makers, last]))]
    )


def content(text: str) -> Content:
    return Content(digest=hashlib.sha256(text.encode()).hexdigest(), size=len(text.encode()), media_type="text/plain")


def artifact(number: int, text: str) -> Artifact:
    made = content(text)
    name = f"notes_{number}"
    return Artifact(
        name=name, task_id=f"0_{number}", media_type="text/plain", digest=made.digest, content=text.encode()
    )


def asked(request: ModelRequest) -> int:
    """Estimates tokens as a worker does."""
    messages = [{"content": message.content} for message in request.messages]
    return tokens_asked(messages, request.schema)


@pytest.mark.parametrize(("inputs", "size"), [(0, 0), (1, 10), (3, 5_000), (2, 60_000), (30, 20_000), (2_000, 40)])
def test_a_prompt_is_no_longer_than_expected_and_not_much_shorter_than_half_of_it(inputs: int, size: int) -> None:
    texts = ["x" * size] * inputs
    records = {n: TaskRecord(artifact=content(text)) for n, text in enumerate(texts)}
    records[inputs] = TaskRecord(candidate=content("y" * 3_000))
    judged = Artifact(name="page", task_id="1_2", media_type="text/markdown", digest="", content=b"y" * 3_000)
    assignment = Assignment(
        lease_id="l", phase=execution_pb2.PHASE_EXECUTE, execution_id="e", plan_id="p", idea="A book", attempt=1,
        task=SPEC, inputs=tuple(artifact(n, text) for n, text in enumerate(texts)), omitted=(), candidate=None,
        feedback=None,
    )  # fmt: skip
    criteria = tuple(SPEC.validation.criteria)
    execute = size_of(plan(SPEC, inputs), records, inputs, Phase.EXECUTE, ANY_EXECUTOR)
    judge = size_of(plan(SPEC, inputs), records, inputs, Phase.VALIDATE, ANY_VALIDATOR)
    for found, request in (
        (execute, request_for(assignment)[0]),
        (judge, judge_request(assignment, judged, criteria, Asking(nonce="n" * 16))),
    ):
        assert asked(request) <= found.prompt <= asked(request) * 2 + 1_000


def test_inputs_are_looked_at_until_no_prompt_could_hold_more() -> None:
    many = plan(SPEC, 2_000)
    records = {n: TaskRecord(artifact=content("x" * 500)) for n in range(2_000)}

    class Seen(dict[int, TaskRecord]):
        looked = 0

        def get(self, key: int, default: object = None) -> object:  # type: ignore[override]
            self.looked += 1
            return super().get(key)

    seen = Seen(records)
    assert size_of(many, seen, 2_000, Phase.EXECUTE, ANY_EXECUTOR).prompt * 3 < MOST_OF_ALL + 3_000
    assert seen.looked < 300


@pytest.mark.guard(name="votes are counted")
def test_a_judge_is_asked_for_each_vote_and_each_part_of_the_candidate() -> None:
    once, thrice = (map_of("a", demands={"a": Demands(votes=votes)}) for votes in (1, 3))
    short, long = {0: TaskRecord(candidate=content("x"))}, {0: TaskRecord(candidate=content("x" * 450_000))}

    def size(of: Map, records: dict[int, TaskRecord]) -> AttemptSize:
        return size_of(of, records, 0, Phase.VALIDATE, ANY_VALIDATOR)

    assert (size(once, short).kind.questions, size(thrice, short).kind.questions) == (1, 3)
    assert size(thrice, short).prompt == 3 * size(once, short).prompt
    assert (size(once, long).kind.questions, size(thrice, long).kind.questions) == (3, 9)
    assert size(once, long).prompt > 450_000 // 3 + 2 * size(once, short).prompt
    assert expected(size(thrice, short), None, (), None).tokens == size(thrice, short).prompt + 3 * 300


def test_who_asks_no_model_is_expected_to_cost_what_others_like_it_have() -> None:
    command = Requirement(role=Role.EXECUTOR, handlers=frozenset({"command"}))
    function = Requirement(role=Role.EXECUTOR, handlers=frozenset({"fetch"}))
    checks = Requirement(role=Role.VALIDATOR, handlers=frozenset())
    phases = {Role.EXECUTOR: Phase.EXECUTE, Role.VALIDATOR: Phase.VALIDATE}
    sizes = [size_of(map_of("a"), {}, 0, phases[wants.role], wants) for wants in (command, function, checks)]
    first = [expected(size, None, (), None) for size in sizes]
    assert [(wanted.tokens, wanted.is_guess) for wanted in first] == [(0, False), (FIRST_ANSWER, True), (0, False)]
    lesson = cost_per_question(sizes[1], Usage(input_tokens=300, output_tokens=50, cost_nanos=9))
    then = expected(sizes[1], lesson, (), Prices())
    assert (then.tokens, then.cost_nanos, then.is_guess) == (350, 9, False)


def test_the_limit_of_an_answer_is_what_is_expected_of_it() -> None:
    plan = map_of("a; b", requirements={"a": Requirements(max_tokens=70)})
    limited, free = (size_of(plan, {}, task, Phase.EXECUTE, ANY_EXECUTOR) for task in (0, 1))
    lesson = cost_per_question(free, Usage(input_tokens=free.prompt + 40, output_tokens=2_500))
    assert lesson is not None
    assert (expected(limited, None, (), None).tokens, expected(limited, None, (), None).is_guess) == (
        limited.prompt + 70,
        False,
    )
    assert expected(limited, lesson, (), None).tokens == limited.prompt + 70 + 40
    assert expected(free, lesson, (), None).tokens == free.prompt + 2_500 + 40


def test_what_is_learned_of_several_questions_is_learned_of_each() -> None:
    kind = AttemptKind(Phase.VALIDATE, ANY_VALIDATOR, 4, 300, False)
    lesson = cost_per_question(AttemptSize(kind, 4_000, 0), Usage(input_tokens=4_401, output_tokens=2_002, requests=8))
    assert lesson == Usage(input_tokens=101, output_tokens=501, requests=2)
    once = AttemptSize(kind._replace(questions=1), 1_000, 0)
    assert expected(once, lesson, (), None).tokens == 1_000 + 101 + 501
    assert kind.key == (Phase.VALIDATE, BY_A_MODEL)


def test_a_model_that_was_not_heard_teaches_nothing() -> None:
    size = size_of(map_of("a"), {}, 0, Phase.EXECUTE, ANY_EXECUTOR)
    assert cost_per_question(size, Usage(requests=3)) is None
    assert cost_per_question(size, Usage(requests=1, estimated_input_tokens=500)) is None
    assert cost_per_question(size, Usage(requests=1, input_tokens=500)) is not None


def test_the_dearest_of_the_models_that_may_be_asked_is_expected() -> None:
    prices = Prices("EUR", {"cheap": Price(input=1, output=1), "dear": Price(input=5, output=10, request=1)})
    size = AttemptSize(AttemptKind(Phase.EXECUTE, ANY_EXECUTOR, 1, 0, True), 1_000, 200)
    cost = 1_000 * 5_000 + 200 * 10_000 + 10**9
    assert expected(size, None, ("cheap", "dear"), prices).cost_nanos == cost
    assert expected(size, None, ("cheap",), prices).cost_nanos == 1_200_000
    assert expected(size, None, ("",), prices).cost_nanos == cost, "it may be any"
    assert expected(size, None, ("cheap", "other"), prices).unpriced == "other"
    assert expected(size, None, ("",), NO_PRICES).unpriced == ""
    assert expected(size, None, ("other",), None).unpriced is None, "no budget is of cost"
