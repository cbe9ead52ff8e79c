"""Functions as executors and as checks: from an assignment to a result."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from signoff.app import App, Context, Document, Failed, Verdict
from signoff.service.logs import LOG_FILE
from signoff.v1 import execution_pb2, plan_pb2, worker_pb2
from tests.support.work.functions import SAMPLE, callee
from tests.support.work.givens import Heard, artifact, spent, task, to_execute, to_judge
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Feedback, Result, VerdictResult
from worker_svc.functions.checks import FinalFailureAware, FunctionChecks
from worker_svc.functions.executor import FunctionExecutor, maker_of
from worker_svc.functions.jobs import job_of
from worker_svc.functions.loading import functions_of
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.validate.validator import Validator

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
FUNCTIONS = functions_of([SAMPLE])


@pytest.fixture
async def places() -> AsyncIterator[CallPlaces]:
    created = CallPlaces(slots=2)
    yield created
    await created.close()


def asking(parameters: Any, *checks: str, output_format: str = "") -> plan_pb2.TaskSpec:
    spec = task(output_format, checks=tuple(map(function_check, checks)))
    spec.input.parameters_json = json.dumps(parameters)
    return spec


def function_check(name: str) -> plan_pb2.Check:
    return plan_pb2.Check(function=plan_pb2.FunctionCheck(name=name))


# ---------------------------------------------------------------- executors


async def test_a_function_makes_a_candidate_in_the_name_of_its_version(places: CallPlaces) -> None:
    executor, heard = FunctionExecutor(FUNCTIONS.executors["fetch"], places), Heard()
    made = await executor(to_execute(asking({"topic": "Mars"})), heard)
    maker = maker_of(FUNCTIONS.executors["fetch"].function)
    content = b'{"titles":["Mars 1","Mars 2"]}'
    assert made == CandidateResult(content=content, media_type="application/json", maker=maker)
    assert (executor.offer.handlers, executor.offer.makers) == (("fetch",), (maker,))
    assert (heard.pieces, heard.costs) == (["looking for Mars\n"], [("archive", spent(2, 0))])


async def test_what_was_saved_is_what_the_next_call_goes_on_from() -> None:
    assignment = to_execute(asking({}))
    assert job_of(assignment).checkpoint is None
    assert job_of(replace(assignment, checkpoint=b'{"pages": 3}')).checkpoint == {"pages": 3}


async def test_what_another_kind_of_worker_has_left_is_no_checkpoint_of_a_function() -> None:
    with capture_logs() as logged:
        assert job_of(replace(to_execute(asking({})), checkpoint=b"\x80page 3")).checkpoint is None
    assert [line["event"] for line in logged] == ["checkpoint_not_understood"]


async def test_text_has_the_media_type_that_the_format_stands_for(places: CallPlaces) -> None:
    def write() -> str:
        return "# Mars"

    executor = FunctionExecutor(callee(write), places)
    for output_format, media_type in (("Markdown", "text/markdown"), ("", "text/plain")):
        made = await executor(to_execute(task(output_format)), Heard())
        assert isinstance(made, CandidateResult)
        assert made.media_type == media_type


async def test_failures_say_their_kind_and_when_to_try_again(places: CallPlaces) -> None:
    def fails(kind: str) -> str:
        if kind == "permanent":
            raise Failed.permanent("no such topic")
        raise Failed("busy", retry_after=5)

    executor = FunctionExecutor(callee(fails), places)
    assert await executor(to_execute(asking({"kind": "permanent"})), Heard()) == FailureResult(
        kind=execution_pb2.FAILURE_KIND_PERMANENT, message="no such topic"
    )
    assert await executor(to_execute(asking({"kind": "passing"})), Heard()) == FailureResult(
        kind=execution_pb2.FAILURE_KIND_TRANSIENT, message="busy", retry_after=timedelta(seconds=5)
    )


async def test_a_traceback_is_logged_and_not_sent(places: CallPlaces) -> None:
    def breaks() -> str:
        raise KeyError("topic")

    with capture_logs() as logs:
        failed = await FunctionExecutor(callee(breaks), places)(to_execute(), Heard())
    assert isinstance(failed, FailureResult)
    assert failed.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    place = r"\S*test_executor\.py:\d+ in breaks"
    in_log = r"\(the traceback is in the worker's log\)"
    assert re.fullmatch(rf"KeyError: 'topic' \({place}\) {in_log}", failed.message)
    (entry,) = logs
    assert (entry["event"], entry["function"], entry["task"]) == ("function_failed", "breaks", "1_1")
    assert entry["exception"].endswith("KeyError: 'topic'")
    assert __file__ in entry["exception"]


async def test_the_message_names_the_log_that_has_the_traceback(
    places: CallPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> str:
        raise KeyError("topic")

    monkeypatch.setenv(LOG_FILE, "db/.signoff/logs/executor-1.log")
    failed = await FunctionExecutor(callee(breaks), places)(to_execute(), Heard())
    assert isinstance(failed, FailureResult)
    assert failed.message.endswith(" (the traceback is in db/.signoff/logs/executor-1.log)")
    assert failed.gist.startswith("builtins.KeyError\nKeyError: 'topic'\n")
    assert "log" not in failed.gist


def test_the_maker_follows_from_name_and_version() -> None:
    app = App()
    app.executor(name="a", version="1")(len)
    app.executor(name="b", version="1")(len)
    other = App()
    other.executor(name="a", version="2")(len)
    makers = {maker_of(function) for function in (*app.executors.values(), *other.executors.values())}
    assert [len(maker) for maker in makers] == [64, 64, 64]


async def test_inputs_that_memory_may_not_hold_are_a_permanent_failure_with_the_sizes(
    places: CallPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker_svc.functions.jobs.MOST_BYTES", 1_000)
    executor = FunctionExecutor(FUNCTIONS.executors["fetch"], places)
    spec = asking({"topic": "Mars"})
    assert isinstance(await executor(to_execute(spec, inputs=(artifact("x" * 1_000),)), Heard()), CandidateResult)
    failed = await executor(to_execute(spec, inputs=(artifact("x" * 600), artifact("x" * 401))), Heard())
    assert failed == FailureResult(
        kind=execution_pb2.FAILURE_KIND_PERMANENT,
        message="expected inputs of at most 1,000 bytes together, for a function has them in memory, "
        "but they have 1,001: a command has them as files",
    )


def test_an_assignment_becomes_all_that_a_function_may_want_to_know() -> None:
    spec = asking({"limit": 3}, output_format="Markdown")
    passed = execution_pb2.CriterionResult(criterion="is short", outcome=PASS, reason="")
    failed = execution_pb2.CriterionResult(criterion="is true", outcome=FAIL, reason="it is not")
    feedback = Feedback(
        summary="not true", results=(passed, failed), previous_candidate=artifact("old"), earlier=("attempt 1: odd",)
    )
    assignment = to_execute(spec, attempt=2, inputs=(artifact("a", "topic", "1_0"),), feedback=feedback)
    omitted = (worker_pb2.OmittedInput(name="more", reason="too large"),)
    job = job_of(replace(assignment, omitted=omitted))
    seen = job.task
    assert (seen.id, seen.description, seen.plan_id, seen.idea) == ("1_1", "List the planets", "plan", "Know the sky")
    assert (seen.attempt, seen.parameters, seen.output_format) == (2, {"limit": 3}, "Markdown")
    assert seen.output_description == "The planets"
    assert job.text_type == "text/markdown"
    (given,) = job.inputs
    assert isinstance(given, Document)
    assert (given.name, given.task_id, given.text) == ("topic", "1_0", "a")
    assert job.omitted == ("more (too large)",)
    assert job.candidate is None
    assert job.feedback is not None
    assert (job.feedback.summary, job.feedback.reasons) == ("not true", ("is true: it is not",))
    assert job.feedback.earlier == ("attempt 1: odd",)
    assert isinstance(job.feedback.candidate, Document)
    assert job.feedback.candidate.text == "old"
    assert job_of(to_execute(task())).task.parameters is None


# ---------------------------------------------------------------- checks


async def checked(places: CallPlaces, name: str, content: str, topic: str = "Mars") -> execution_pb2.CriterionResult:
    checks = FunctionChecks(FUNCTIONS.validators, places)
    assignment = to_judge(content, asking({"topic": topic}, name))
    return await checks(assignment.task.validation.checks[0], assignment, Heard())


@pytest.mark.parametrize(
    ("content", "outcome", "reason"),
    [
        ('{"titles": ["Mars"]}', PASS, ""),
        ('{"titles": ["Venus"]}', FAIL, "complete says no: Every title names the topic."),
        ('{"titles": []}', FAIL, "there are no papers"),
        ("{}", FAIL, "expected Papers: titles: Field required"),
    ],
)
async def test_a_function_is_a_check_with_its_own_reasons(
    content: str, outcome: execution_pb2.Outcome.ValueType, reason: str, places: CallPlaces
) -> None:
    result = await checked(places, "complete", content)
    assert (result.criterion, result.deterministic) == ("passes the function complete", True)
    assert (result.outcome, result.reason) == (outcome, reason)


async def test_a_reason_that_utf8_cannot_carry_is_carried_all_the_same(places: CallPlaces) -> None:
    def complete(text: str) -> Verdict:
        return Verdict.failed("half an emoji: \ud83e")

    checks = FunctionChecks({"complete": callee(complete, judges=True)}, places)
    assignment = to_judge("Mars", task(checks=(function_check("complete"),)))
    result = await checks(assignment.task.validation.checks[0], assignment, Heard())
    assert (result.outcome, result.reason) == (FAIL, "half an emoji: \ufffd")


async def test_a_function_that_cannot_tell_or_is_not_there_leaves_the_check_undecided(places: CallPlaces) -> None:
    result = await checked(places, "in-archive", '{"titles": []}')
    assert (result.outcome, result.reason) == (ERROR, "the archive is closed")
    result = await checked(places, "elsewhere", "{}")
    offered = "expected one of this validator's functions (complete, in-archive), but got elsewhere"
    assert (result.outcome, result.reason) == (ERROR, offered)


def judging(places: CallPlaces) -> FinalFailureAware:
    checks = FunctionChecks(FUNCTIONS.validators, places)
    return FinalFailureAware(
        Validator(None, runners={"function": checks}, functions=dict.fromkeys(FUNCTIONS.validators, "1")), checks
    )


async def verdict(places: CallPlaces, assignment: Assignment, heard: Heard) -> VerdictResult:
    handler = judging(places)
    result: Result = await handler(assignment, heard)
    await handler.close()
    assert isinstance(result, VerdictResult)
    return result


@pytest.mark.parametrize(
    ("content", "outcome", "worthwhile"),
    [
        ('{"titles": ["Mars"]}', PASS, True),
        ('{"titles": ["Venus"]}', FAIL, True),
        ('{"titles": []}', FAIL, False),
    ],
)
async def test_a_verdict_follows_from_functions_that_say_that_trying_again_makes_no_sense(
    content: str, outcome: execution_pb2.Outcome.ValueType, worthwhile: bool, places: CallPlaces
) -> None:
    given = await verdict(places, to_judge(content, asking({"topic": "Mars"}, "complete")), Heard())
    assert (given.outcome, given.retry_worthwhile) == (outcome, worthwhile)


async def test_what_several_functions_cost_is_added_up(places: CallPlaces) -> None:
    heard = Heard()
    await verdict(places, to_judge('{"titles": []}', asking({"topic": "Mars"}, "complete", "in-archive")), heard)
    assert heard.costs == [("reader", spent(1, 0)), ("reader", spent(2, 0, 2))]


async def test_what_a_validator_offers_is_its_functions_too(places: CallPlaces) -> None:
    assert judging(places).offer.handlers == ("complete", "in-archive")


async def test_a_function_reads_its_candidate_before_its_inputs(places: CallPlaces) -> None:
    def longer(new: str, old: str, ctx: Context) -> bool:
        return len(new) > len(old) and len(ctx.inputs) == 1

    checks = FunctionChecks({"longer": callee(longer, judges=True)}, places)
    assignment = to_judge("long", task(checks=(function_check("longer"),)))
    assignment = replace(assignment, inputs=(artifact("old", "old", "1_0"),))
    assert (await checks(assignment.task.validation.checks[0], assignment, Heard())).outcome == PASS
