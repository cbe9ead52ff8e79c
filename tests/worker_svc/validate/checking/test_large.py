"""Checks of candidates of any size and depth end with a sentence, and never hold the validator's loop."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from signoff.plan.limits import MAX_CHECKS, MAX_CRITERIA
from signoff.v1 import execution_pb2, plan_pb2
from tests.support.draws import long_but
from tests.support.longest_turn import longest_turns
from tests.support.work import givens
from tests.support.work.givens import (
    Heard,
    citations,
    count,
    json_schema,
    length,
    regex,
    required_keys,
    task,
    to_judge,
    words,
)
from worker_svc.assignment import VerdictResult
from worker_svc.llm.port import Model
from worker_svc.validate import check_process
from worker_svc.validate.check_process import CheckProcess
from worker_svc.validate.checks import QUICK_BYTES, check_result, is_quick
from worker_svc.validate.validator import Validator

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
LONGEST_TURN = 0.75  # seconds of CPU: catches the gross; beside a large heap the collector alone takes half of it
MIB = 1024**2

NO_MODEL: Model | None = None


async def judged(content: bytes, *checks: plan_pb2.Check, output_format: str = "", **limits: Any) -> VerdictResult:
    """Returns a validator's verdict, and makes sure that it never holds its loop long."""
    validator = Validator(NO_MODEL, check_process=CheckProcess(**limits))
    assignment = to_judge(content, task(output_format, checks=checks))
    try:
        with longest_turns() as turns:
            verdict = await validator(assignment, Heard())
    finally:
        await validator.close()
    assert turns.longest < LONGEST_TURN, turns.story()
    return verdict


