"""Assignments, artifacts and reports for tests of what a worker does."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from signoff.manifest.manifest import MANIFEST_TYPE, manifest_of, manifest_to_json
from signoff.v1 import execution_pb2, plan_pb2
from tests.support.servers.model_server import NONCE
from worker_svc.assignment import Artifact, Assignment, Feedback, Prompt
from worker_svc.files.collecting import FilesLimit
from worker_svc.files.measuring import measured
from worker_svc.llm.port import ModelAnswer, ModelFailure, ModelRequest, OnDelta
from worker_svc.spent import OnSpent, Spent, unheard


def task(
    output_format: str = "",
    *,
    task_id: str = "1_1",
    description: str = "List the planets",
    output: str = "The planets",
    criteria: tuple[str, ...] = (),
    checks: tuple[plan_pb2.Check, ...] = (),
    judge: plan_pb2.JudgeSpec | None = None,
) -> plan_pb2.TaskSpec:
    validation = plan_pb2.Validation(criteria=criteria, checks=checks, judge=judge) if criteria or checks else None
    return plan_pb2.TaskSpec(
        task_id=task_id,
        description=description,
        input=plan_pb2.TaskInput(description="What is known"),
        output=plan_pb2.TaskOutput(description=output, artifact="planets", format=output_format),
        validation=validation,
    )


def artifact(content: str | bytes, name: str = "planets", task_id: str = "1_1") -> Artifact:
    data = content.encode() if isinstance(content, str) else content
    digest = hashlib.sha256(data).hexdigest()
    return Artifact(name=name, task_id=task_id, media_type="text/plain", digest=digest, content=data)


def with_files(folder: Path, files: Mapping[str, bytes], main: str, name: str = "sales") -> Artifact:
    """Returns an artifact with these files, which are written into a folder."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    manifest = manifest_of(measured(folder, tuple(files), lambda: None), main)
    data = manifest_to_json(manifest)
    digest = hashlib.sha256(data).hexdigest()
    return Artifact(
        name=name,
        task_id="1_1",
        media_type=MANIFEST_TYPE,
        digest=digest,
        content=data,
        manifest=manifest,
        folder=folder,
    )


def to_execute(
    spec: plan_pb2.TaskSpec | None = None,
    *,
    attempt: int = 1,
    inputs: tuple[Artifact, ...] = (),
    feedback: Feedback | None = None,
) -> Assignment:
    return _assignment(spec or task(), execution_pb2.PHASE_EXECUTE, attempt, inputs, None, feedback)


def to_judge(
    content: str | bytes,
    spec: plan_pb2.TaskSpec | None = None,
    *,
    attempt: int = 1,
    inputs: tuple[Artifact, ...] = (),
) -> Assignment:
    return _assignment(spec or task(), execution_pb2.PHASE_VALIDATE, attempt, inputs, artifact(content), None)


def _assignment(
    spec: plan_pb2.TaskSpec,
    phase: execution_pb2.Phase.ValueType,
    attempt: int,
    inputs: tuple[Artifact, ...],
    candidate: Artifact | None,
    feedback: Feedback | None,
) -> Assignment:
    return Assignment(
        lease_id="lease",
        phase=phase,
        execution_id="execution",
        plan_id="plan",
        idea="Know the sky",
        attempt=attempt,
        task=spec,
        inputs=inputs,
        omitted=(),
        candidate=candidate,
        feedback=feedback,
    )


def json_schema(schema: Any) -> plan_pb2.Check:
    return plan_pb2.Check(json_schema=plan_pb2.JsonSchemaCheck(schema_json=json.dumps(schema)))


def required_keys(*keys: str) -> plan_pb2.Check:
    return plan_pb2.Check(required_keys=plan_pb2.RequiredKeysCheck(keys=keys))


def regex(pattern: str, *, absent: bool = False) -> plan_pb2.Check:
    return plan_pb2.Check(regex=plan_pb2.RegexCheck(pattern=pattern, absent=absent))


def length(min_chars: int = 0, max_chars: int | None = None) -> plan_pb2.Check:
    return plan_pb2.Check(length=plan_pb2.LengthCheck(min_chars=min_chars, max_chars=max_chars))


def count(path: str = "", min_items: int = 0, max_items: int | None = None) -> plan_pb2.Check:
    return plan_pb2.Check(count=plan_pb2.CountCheck(path=path, min_items=min_items, max_items=max_items))


def words(min_words: int = 0, max_words: int | None = None) -> plan_pb2.Check:
    return plan_pb2.Check(words=plan_pb2.WordsCheck(min_words=min_words, max_words=max_words))


def language(code: str) -> plan_pb2.Check:
    return plan_pb2.Check(language=plan_pb2.LanguageCheck(code=code))


