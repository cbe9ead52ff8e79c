"""Every event of the journal has a sentence."""

from __future__ import annotations

import pytest
from google.protobuf import duration_pb2

from signoff.display.event_sentences import _SENTENCES, criteria_of, sentence_of
from signoff.display.sizes import format_size
from signoff.v1 import execution_pb2 as pb
from tests.support.servers.fake_runner import at, given_to_judge, rejected


def test_every_kind_of_event_has_its_sentence() -> None:
    kinds = {field.name for field in pb.Event.DESCRIPTOR.oneofs_by_name["kind"].fields}
    assert kinds == set(_SENTENCES)
    for kind in kinds:
        event = pb.Event(sequence=1)
        body = getattr(event, kind)
        body.SetInParent()
        if "worker" in body.DESCRIPTOR.fields_by_name:
            body.worker = "executor-1"
        sentence = sentence_of(event)
        assert sentence
        assert sentence[0].islower() or sentence[0].isdigit()
        assert not sentence.endswith((".", ":", " "))


def test_an_event_of_a_newer_runner_is_admitted_to_be_unknown() -> None:
    assert "does not know" in sentence_of(pb.Event(sequence=1))


def test_reasons_are_told() -> None:
    assert sentence_of(rejected("a", "no year")) == "the candidate of attempt 1 was rejected: no year"
    assert sentence_of(given_to_judge("a")) == "validator-1 was given attempt 1 to judge"
    body = pb.AttemptFailed(
        attempt=2, kind=pb.FAILURE_KIND_RATE_LIMITED, message="429", retry_after=duration_pb2.Duration(seconds=30)
    )
    told = sentence_of(pb.Event(task_id="a", attempt_failed=body))
    assert told == "attempt 2 failed (rate limited): 429; the provider asks to wait 30 s"


def test_a_verdict_tells_each_criterion_and_who_decided_it() -> None:
    assert criteria_of(rejected("a", "no year")) == ["fail (by the model): names a year: no year"]
    assert criteria_of(given_to_judge("a")) == []


def test_a_broken_judge_says_when_it_goes_on() -> None:
    told = sentence_of(pb.Event(judge_failed=pb.JudgeFailed(attempt=1, message="no JSON", retry_at=at(5))))
    assert told.startswith("the judge of attempt 1 broke, which counts neither for nor against it: no JSON; ")


def test_a_canary_is_told_with_what_is_known_of_it_and_whether_it_was_judged_right() -> None:
    judged = pb.CanaryJudged(canary=2, good=False, outcome=pb.OUTCOME_PASS, worker="v")
    told = "v passed canary 2 in the place of the candidate, known to be bad: which is wrong"
    assert sentence_of(pb.Event(canary_judged=judged)) == told
    judged = pb.CanaryJudged(canary=2, good=False, outcome=pb.OUTCOME_FAIL, worker="v", reason="no year")
    assert sentence_of(pb.Event(canary_judged=judged)).endswith("known to be bad: as it should: no year")
    judged = pb.CanaryJudged(canary=1, good=True, outcome=pb.OUTCOME_ERROR, worker="v", reason="no JSON")
    told_of_none = "v came to no verdict on canary 1 in the place of the candidate, known to be good: no JSON"
    assert sentence_of(pb.Event(canary_judged=judged)) == told_of_none


def test_sizes_read_well() -> None:
    assert [format_size(size) for size in (812, 1536, 3 * 1024 * 1024)] == ["812 bytes", "1.5 KiB", "3.0 MiB"]


def verdict(by: pb.VerdictBy | None, *results: pb.CriterionResult, passes: bool = True) -> pb.Event:
    if passes:
        return pb.Event(verdict_passed=pb.VerdictPassed(attempt=1, by=by, results=results, lease_id="l"))
    return pb.Event(verdict_failed=pb.VerdictFailed(attempt=1, by=by, results=results, feedback="no", lease_id="l"))


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (pb.VerdictBy(person="ada"), " by the person ada"),
        (pb.VerdictBy(person=""), " by a person"),
        (pb.VerdictBy(validator="ada"), " by the validator ada"),
        (None, ""),
    ],
)
def test_a_verdict_says_who_gave_it(by: pb.VerdictBy | None, told: str) -> None:
    assert sentence_of(verdict(by)) == f"signed off{told}: the candidate of attempt 1 passed"
    assert sentence_of(verdict(by, passes=False)).startswith(f"the candidate of attempt 1 was rejected{told}: no;")


