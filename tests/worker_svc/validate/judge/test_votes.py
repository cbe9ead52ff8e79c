"""Votes: enough passes pass, enough fails fail, and silence does neither."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.validate.judge.answer import Opinion
from worker_svc.validate.judge.votes import Rule, counted, rule_of

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR

OF = {"p": PASS, "f": FAIL, "?": ERROR}


def ballot(votes: str) -> list[Opinion | None]:
    """Returns the votes of a text such as "pf?-": pass, fail, cannot tell, none."""
    return [None if vote == "-" else Opinion(outcome=OF[vote], reason=f"{vote}{n}") for n, vote in enumerate(votes, 1)]


def count(votes: str, needed: int = 0) -> Opinion:
    return counted(ballot(votes), rule_of(plan_pb2.JudgeSpec(votes=len(votes), needed=needed)))


@pytest.mark.parametrize(
    ("votes", "needed", "outcome"),
    [
        ("p", 0, PASS),
        ("f", 0, FAIL),
        ("?", 0, ERROR),
        ("-", 0, ERROR),
        ("ppf", 0, PASS),
        ("pff", 0, FAIL),
        ("pp-", 0, PASS),
        ("p--", 0, ERROR),
        ("p?f", 0, ERROR),
        ("f--", 0, ERROR),
        ("ff-", 0, FAIL),
        ("ppf", 3, FAIL),
        ("pp-", 3, ERROR),
        ("ppp", 3, PASS),
        ("ppff", 0, FAIL),
        ("pppf", 0, PASS),
        ("ppppfffff", 5, FAIL),
        ("pppppffff", 5, PASS),
        ("pppppffff", 7, FAIL),
    ],
)
def test_enough_passes_pass_and_enough_fails_fail(votes: str, needed: int, outcome: int) -> None:
    assert count(votes, needed).outcome == outcome


@pytest.mark.parametrize(
    ("votes", "needed", "rule"),
    [(0, 0, (1, 1)), (1, 0, (1, 1)), (2, 0, (2, 2)), (3, 0, (3, 2)), (4, 0, (4, 3)), (9, 0, (9, 5)), (3, 3, (3, 3)),
     (5, 1, (5, 3)), (3, 9, (3, 3)), (1_000, 0, (9, 5))],
)  # fmt: skip
def test_never_less_than_more_than_half_must_agree(votes: int, needed: int, rule: tuple[int, int]) -> None:
    found = rule_of(plan_pb2.JudgeSpec(votes=votes, needed=needed))
    assert (found.votes, found.needed) == rule


def test_the_reasons_are_of_those_who_decided() -> None:
    assert count("pfp").reason == "2 of 3 judges: p1; p3"
    assert count("pff").reason == "2 of 3 judges: f2; f3"
    assert count("p").reason == "p1"
    assert count("?").reason == "?1"
    assert count("pf?").reason == "of 3 judges 1 passed it, 1 failed it, 1 could not tell, 0 gave no answer; ?3"


def test_the_same_reason_is_told_once_and_none_is_said() -> None:
    same = [Opinion(outcome=FAIL, reason="it is short")] * 3
    assert counted(same, Rule(votes=3, needed=2)).reason == "3 of 3 judges: it is short"
    silent = [Opinion(outcome=PASS, reason="")] * 2
    assert counted(silent, Rule(votes=2, needed=2)).reason == "2 of 2 judges: no reason given"


def test_many_long_reasons_fit_into_a_frame() -> None:
    long = [Opinion(outcome=FAIL, reason=f"{n}" * 3_000) for n in range(9)]
    assert len(counted(long, Rule(votes=9, needed=5)).reason) == 2_000


@pytest.mark.parametrize(("useless", "worthwhile"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_retry_is_useless_when_most_of_those_who_failed_it_say_so(useless: int, worthwhile: bool) -> None:
    failed = [Opinion(outcome=FAIL, reason="x", retry_worthwhile=n >= useless) for n in range(3)]
    passed = [Opinion(outcome=PASS, reason="y", retry_worthwhile=False)] * 2
    assert counted([*failed, *passed], Rule(votes=5, needed=3)).retry_worthwhile == worthwhile


@given(votes=st.text("pf?-", min_size=1, max_size=9), needed=st.integers(0, 12))
@settings(derandomize=True, deadline=None)
def test_silence_passes_nothing_and_fails_nothing(votes: str, needed: int) -> None:
    outcome = count(votes, needed).outcome
    if outcome == PASS:
        assert 2 * votes.count("p") > len(votes)
    if outcome == FAIL:
        assert count(votes.replace("-", "p").replace("?", "p"), needed).outcome == FAIL
    if outcome == ERROR:
        assert set(votes) & {"-", "?"}