def citations(min_citations: int) -> plan_pb2.Check:
    return plan_pb2.Check(citations=plan_pb2.CitationsCheck(min_citations=min_citations))


def parts(part: int, min_parts: int = 0, max_parts: int | None = None) -> plan_pb2.Check:
    kind = cast("plan_pb2.Part.ValueType", part)
    return plan_pb2.Check(parts=plan_pb2.PartsCheck(part=kind, min_parts=min_parts, max_parts=max_parts))


def contains(*phrases: str) -> plan_pb2.Check:
    return plan_pb2.Check(contains=plan_pb2.ContainsCheck(phrases=phrases, min_occurrences=1))


def command(*argv: str) -> plan_pb2.Check:
    return plan_pb2.Check(command=plan_pb2.CommandCheck(argv=argv))


def function(name: str) -> plan_pb2.Check:
    return plan_pb2.Check(function=plan_pb2.FunctionCheck(name=name))


def made_from(criterion: int, check: plan_pb2.Check) -> plan_pb2.Check:
    """Returns the check as the planner makes it from the criterion with this number."""
    derived = plan_pb2.Check(criterion=criterion)
    derived.MergeFrom(check)
    return derived


def spent(input_tokens: int, output_tokens: int, requests: int = 1) -> Spent:
    """Returns an amount that a provider has counted."""
    return Spent(input_tokens=input_tokens, output_tokens=output_tokens, requests=requests)


ONE = spent(5, 3)  # a question


@dataclass(slots=True)
class Heard:
    """An assignment.Report that remembers the reports."""

    thinking_wanted: bool = True
    pieces: list[str] = field(default_factory=list)
    token_counts: list[int] = field(default_factory=list)
    costs: list[tuple[str, Spent]] = field(default_factory=list)
    prompts_wanted: bool = True
    prompts: list[Prompt] = field(default_factory=list)
    checkpoints: list[bytes] = field(default_factory=list)
    files_limit: FilesLimit = FilesLimit()  # noqa: RUF009 - frozen
    brought: dict[str, bytes] = field(default_factory=dict)  #: the files of a candidate
    heard: asyncio.Event = field(default_factory=asyncio.Event)  #: something was thought aloud, or saved

    def thinking(self, text: str) -> None:
        self.pieces.append(text)
        self.heard.set()

    def tokens(self, received: int) -> None:
        self.token_counts.append(received)

    def checkpoint(self, content: bytes) -> None:
        self.checkpoints.append(content)
        self.heard.set()

    async def prompt(self, prompt: Prompt) -> None:
        self.prompts.append(prompt)

    async def files(self, folder: Path, paths: Sequence[str], main: str) -> bytes:
        self.brought = {path: (folder / path).read_bytes() for path in paths}
        return manifest_to_json(manifest_of(measured(folder, paths, lambda: None), main))

    def usage(self, model: str, spent: Spent) -> None:
        self.costs.append((model, spent))


class Saying:
    """A Model that answers with given texts in turn, or fails with given failures, and remembers its requests.

    Each question costs ONE, also one that fails.
    """

    def __init__(self, *answers: str | ModelFailure) -> None:
        self._answers = list(answers)
        self.requests: list[ModelRequest] = []
        self.closed = False
        self.name = "saying"
        self.names: tuple[str, ...] = ("saying",)
        self.settings: dict[str, str] = {}

    def maker_parts(self, model: str) -> tuple[str, Mapping[str, str]]:
        return self.name, self.settings

    async def complete(self, request: ModelRequest, on_delta: OnDelta, on_spent: OnSpent = unheard) -> ModelAnswer:
        self.requests.append(request)
        on_spent(ONE)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, ModelFailure):
            raise answer
        on_delta(answer)
        return ModelAnswer(text=filled_in(answer, request), finish_reason="stop")

    async def close(self) -> None:
        self.closed = True


QUOTE = "<a line of the candidate>"  #: and here a quotation that is there


def filled_in(answer: str, request: ModelRequest) -> str:
    """Completes an answer as a judge would that has read the request."""
    candidate = request.assignment.candidate
    text = candidate.whole().decode(errors="replace") if candidate else ""
    line = next((line for line in text.splitlines() if line.strip()), "")[:200]
    return answer.replace(NONCE, request.nonce).replace(QUOTE, json.dumps(line, ensure_ascii=False)[1:-1])


def verdicts(
    *outcomes: str, reason: str = "because", evidence: Any = QUOTE, retry: bool = True, nonce: str = NONCE
) -> str:
    """Returns a judge's answer with these outcomes for the criteria 1, 2, …"""
    said = {"evidence": evidence, "reason": reason}
    judged = [
        {"criterion": number, **said, "outcome": outcome, "retry_worthwhile": retry}
        for number, outcome in enumerate(outcomes, 1)
    ]
    return json.dumps({"nonce": nonce, "verdicts": judged})