@pytest.mark.guard(name="a model's words are no person's")
def test_a_models_criterion_in_the_words_of_a_persons_verdict_is_still_a_models() -> None:
    same = pb.CriterionResult(criterion="A person approves", outcome=pb.OUTCOME_PASS)
    assert criteria_of(verdict(pb.VerdictBy(validator="v1"), same)) == ["pass (by the model): A person approves"]
    assert criteria_of(verdict(pb.VerdictBy(person="ada"), same, same)) == [
        "pass (by the model): A person approves",
        "pass (by the person ada): A person approves",
    ]
    asked = pb.Event(person_asked=pb.PersonAsked(attempt=1, results=[same]))
    assert criteria_of(asked) == ["pass (by the model): A person approves"]


def test_a_persons_verdict_of_an_earlier_version_is_told_as_one() -> None:
    result = pb.CriterionResult(criterion="A person approves", outcome=pb.OUTCOME_FAIL, reason="ada: too bold")
    told = criteria_of(pb.Event(verdict_failed=pb.VerdictFailed(results=[result])))
    assert told == ["fail (by a person): A person approves: ada: too bold"]


def test_a_model_that_is_away_and_answers_again_is_told() -> None:
    outage = pb.Outage(model="m", endpoint="http://h/v1", message="it said 503")
    met = pb.OutageMet(attempt=2, phase=pb.PHASE_EXECUTE, outage=outage)
    told = sentence_of(pb.Event(outage_met=met))
    assert told == "attempt 2 waits, which counts as no failure: the model m at http://h/v1 is away: it said 503"
    ended = pb.OutageEnded(model="m", endpoint="http://h/v1")
    assert sentence_of(pb.Event(outage_ended=ended)) == "the model m at http://h/v1 answers again"


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ({"input_tokens": 1200, "output_tokens": 30}, "attempt 2 has cost 1,200 input and 30 output tokens of m"),
        (
            {"input_tokens": 120, "cached_input_tokens": 100, "output_tokens": 30, "reasoning_tokens": 9},
            "attempt 2 has cost 120 input (100 of them cached) and 30 output tokens (9 of them reasoning) of m",
        ),
        (
            {"estimated_input_tokens": 120, "estimated_output_tokens": 30},
            "attempt 2 has cost about 120 input and 30 output tokens (estimated) of m",
        ),
        ({"estimated_output_tokens": 30}, "attempt 2 has cost about 30 output tokens (estimated) of m"),
        (
            {"input_tokens": 100, "output_tokens": 20, "estimated_input_tokens": 40},
            "attempt 2 has cost 100 input and 20 output tokens, and about 40 input tokens (estimated) of m",
        ),
        (
            {"input_tokens": 100, "estimated_input_tokens": -120, "estimated_output_tokens": -30},
            "attempt 2 has cost 100 input and 0 output tokens of m; "
            "the provider has counted what was estimated as 120 input and 30 output tokens",
        ),
        (
            {"estimated_input_tokens": -120},
            "attempt 2 asked m; the provider has counted what was estimated as 120 input tokens",
        ),
    ],
)
def test_what_is_estimated_is_told_from_what_a_provider_has_counted(recorded: dict[str, int], told: str) -> None:
    body = pb.UsageRecorded(attempt=2, phase=pb.PHASE_EXECUTE, model="m")
    for name, value in recorded.items():
        setattr(body, name, value)
    assert sentence_of(pb.Event(task_id="a", usage_recorded=body)) == told


def test_a_result_that_is_kept_names_where_it_is_from_and_who_signed_it_off() -> None:
    origin = pb.KeptFrom(execution_id="e1", attempt=2)
    candidate = pb.CandidateStored(attempt=1)
    verdict = pb.VerdictPassed(by=pb.VerdictBy(person="ada"))
    kept = pb.ArtifactReused(candidate=candidate, verdict=verdict, kept_from=origin)
    told = sentence_of(pb.Event(artifact_reused=kept))
    assert told == (
        "kept: nothing has changed since attempt 2 of execution e1 made it, which was signed off by the person ada"
    )
    judged_again = pb.CandidateReused(candidate=candidate, kept_from=origin)
    told = sentence_of(pb.Event(candidate_reused=judged_again))
    assert told == "kept from attempt 2 of execution e1, to be judged again: it is judged by something else now"
