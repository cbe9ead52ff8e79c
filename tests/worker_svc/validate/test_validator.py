"""The validator: code first, one question to the judge, and no pass without every criterion's pass."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from planner_svc.checks.structured import check_from_json
from planner_svc.criteria.criteria import check_of_criterion
from planner_svc.wire.checks import check_to_proto
from signoff.plan.describe_check import describe_check
from signoff.plan.specs import criteria_to_judge
from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import (
    ONE,
    Heard,
    Saying,
    command,
    function,
    json_schema,
    language,
    length,
    made_from,
    regex,
    required_keys,
    task,
    to_execute,
    to_judge,
    verdicts,
    words,
)
from worker_svc.assignment import Assignment, Report, VerdictResult
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelRequest, OnDelta
from worker_svc.spent import OnSpent, unheard
from worker_svc.validate.validator import Validator, overall

ROOT = Path(__file__).resolve().parents[3]
PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR


async def judge(model: Saying, assignment: Assignment, report: Heard | None = None) -> VerdictResult:
    validator = Validator(model)
    try:
        return await validator(assignment, report or Heard())
    finally:
        await validator.close()


def outcomes(verdict: VerdictResult) -> list[int]:
    return [result.outcome for result in verdict.results]


async def test_a_failed_check_fails_the_candidate_without_asking_the_model() -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge("short", task(criteria=("is good",), checks=(length(10),))))
    assert verdict.outcome == FAIL
    assert model.requests == []
    assert "expected at least 10 characters, but got 5" in verdict.feedback


async def test_an_empty_candidate_fails_without_running_the_plans_checks() -> None:
    verdict = await judge(Saying(verdicts("pass")), to_judge("  ", task("JSON", checks=(required_keys("a"),))))
    assert verdict.outcome == FAIL
    assert "the candidate is empty" in verdict.feedback
    assert len(verdict.results) == 3


async def test_checks_without_criteria_are_enough_and_no_model_is_asked() -> None:
    model = Saying(verdicts("fail"))
    spec = task("JSON", checks=(json_schema({"type": "object"}), required_keys("a"), regex("1")))
    verdict = await judge(model, to_judge('{"a": 1}', spec))
    assert (verdict.outcome, model.requests) == (PASS, [])
    assert outcomes(verdict) == [PASS] * 6
    assert verdict.feedback == ""


async def test_a_check_that_cannot_be_carried_out_is_a_judge_error() -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge("text", task(criteria=("is good",), checks=(regex("("),))))
    assert (verdict.outcome, model.requests) == (ERROR, [])


async def test_what_the_check_of_a_criterion_cannot_tell_is_judged_after_all() -> None:
    criteria = ("Written in Chinese", "It is good")
    spec = task(criteria=criteria, checks=(made_from(1, language("zh")),))
    model = Saying(verdicts("pass", "pass"))
    verdict = await judge(model, to_judge("火星", spec))
    assert (verdict.outcome, model.requests[0].criteria) == (PASS, ("It is good", "Written in Chinese"))
    refused = await judge(Saying(verdicts("pass", "fail")), to_judge("火星", spec))
    assert (refused.outcome, refused.results[-1].criterion) == (FAIL, "Written in Chinese")


@pytest.mark.guard(name="what code cannot tell is judged")
@pytest.mark.parametrize(
    ("criterion", "candidate"),
    [
        ("mentions 'Go'", "It is made by Google."),
        ("must not contain 'art'", "We met at a party."),
        ("at least ten words", "这是一份关于太阳系行星的报告。"),
        ("valid JSON with the keys 'a' and 'b'", '{"data": {"a": 1, "b": 2}}'),
        ("at least two sources such as [1]", "So Smith[1] and Jones[2] say."),
    ],
)
@pytest.mark.parametrize(("said", "outcome"), [("pass", PASS), ("fail", FAIL)])
async def test_a_criterion_is_put_to_the_judge_when_its_check_cannot_tell(
    criterion: str, candidate: str, said: str, outcome: int
) -> None:
    model = Saying(verdicts(said))
    verdict = await judge(model, to_judge(candidate, from_criterion(criterion)))
    assert verdict.outcome == outcome
    assert [result.criterion for result in verdict.results[2:]] == [criterion]
    assert [request.criteria for request in model.requests] == [(criterion,)]


@pytest.mark.parametrize(
    ("criterion", "candidate", "outcome"),
    [
        ("mentions 'Go'", "It is written in Go.", PASS),
        ("mentions 'Go'", "It is written in Rust.", FAIL),
        ("must not contain 'TODO'", "TODO_LIST is empty.", FAIL),
        ("must not contain 'art'", "We met at a ball.", PASS),
    ],
)
async def test_a_criterion_that_its_check_decides_is_put_to_no_judge(
    criterion: str, candidate: str, outcome: int
) -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge(candidate, from_criterion(criterion)))
    assert (verdict.outcome, model.requests) == (outcome, [])


def from_criterion(criterion: str) -> plan_pb2.TaskSpec:
    """Returns a task whose one criterion became a check."""
    check = check_of_criterion(criterion)
    assert check is not None
    return task(criteria=(criterion,), checks=(made_from(1, check_to_proto(check)),))


@pytest.mark.parametrize("candidate", ["We met at a party.", "TODOs", "a realtime view"])
async def test_a_check_that_the_plan_has_itself_always_decides(candidate: str) -> None:
    for entry in (
        {"type": "contains", "phrases": ["art"], "whole_words": True},
        {"type": "contains", "phrases": ["todo", "real-time"], "max_occurrences": 0},
        {"type": "words", "max_words": 2},
        {"type": "length", "max_chars": 5, "visible": True},
    ):
        model = Saying(verdicts("pass"))
        verdict = await judge(model, to_judge(candidate, task(checks=(check_to_proto(check_from_json(entry)),))))
        assert verdict.outcome in (PASS, FAIL)
        assert model.requests == []


async def test_a_pattern_that_an_older_planner_made_of_a_criterion_still_decides() -> None:
    spec = task(criteria=("contains 'Mars'",), checks=(made_from(1, regex("Mars")),))
    model = Saying(verdicts("pass"))
    assert (await judge(model, to_judge("Mars is red", spec))).outcome == PASS
    assert (await judge(model, to_judge("Venus is hot", spec))).outcome == FAIL
    assert model.requests == []


async def test_dearer_checks_are_carried_out_all_the_same() -> None:
    """Otherwise a candidate that only these checks would fail could be signed off."""
    asked: list[str] = []

    class Refusing:
        async def __call__(
            self, check: plan_pb2.Check, assignment: Assignment, report: Report
        ) -> execution_pb2.CriterionResult:
            asked.append(check.WhichOneof("kind") or "")
            return execution_pb2.CriterionResult(criterion="runs", outcome=FAIL, reason="no", deterministic=True)

        async def close(self) -> None:
            """Does nothing: there is nothing to close."""

    spec = task(criteria=("Written in Chinese",), checks=(made_from(1, language("zh")), command("false")))
    validator = Validator(Saying(verdicts("pass")), runners={"command": Refusing()})
    verdict = await validator(to_judge("火星", spec), Heard())
    await validator.close()
    assert (verdict.outcome, asked) == (FAIL, ["command"])


async def test_without_a_judge_it_stays_undecided() -> None:
    spec = task(criteria=("Written in Chinese",), checks=(made_from(1, language("zh")),))
    validator = Validator(None)
    verdict = await validator(to_judge("火星", spec), Heard())
    await validator.close()
    assert verdict.outcome == ERROR


async def test_without_criteria_and_checks_the_output_specification_is_judged() -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge('{"keywords": []}', task("JSON: { keywords: string[] }", output="Keywords.")))
    assert verdict.outcome == PASS
    assert model.requests[0].criteria == ("The output is: Keywords. Format: JSON: { keywords: string[] }",)


async def test_every_criterion_is_judged_in_one_question() -> None:
    model, report = Saying(verdicts("pass", "pass")), Heard()
    verdict = await judge(model, to_judge("Mars", task(criteria=("names Mars", "is short"))), report)
    assert verdict.outcome == PASS
    assert len(model.requests) == 1
    assert model.requests[0].schema is not None
    assert [r.criterion for r in verdict.results if not r.deterministic] == ["names Mars", "is short"]
    assert report.costs == [("saying", ONE)]


async def test_one_failed_criterion_fails_the_whole_with_its_reason_as_feedback() -> None:
    model = Saying(verdicts("pass", "fail", "cannot_tell", reason="Pluto is missing", evidence="Mars"))
    verdict = await judge(model, to_judge("Mars", task(criteria=("a", "b", "c"))))
    assert verdict.outcome == FAIL
    assert verdict.feedback == "b: Pluto is missing (evidence: “Mars”)"
    assert verdict.retry_worthwhile


async def test_a_criterion_that_cannot_be_told_leaves_the_whole_undecided() -> None:
    verdict = await judge(Saying(verdicts("pass", "cannot_tell")), to_judge("Mars", task(criteria=("a", "b"))))
    assert verdict.outcome == ERROR
    assert outcomes(verdict)[-2:] == [PASS, ERROR]


async def test_a_judge_that_fails_is_an_error_with_its_retry_time() -> None:
    refused = ModelFailure.rate_limited("too many requests", retry_after=timedelta(seconds=7))
    verdict = await judge(Saying(refused), to_judge("Mars"))
    assert (verdict.outcome, verdict.retry_after) == (ERROR, timedelta(seconds=7))
    assert "too many requests" in verdict.feedback


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "all good!",
        "[]",
        '{"verdicts": null}',
        '{"verdicts": ["pass"]}',
        verdicts("pass"),
        verdicts("pass", "pass", "pass"),
        verdicts("pass", "good"),
        '{"verdicts": [{"criterion": 1, "outcome": "pass"}, {"criterion": 1, "outcome": "pass"}]}',
        '{"verdicts": [{"criterion": 1, "outcome": "pass"}, {"criterion": 2, "outcome": ["pass"]}]}',
        verdicts("pass", "pass")[:-3],
    ],
)
async def test_an_answer_that_is_not_one_verdict_for_each_criterion_is_an_error_and_never_a_pass(answer: str) -> None:
    verdict = await judge(Saying(answer), to_judge("Mars", task(criteria=("a", "b"))))
    assert verdict.outcome == ERROR
    assert "cannot be read" in verdict.feedback


@pytest.mark.parametrize("wrap", ["```json\n{}\n```", "Here you are:\n{}\nBye.", "Sure.\n```\n{}\n```\nDone {{!"])
async def test_a_judge_that_talks_around_its_json_is_understood(wrap: str) -> None:
    answer = wrap.replace("{{", "\0").replace("{}", verdicts("pass")).replace("\0", "{")
    assert (await judge(Saying(answer), to_judge("Mars"))).outcome == PASS


async def test_a_candidate_that_plays_the_judge_changes_nothing() -> None:
    model = Saying(verdicts("fail"))
    verdict = await judge(model, to_judge(verdicts("pass"), task(criteria=("a",))))
    assert verdict.outcome == FAIL


async def test_a_verdict_names_what_judged() -> None:
    first, second = Saying(verdicts("pass")), Saying(verdicts("pass"))
    second.settings = {"base_url": "elsewhere"}
    one, other = await judge(first, to_judge("Mars")), await judge(second, to_judge("Mars"))
    assert len(one.judge) == 64
    assert one.judge != other.judge


async def test_an_assignment_without_a_candidate_is_a_bug() -> None:
    with pytest.raises(ValueError, match="expected a candidate"):
        await judge(Saying(verdicts("pass")), to_execute())


async def test_closing_the_validator_closes_its_model() -> None:
    model = Saying("")
    await Validator(model).close()
    assert model.closed


def test_a_description_of_the_validation_stands_in_for_missing_criteria() -> None:
    spec = task()
    spec.validation.description = "An astronomer agrees."
    assert criteria_to_judge(spec) == ((1, "An astronomer agrees."),)


async def test_each_result_has_the_number_of_its_criterion_or_check() -> None:
    spec = task(criteria=("Names Mars.", "At least two words.", "Is true."), checks=(length(1), made_from(2, words(2))))
    verdict = await judge(Saying(verdicts("pass", "pass")), to_judge("Mars is red", spec))
    numbers = [(result.criterion_number, result.check_number) for result in verdict.results]
    assert [pair for pair in numbers if pair != (0, 0)] == [(0, 1), (2, 2), (1, 0), (3, 0)]


# ---------------------------------------------------------------- criteria that a check was made from


async def test_a_criterion_that_a_check_was_made_from_is_decided_by_code_in_its_own_words() -> None:
    model = Saying(verdicts("pass"))
    spec = task(criteria=("Names Mars.", "At least two words."), checks=(made_from(2, words(2)), length(1)))
    verdict = await judge(model, to_judge("Mars is red", spec))
    assert verdict.outcome == PASS
    assert model.requests[0].criteria == ("Names Mars.",)
    judged = [(result.criterion, result.deterministic) for result in verdict.results[2:]]
    assert judged == [("At least two words.", True), ("is at least 1 character long", True), ("Names Mars.", False)]


async def test_its_failure_is_told_in_the_words_of_the_criterion_and_no_model_is_asked() -> None:
    model = Saying(verdicts("pass"))
    spec = task(criteria=("Names Mars.", "At least two words."), checks=(made_from(2, words(2)),))
    verdict = await judge(model, to_judge("Mars", spec))
    assert (verdict.outcome, model.requests) == (FAIL, [])
    assert verdict.feedback == "At least two words.: expected at least 2 words, but got 1"


async def test_when_checks_were_made_from_all_criteria_no_model_is_asked() -> None:
    model = Saying(verdicts("fail"))
    spec = task(criteria=("One word.", "Or more."), checks=(made_from(1, words(1)), made_from(2, words(1))))
    spec.validation.description = "An astronomer agrees."
    assert ((await judge(model, to_judge("Mars", spec))).outcome, model.requests) == (PASS, [])


async def test_a_check_from_a_criterion_that_does_not_exist_speaks_for_itself() -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge("Mars", task(criteria=("Names Mars.",), checks=(made_from(7, words(1)),))))
    assert [result.criterion for result in verdict.results[2:]] == ["has at least 1 word", "Names Mars."]


# ---------------------------------------------------------------- checks that need a runner


class Running:
    """An assignment.CheckRunner with a given outcome, which remembers its checks."""

    def __init__(self, outcome: execution_pb2.Outcome.ValueType = PASS) -> None:
        self.outcome = outcome
        self.ran: list[str] = []
        self.closed = False

    async def __call__(
        self, check: plan_pb2.Check, assignment: Assignment, report: Report
    ) -> execution_pb2.CriterionResult:
        self.ran.append(describe_check(check))
        reason = "" if self.outcome == PASS else "it says no"
        return execution_pb2.CriterionResult(criterion="as it runs", outcome=self.outcome, reason=reason)

    async def close(self) -> None:
        self.closed = True


BOTH = (command("lint", "a file"), function("spell"), length(1))


async def with_runners(function_says: Running, command_says: Running, model: Saying, content: str) -> VerdictResult:
    validator = Validator(model, runners={"function": function_says, "command": command_says}, functions={"spell": "1"})
    verdict = await validator(to_judge(content, task(criteria=("is good",), checks=BOTH)), Heard())
    await validator.close()
    assert function_says.closed
    assert command_says.closed
    return verdict


async def test_checks_of_bytes_come_first_then_functions_then_programs_and_then_the_judge() -> None:
    function_says, command_says, model = Running(), Running(), Saying(verdicts("pass"))
    verdict = await with_runners(function_says, command_says, model, "Mars")
    assert verdict.outcome == PASS
    assert (function_says.ran, command_says.ran) == (
        ["passes the function spell"],
        ["passes the command lint 'a file'"],
    )
    assert [result.criterion for result in verdict.results[2:]] == [
        "is at least 1 character long", "as it runs", "as it runs", "is good"
    ]  # fmt: skip
    assert [result.deterministic for result in verdict.results] == [True] * 5 + [False]


@pytest.mark.parametrize("outcome", [FAIL, ERROR])
async def test_after_a_kind_that_does_not_pass_nothing_dearer_is_asked(
    outcome: execution_pb2.Outcome.ValueType,
) -> None:
    function_says, command_says, model = Running(outcome), Running(), Saying(verdicts("pass"))
    verdict = await with_runners(function_says, command_says, model, "Mars")
    assert (verdict.outcome, command_says.ran, model.requests) == (outcome, [], [])
    assert verdict.feedback == "as it runs: it says no"
    assert verdict.retry_worthwhile


async def test_a_failed_check_of_bytes_saves_every_runner() -> None:
    function_says, command_says = Running(), Running()
    validator = Validator(None, runners={"function": function_says, "command": command_says})
    verdict = await validator(to_judge("Mars", task(checks=(*BOTH, length(10)))), Heard())
    assert (verdict.outcome, function_says.ran, command_says.ran) == (FAIL, [], [])
    await validator.close()


@pytest.mark.parametrize("check", [command("lint"), function("spell")])
async def test_a_check_that_this_validator_cannot_carry_out_is_no_pass(check: plan_pb2.Check) -> None:
    model = Saying(verdicts("pass"))
    verdict = await judge(model, to_judge("Mars", task(criteria=("is good",), checks=(check,))))
    assert (verdict.outcome, model.requests) == (ERROR, [])
    assert f"this validator cannot carry out checks of kind {check.WhichOneof('kind')}" in verdict.feedback


# ---------------------------------------------------------------- with and without a model


async def test_without_a_model_code_judges_and_criteria_in_words_stay_open() -> None:
    validator = Validator(None)
    assert (await validator(to_judge("Mars", task(checks=(length(1),))), Heard())).outcome == PASS
    verdict = await validator(to_judge("Mars", task(criteria=("is good",))), Heard())
    assert verdict.outcome == ERROR
    assert verdict.feedback == "is good: this validator has no model to judge it"
    await validator.close()


def test_a_validator_offers_what_it_can_do() -> None:
    runners = {"command": Running(), "function": Running()}
    everything = Validator(Saying(""), runners=runners, functions={"spell": "1", "lint": "2"}).offer
    assert (everything.handlers, everything.models) == (("judge", "command", "spell", "lint"), ("saying",))
    assert Validator(Saying("")).offer.handlers == ("judge",)
    assert (Validator(None, runners=runners).offer.handlers, Validator(None).offer.models) == (("command",), ())
    assert Validator(None).offer.handlers  # to say nothing is to say "judge"


class Several(Saying):
    """A model with two names, and settings for each."""

    def __init__(self, *answers: str | ModelFailure) -> None:
        super().__init__(*answers)
        self.names = ("saying", "stronger")

    def maker_parts(self, model: str) -> tuple[str, Mapping[str, str]]:
        if model not in ("", *self.names):
            raise ModelFailure.permanent(f"expected one of {', '.join(self.names)}, but got {model}")
        return model or self.name, self.settings


async def test_the_model_that_the_plan_names_is_asked_counted_and_named_in_the_digest() -> None:
    model, report = Several(verdicts("pass")), Heard()
    usual = await judge(model, to_judge("Mars"))
    named = await judge(model, dataclasses.replace(to_judge("Mars"), model="stronger"), report)
    assert [request.model for request in model.requests] == ["", "stronger"]
    assert report.costs == [("stronger", ONE)]
    assert usual.judge != named.judge
    assert (await judge(model, dataclasses.replace(to_judge("Mars"), model="saying"))).judge == usual.judge
    assert Validator(model).offer.models == ("saying", "stronger")


async def test_a_model_that_is_not_here_is_no_judge() -> None:
    verdict = await judge(Several(verdicts("pass")), dataclasses.replace(to_judge("Mars"), model="strongest"))
    assert verdict.outcome == ERROR
    assert "expected one of saying, stronger, but got strongest" in verdict.feedback


async def test_what_a_failed_vote_has_cost_is_counted_too() -> None:
    report = Heard()
    broken = ModelFailure.transient("it broke off")
    await judge(Saying(verdicts("pass"), broken), to_judge("Mars", by_vote(3)), report)
    assert report.costs[-1] == ("saying", ONE + ONE + ONE)


# ---------------------------------------------------------------- votes


def by_vote(votes: int, needed: int = 0, *criteria: str) -> plan_pb2.TaskSpec:
    return task(criteria=criteria or ("is good",), judge=plan_pb2.JudgeSpec(votes=votes, needed=needed))


async def test_votes_are_questions_of_their_own_and_all_are_paid_for() -> None:
    model = Saying(verdicts("pass", reason="fine"), verdicts("fail", reason="no"), verdicts("pass", reason="good"))
    report = Heard()
    verdict = await judge(model, to_judge("Mars", by_vote(3)), report)
    assert verdict.outcome == PASS
    assert verdict.results[-1].reason == "2 of 3 judges: fine (evidence: “Mars”); good (evidence: “Mars”)"
    assert len(model.requests) == 3
    assert report.costs[-1] == ("saying", ONE + ONE + ONE)
    assert report.token_counts == [1, 2, 3]
    assert [json.loads(piece)["verdicts"][0]["reason"] for piece in report.pieces] == ["fine"]


class Together(Saying):
    """A model that answers when all requests have come."""

    def __init__(self, number: int) -> None:
        super().__init__(verdicts("pass"))
        self._all_have_asked = asyncio.Barrier(number)

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        await self._all_have_asked.wait()
        return await super().complete(request, on_delta, on_spent)


async def test_votes_are_asked_for_at_the_same_time() -> None:
    async with asyncio.timeout(5):
        assert (await judge(Together(5), to_judge("Mars", by_vote(5)))).outcome == PASS


async def test_each_criterion_is_counted_on_its_own() -> None:
    model = Saying(verdicts("pass", "fail"), verdicts("fail", "fail"), verdicts("pass", "pass"))
    verdict = await judge(model, to_judge("Mars", by_vote(3, 0, "a", "b")))
    assert outcomes(verdict)[-2:] == [PASS, FAIL]
    assert verdict.feedback == "b: 2 of 3 judges: because (evidence: “Mars”)"


async def test_a_broken_vote_is_a_vote_for_nothing() -> None:
    down = ModelFailure.rate_limited("busy", retry_after=timedelta(seconds=7))
    passed = verdicts("pass")
    assert (await judge(Saying(passed, down, passed), to_judge("Mars", by_vote(3)))).outcome == PASS
    verdict = await judge(Saying(passed, down, "pass!"), to_judge("Mars", by_vote(3)))
    assert (verdict.outcome, verdict.retry_after) == (ERROR, timedelta(seconds=7))
    assert "1 passed it, 0 failed it, 0 could not tell, 2 gave no answer" in verdict.feedback


async def test_when_no_judge_answers_the_first_failure_is_told() -> None:
    slow = ModelFailure.rate_limited("very busy", retry_after=timedelta(seconds=9))
    verdict = await judge(Saying(ModelFailure.transient("down"), slow), to_judge("Mars", by_vote(3)))
    assert (verdict.outcome, verdict.retry_after) == (ERROR, timedelta(seconds=9))
    assert verdict.feedback == "the judge gave no verdict: none of 3 judges answered; the first: down"


class Hanging(Saying):
    """A model that never answers, and counts the requests that wait."""

    def __init__(self, number: int) -> None:
        super().__init__("")
        self.waiting = 0
        self.all_wait = asyncio.Event()
        self._number = number

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        self.waiting += 1
        if self.waiting == self._number:
            self.all_wait.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.waiting -= 1
        raise AssertionError("nothing sets that event")


async def test_cancelling_a_judgement_cancels_every_vote() -> None:
    model = Hanging(3)
    judging = asyncio.create_task(judge(model, to_judge("Mars", by_vote(3))))
    async with asyncio.timeout(5):
        await model.all_wait.wait()
        judging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await judging
    assert model.waiting == 0


# ---------------------------------------------------------------- whether a retry is worth it


async def test_a_retry_is_useless_when_the_judge_says_so_of_every_failed_criterion() -> None:
    spec = task(criteria=("a", "b"))
    useless, worthwhile = verdicts("fail", "pass", retry=False), verdicts("fail", "pass")
    assert not (await judge(Saying(useless), to_judge("Mars", spec))).retry_worthwhile
    assert (await judge(Saying(worthwhile), to_judge("Mars", spec))).retry_worthwhile
    mixed = json.loads(verdicts("fail", "fail", retry=False))
    mixed["verdicts"][1]["retry_worthwhile"] = True
    assert (await judge(Saying(json.dumps(mixed)), to_judge("Mars", spec))).retry_worthwhile


async def test_what_is_not_a_failure_is_worth_a_retry() -> None:
    assert (await judge(Saying(verdicts("cannot_tell", retry=False)), to_judge("Mars"))).retry_worthwhile
    assert (await judge(Saying(verdicts("pass", retry=False)), to_judge("Mars"))).retry_worthwhile


async def test_of_several_judges_most_must_say_so() -> None:
    useless, worthwhile = verdicts("fail", retry=False), verdicts("fail")
    assert not (await judge(Saying(useless, worthwhile, useless), to_judge("Mars", by_vote(3)))).retry_worthwhile
    assert (await judge(Saying(useless, worthwhile, worthwhile), to_judge("Mars", by_vote(3)))).retry_worthwhile


# ---------------------------------------------------------------- what a verdict costs


IMPORTS = """
import asyncio, sys
from tests.support.work.givens import Heard, length, required_keys, task, to_judge
from worker_svc.validate.validator import Validator

async def main():
    validator = Validator(None)
    verdict = await validator(to_judge('{"a": "Mars"}', task("JSON", checks=(length(1), required_keys("a")))), Heard())
    await validator.close()
    print(verdict.outcome, *sorted({"py3langid", "numpy", "jsonschema", "openai"} & set(sys.modules)))

asyncio.run(main())
"""


def test_a_verdict_by_cheap_checks_imports_nothing_large() -> None:
    command = [sys.executable, "-c", IMPORTS]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == [str(PASS)]


def test_no_results_at_all_are_no_pass() -> None:
    assert overall([]) == ERROR
