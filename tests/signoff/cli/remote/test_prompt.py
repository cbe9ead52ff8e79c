"""`signoff prompt` and `signoff thinking`, against a runner that plays what a test wrote."""

from __future__ import annotations

import asyncio
import hashlib
import json

import pytest

from signoff.cli.flags import WorkPhase
from signoff.cli.remote.prompt import messages_in, prompt, thinking
from signoff.cli.show.output import CommandOutput
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.signoff.cli.remote.test_candidate import runner_at
from tests.support.processes.screens import lines_of, notes_of, piped, records_of
from tests.support.servers.fake_runner import PLAN_ID, FakeRunner


def kept(attempt: int, phase: pb.Phase.ValueType, text: str, canary: int = 0) -> tuple[runner_pb2.PromptInfo, bytes]:
    content = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]).encode()
    digest = hashlib.sha256(content).hexdigest()
    info = runner_pb2.PromptInfo(
        attempt=attempt, phase=phase, digest=digest, size_bytes=len(content), worker="executor-1", canary=canary
    )
    return info, content


def asked() -> FakeRunner:
    return FakeRunner(
        prompts=[
            kept(1, pb.PHASE_EXECUTE, "first"),
            kept(2, pb.PHASE_EXECUTE, "second\x1b[2J"),
            kept(2, pb.PHASE_VALIDATE, "judge it", canary=1),
        ]
    )


def printed(output: CommandOutput, attempt: int | None = None, phase: WorkPhase | None = None) -> int:
    with runner_at(asked()) as where:
        return asyncio.run(prompt(PLAN_ID, "a", attempt, phase, where, output))


def test_the_prompts_of_the_last_attempt_are_printed_with_control_characters_written_out() -> None:
    output = piped()
    assert printed(output) == 0
    assert lines_of(output) == [
        "----- system",
        "Be brief.",
        "----- user",
        "second\\x1b[2J",
        "-----",
        "----- system",
        "Be brief.",
        "----- user",
        "judge it",
        "-----",
    ]
    made, judged = notes_of(output)
    assert made.startswith("signoff: attempt 2, execute, by executor-1: 92 bytes, digest ")
    assert judged.startswith("signoff: attempt 2, validate, canary 1 in the place of the candidate, by executor-1: ")


def test_an_attempt_and_a_phase_can_be_named() -> None:
    output = CommandOutput(json=True, out=piped().out, err=piped().err)
    assert printed(output, 1, WorkPhase.EXECUTE) == 0
    (record,) = records_of(output)
    assert (record["attempt"], record["phase"]) == (1, "execute")
    assert record["messages"][1] == {"role": "user", "content": "first"}


@pytest.mark.parametrize(
    ("keeps", "said"),
    [
        (True, "no prompt of attempt 9 of a is there: no model was asked yet, or its validator has not answered yet"),
        (False, "no prompt of attempt 9 of a is kept: this execution keeps none (--no-prompts)"),
    ],
)
def test_without_prompts_it_says_why(keeps: bool, said: str) -> None:
    output, runner = piped(), asked()
    runner.execution.settings.keep_prompts = keeps
    with runner_at(runner) as where:
        assert asyncio.run(prompt(PLAN_ID, "a", 9, None, where, output)) == 0
    assert notes_of(output) == [f"signoff: {said}"]


@pytest.mark.parametrize("content", [b"\xff no JSON", b'{"role": "user"}', b"[1]", b"[" * 100_000])
def test_what_a_worker_of_another_make_sends_is_shown_as_it_is(content: bytes) -> None:
    assert messages_in(content) == [{"role": "unknown", "content": content.decode(errors="replace")}]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (runner_pb2.GetThinkingResponse(attempt=2, phase=pb.PHASE_EXECUTE, text="hm\x1b"), "attempt 2, execute"),
        (
            runner_pb2.GetThinkingResponse(attempt=2, phase=pb.PHASE_VALIDATE, text="hm\x1b", dropped=True),
            "attempt 2, validate; something before this or in it is not kept",
        ),
        (
            runner_pb2.GetThinkingResponse(attempt=2, phase=pb.PHASE_EXECUTE),
            "attempt 2, execute: nothing was thought aloud yet",
        ),
        (
            runner_pb2.GetThinkingResponse(attempt=2, phase=pb.PHASE_EXECUTE, dropped=True),
            "attempt 2, execute: its thinking is not kept",
        ),
        (
            runner_pb2.GetThinkingResponse(attempt=2),
            "no worker is at work on it now, and thinking is kept only while one is",
        ),
    ],
)
def test_thinking_is_printed_with_what_is_known_of_it(found: runner_pb2.GetThinkingResponse, said: str) -> None:
    output = piped()
    with runner_at(FakeRunner(thoughts=found)) as where:
        assert asyncio.run(thinking(PLAN_ID, "a", where, output)) == 0
    assert notes_of(output) == [f"signoff: {PLAN_ID} a: {said}"]
    assert lines_of(output) == (["hm\\x1b"] if found.text else [])
