"""The version of a prompt: a digest of its words, which changes when they do.

It covers the prompts of three assignments: one with everything that a prompt can mention, one with more inputs than it
can show, and one with nothing. So any change of a word, an order or a limit changes the version.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import replace

from google.protobuf.message import Message

from signoff.v1 import execution_pb2, plan_pb2, worker_pb2
from worker_svc.assignment import Artifact, Assignment, Feedback
from worker_svc.llm import port
from worker_svc.prompts.candidate_files import CandidateFiles, ShownFile
from worker_svc.prompts.messages import (
    MAX_ARTIFACT_CHARS,
    MAX_TOTAL_CHARS,
    Asking,
    execute_messages,
    judge_messages,
    judge_schema,
)
from worker_svc.prompts.shares import LEAST_SHARE


@functools.cache
def execute_version() -> str:
    """Returns the version of the executor's prompt: a part of the maker's digest."""
    samples = (full(), crowded(), bare())
    messages = [message for assignment in samples for message in execute_messages(assignment)]
    return f"execute-{_digest_of(messages)}"


@functools.cache
def judge_version() -> str:
    """Returns the version of the judge's prompt, with the form of its answer: a part of the judge's digest.

    The nonce is no word of the prompt, so it is always the same here.
    """
    first, again = Asking(nonce="nonce"), Asking(nonce="nonce", part=2, parts=3, not_found=("evidence",))
    long = _artifact("candidate", b"." * (MAX_TOTAL_CHARS + 1))
    unseen = _artifact("candidate", "\N{RIGHT-TO-LEFT OVERRIDE}".encode())
    messages = [
        *judge_messages(full(), long, ("criterion", "another"), first),
        *judge_messages(crowded(), replace(long, unread=_unread(crowded())), ("criterion",), again),
        *judge_messages(bare(), unseen, ("criterion",), first),
        *judge_messages(bare(), unseen, ("criterion",), replace(first, files=_files())),
    ]
    return f"judge-{_digest_of(messages, json.dumps(judge_schema(2)))}"


def full() -> Assignment:
    """Returns an assignment whose prompt has every part there is, and an input that is cut off."""
    long = _artifact("long", b"." * (MAX_ARTIFACT_CHARS + 1))
    many = tuple(_artifact(f"more {number}", b"." * MAX_ARTIFACT_CHARS) for number in range(_UNTIL_FULL))
    return _assignment(
        plan_pb2.TaskSpec(
            task_id="1",
            description="task",
            input=plan_pb2.TaskInput(description="input", parameters_json="{}"),
            output=plan_pb2.TaskOutput(description="output", format="format"),
            validation=plan_pb2.Validation(description="validation", criteria=["criterion"], checks=_checks()),
        ),
        idea="idea",
        inputs=(long, *many),
        omitted=(worker_pb2.OmittedInput(name="omitted", reason="reason"),),
        feedback=Feedback(
            summary="summary",
            results=tuple(_result(outcome) for outcome in (execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_PASS)),
            previous_candidate=_artifact("", b"candidate"),
            earlier=("attempt 1: earlier",),
        ),
    )


def crowded() -> Assignment:
    """Returns an assignment with so many inputs that some are not shown, and some are not even named."""
    content = b"." * (LEAST_SHARE + 1)
    many = MAX_TOTAL_CHARS // LEAST_SHARE
    return _assignment(
        plan_pb2.TaskSpec(task_id="1"), inputs=tuple(_artifact(f"more {number}", content) for number in range(many))
    )


def bare() -> Assignment:
    """Returns an assignment whose prompt has only the parts that every prompt has."""
    return _assignment(plan_pb2.TaskSpec(task_id="1"))


_UNTIL_FULL = MAX_TOTAL_CHARS // MAX_ARTIFACT_CHARS


def _digest_of(messages: list[port.Message], *more: str) -> str:
    words = [f"{message.role}\x00{message.content}" for message in messages]
    return hashlib.sha256(chr(0).join([*words, *more]).encode()).hexdigest()[:16]


def _checks() -> list[plan_pb2.Check]:
    """Returns a check of each kind, with a value in each of its fields."""
    return [_check(kind.name) for kind in plan_pb2.Check.DESCRIPTOR.oneofs_by_name["kind"].fields]


def _check(kind: str) -> plan_pb2.Check:
    check = plan_pb2.Check()
    body = getattr(check, kind)
    body.SetInParent()
    _fill(body)
    return check


def _fill(body: Message) -> None:
    """Puts a value in each field of a message, also below it."""
    for part in body.DESCRIPTOR.fields:
        if part.is_repeated and part.message_type:
            _fill(getattr(body, part.name).add())
        elif part.is_repeated:
            getattr(body, part.name).append(part.enum_type.values[-1].number if part.enum_type else part.name)
        elif part.type == part.TYPE_STRING:
            setattr(body, part.name, part.name)
        elif part.type in {part.TYPE_UINT32, part.TYPE_UINT64}:
            setattr(body, part.name, part.number)


def _assignment(
    task: plan_pb2.TaskSpec,
    *,
    idea: str = "",
    inputs: tuple[Artifact, ...] = (),
    omitted: tuple[worker_pb2.OmittedInput, ...] = (),
    feedback: Feedback | None = None,
) -> Assignment:
    return Assignment(
        lease_id="",
        phase=execution_pb2.PHASE_EXECUTE,
        execution_id="",
        plan_id="",
        idea=idea,
        attempt=1,
        task=task,
        inputs=inputs,
        omitted=omitted,
        candidate=None,
        feedback=feedback,
    )


def _artifact(name: str, content: bytes) -> Artifact:
    digest = hashlib.sha256(content).hexdigest()
    return Artifact(name=name, task_id="0", media_type="text/plain", digest=digest, content=content)


def _unread(assignment: Assignment) -> execution_pb2.Unread:
    """Returns one input with only its beginning shown, one not shown, and more of both than are named."""
    shown, hidden = (execution_pb2.UnreadInput(name=given.name, task_id="0") for given in assignment.inputs[:2])
    shown.shown_chars = 1
    return execution_pb2.Unread(inputs=len(assignment.inputs), cut=2, left_out=2, examples=[shown, hidden])


def _files() -> CandidateFiles:
    """Returns what is shown of files: a text, a fact and a picture."""
    text = ShownFile(path="path", media_type="text/plain", digest="0" * 64, text="text")
    picture = port.Picture(path="path", media_type="image/png", content=b"", digest="0" * 64, width=1, height=1)
    return CandidateFiles(texts=(text,), facts=("fact",), pictures=(picture,))


def _result(outcome: execution_pb2.Outcome.ValueType) -> execution_pb2.CriterionResult:
    return execution_pb2.CriterionResult(criterion="criterion", outcome=outcome, reason="reason")