CANDIDATES = {
    "nested deeply": b"[" * 100_000,
    "nested deeply, and closed": b"[" * 100_000 + b"]" * 100_000,
    "objects, nested deeply": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nested as deeply as is small": b"[" * (QUICK_BYTES // 2) + b"]" * (QUICK_BYTES // 2),
    "a number of many digits": b"1" * 1_000_000,
    "a number of many digits, small": b'{"a": ' + b"9" * 20_000 + b"}",
    "a key twice": b'{"a": 1, ' + b'"b": 2, ' * 100_000 + b'"a": 3}',
    "many small values": b"[" + b"{}," * 1_000_000 + b"{}]",
    "many ranges": b"[1-999,1-999,2-998] " * 100_000,
    "many ranges, small": b"[1-999,1-999,2-998,7-8] " * 1_300,
    "nothing that is seen": "\u200b".encode() * 1_000_000,
    "brackets and quotes": b'["\\ud800", "' * 50_000,
    "all characters": "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x20000)])).encode(),
    "all characters, small": "".join(map(chr, range(0x4E00, 0x4E00 + QUICK_BYTES // 3))).encode(),
}
CHECKS = {
    "json": plan_pb2.Check(json=plan_pb2.JsonCheck()),
    "keys": required_keys("a", "a.b.c", "." * 1_000),
    "a path of megabytes": required_keys("a." * 950_000),
    "dots": required_keys("." * 1_900_000),
    "count": count("a", 1),
    "count at a long path": count(".".join("a" * 1_000), 1),
    "length": length(1, 10),
    "words": words(1, 10),
    "citations": citations(3),
    "language": givens.language("en"),
    **{f"part {number}": givens.parts(number, 3) for number in range(1, 9)},
    "phrases": givens.contains("a", "b" * 100),
    "beginning": plan_pb2.Check(starts_with=plan_pb2.StartsWithCheck(phrase="x", paragraph=3)),
    "quoted": plan_pb2.Check(quoted=plan_pb2.QuotedCheck()),
    "postscript": plan_pb2.Check(postscript=plan_pb2.PostscriptCheck()),
    "number": plan_pb2.Check(number=plan_pb2.NumberCheck(path="a", min=1)),
    "schema": json_schema({"type": "array", "uniqueItems": True}),
    "pattern": regex("a.*b.*c.*d"),
}


@pytest.mark.guard(name="large candidates are looked at elsewhere")
def test_no_check_of_a_large_candidate_is_taken_for_a_quick_one() -> None:
    large = [content for content in CANDIDATES.values() if len(content) > QUICK_BYTES]
    assert len(large) >= 8
    assert not any(is_quick(content, check) for content in large for check in (None, *CHECKS.values()))


#: One of each kind; the others take --long.
ORDINARY = (
    *("nested deeply", "nested as deeply as is small", "a number of many digits", "many ranges, small"),
    *("nothing that is seen", "brackets and quotes", "all characters, small"),
)


@pytest.mark.parametrize("name", long_but(ORDINARY, [*CANDIDATES]))
async def test_whatever_a_candidate_is_each_check_of_it_ends_in_a_sentence(name: str) -> None:
    content, process = CANDIDATES[name], CheckProcess(timedelta(seconds=1), all_limit=timedelta(seconds=6))
    with longest_turns() as turns:
        async with asyncio.timeout(30), process.looking_at(content) as look:
            for check in CHECKS.values():
                result = check_result(check, content) if is_quick(content, check) else await look.check_result(check)
                assert result.outcome in {PASS, FAIL, ERROR}
                assert (result.outcome == PASS) == (not result.reason), result.reason
                await asyncio.sleep(0)
    await process.close()
    assert turns.longest < LONGEST_TURN, turns.story()
    verdict = await judged(content, CHECKS["json"], output_format="JSON", time_limit=timedelta(seconds=10))
    assert verdict.outcome in ({PASS} if name == "many small values" else {FAIL, ERROR})


async def test_json_of_many_megabytes_is_judged_and_nothing_stands_still() -> None:
    content = b"[" + b'{"id": 12345, "name": "Mars"}, ' * 1_000_000 + b"{}]"
    verdict = await judged(content, CHECKS["json"], count("", 1), length(1), output_format="JSON")
    assert verdict.outcome == PASS, verdict.feedback


async def test_more_checks_than_any_plan_has_are_an_error_that_says_so() -> None:
    verdict = await judged(b"Mars", *[length(1)] * 60_000)
    assert verdict.outcome == ERROR
    assert verdict.feedback.endswith(f"expected at most {MAX_CHECKS + MAX_CRITERIA} checks of a task, but got 60000")
    assert (await judged(b"Mars", *[length(1)] * (MAX_CHECKS + MAX_CRITERIA))).outcome == PASS


async def test_many_quick_checks_leave_others_their_turns() -> None:
    content = json.dumps({str(number): number for number in range(2_400)}).encode()
    assert len(content) <= QUICK_BYTES
    assert (await judged(content, *[required_keys("1", "2")] * 500)).outcome == PASS


async def test_all_checks_of_a_candidate_together_have_a_time_limit() -> None:
    endless = [regex(r"(?=a)(a+)+$")] * 50
    begun = asyncio.get_running_loop().time()
    verdict = await judged(
        b"a" * 64 + b"!", *endless, time_limit=timedelta(seconds=0.3), all_limit=timedelta(seconds=0.5)
    )
    assert asyncio.get_running_loop().time() - begun < 20
    assert verdict.outcome == ERROR
    reasons = [result.reason for result in verdict.results if result.outcome == ERROR]
    assert reasons[0] == "not decided within 0.3 s: it was given up"
    assert reasons[-1] == "not looked at: all checks of a candidate have 0.5 s together, and they were used up"


async def test_a_check_that_takes_too_much_memory_is_an_error_and_the_next_one_works() -> None:
    content = b"[" + b"{}," * 2_000_000 + b"{}]"
    process = CheckProcess(memory_bytes=128 * MIB)
    assert (await process.check_result(CHECKS["json"], content)).outcome == ERROR
    assert (await process.check_result(CHECKS["json"], b"[{}]")).outcome == PASS
    await process.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Returns the first letters of the frames to the children."""
    letters, send = list[bytes](), check_process._Child._send

    async def noted(child: check_process._Child, *parts: bytes) -> None:
        letters.append(parts[0][:1])
        await send(child, *parts)

    monkeypatch.setattr(check_process._Child, "_send", noted)
    return letters


async def test_a_candidate_is_sent_once_for_all_of_its_checks(sent: list[bytes]) -> None:
    verdict = await judged(b"x" * 500_000 + b" end", regex("end$"), regex("x"), length(5), words(1))
    assert verdict.outcome == PASS
    assert (sent.count(b"C"), sent.count(b"K"), sent.count(b"I")) == (1, 4, 1)


async def test_a_process_that_was_killed_is_shown_the_candidate_again(sent: list[bytes]) -> None:
    verdict = await judged(b"a" * 64 + b"!", regex(r"(?=a)(a+)+$"), regex("(?=a)a"), time_limit=timedelta(seconds=0.3))
    assert [result.outcome for result in verdict.results if "regular" in result.criterion] == [ERROR, PASS]
    assert sent.count(b"C") == 2


async def test_small_honest_work_starts_no_process(sent: list[bytes]) -> None:
    content = json.dumps({"a": {"b": [1, 2]}}).encode()
    verdict = await judged(content, required_keys("a.b"), count("a.b", 2), length(1), output_format="JSON")
    assert (verdict.outcome, sent) == (PASS, [])


async def test_one_slow_candidate_does_not_keep_others_from_being_judged() -> None:
    validator = Validator(NO_MODEL, check_process=CheckProcess(timedelta(seconds=5)))
    slow = asyncio.create_task(validator(to_judge(b"a" * 64 + b"!", task(checks=(regex(r"(?=a)(a+)+$"),))), Heard()))
    quick = await validator(to_judge(b"Mars", task(checks=(regex("M"),))), Heard())
    assert (quick.outcome, slow.done()) == (PASS, False)
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)
    await validator.close()


# ---------------------------------------------------------------- paths


@pytest.mark.parametrize(
    ("value", "path", "outcome"),
    [
        ({"a": {"b": 1}}, "a.b", PASS),
        ({"a.b": 1}, "a.b", PASS),
        ({"a": 1}, "a.b", FAIL),
        ({"a.b": {"c": 1}, "a": {"b.c": 1}}, "a.b.c", PASS),
        ({"": {"": 1}}, ".", PASS),
        ({".": 1}, ".", PASS),
        ({"": 1}, ".", FAIL),
        ({"a": {"": {"b": 1}}}, "a..b", PASS),
        ({"a": {"b": 1}}, "a.", FAIL),
        ({".".join("abcdefghijkl"): {"m": 1}}, "a.b.c.d.e.f.g.h.i.j.k.l.m", PASS),
        ({"a": {".".join("bcdefghijkl"): {"m": 1}}}, "a.b.c.d.e.f.g.h.i.j.k.l.m", PASS),
        ({"a": {".".join("bcdefghijk"): {"m": 1}}}, "a.b.c.d.e.f.g.h.i.j.k.l.m", FAIL),
        ({"a" * n: 1 for n in range(1, 50)}, "a" * 49 + ".b" * 20, FAIL),
    ],
)
def test_a_path_leads_through_keys_with_and_without_dots(value: Any, path: str, outcome: int) -> None:
    assert check_result(required_keys(path), json.dumps(value).encode()).outcome == outcome


def test_a_path_as_deep_as_json_can_be_read_is_followed() -> None:
    depth = 900
    content = (b'{"a":' * depth) + b"[1, 2]" + b"}" * depth
    assert check_result(count(".".join("a" * depth), 2, 2), content).outcome == PASS
