"""Scripted models: an executor's fails and hangs, a judge's rejects and is down for minutes; all by the seed."""

from __future__ import annotations

import asyncio
import hashlib
import random
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from signoff.manifest.manifest import MANIFEST_TYPE
from signoff.v1 import execution_pb2
from tests.simulation.nature.weather import Weather
from tests.support.values.results import results_of
from worker_svc.assignment import (
    Artifact,
    Assignment,
    CandidateResult,
    FailureResult,
    Offer,
    Report,
    Result,
    VerdictResult,
)
from worker_svc.spent import Spent

#: What the weather may do to models.
LATER = ("failing alike", "too small", "silent", "uncounted")
FAULTS = ("failing", "hanging", "raising", "rejecting", "judge down", "away", "overloaded", *LATER)
SMALLER, LARGER = "scripted", "larger"  #: the models of every task, the second after two failures
HANGS = 10_000.0  # seconds
COSTS = 3  # tokens of every attempt that ends by itself
ESTIMATED = 5  # tokens of the prompt, until they are counted
COMMON = "common.txt"  # a file that all results with files have alike
LENGTHS = (20, 1)  # times that pages repeat their text: the first is large enough for the object store


class ScriptedModel:
    """A scripted handler for either role."""

    def __init__(self, chance: random.Random, weather: Weather, maker: str, tell: Callable[[str, int], None]) -> None:
        """`tell`: receives each lease with the tokens that the worker reports for it."""
        self._tell = tell
        self._chance = chance
        self._weather = weather
        self._maker = maker

    @property
    def offer(self) -> Offer:
        makers = (self._maker,) if self._maker else ()
        models = (SMALLER, LARGER)
        return Offer(models=models, makers=makers, endpoints=dict.fromkeys(models, "http://scripted/v1"))

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        _check_inputs(assignment)
        _check_checkpoint(assignment)
        await asyncio.sleep(self._chance.uniform(0.1, 8.0))
        if self._happens("away"):
            return _away(assignment, execution_pb2.FAILURE_KIND_OUTAGE)
        if self._happens("overloaded"):
            return _away(
                assignment, execution_pb2.FAILURE_KIND_RATE_LIMITED, timedelta(seconds=self._chance.choice((2, 90)))
            )
        if report.prompts_wanted:
            await report.prompt((("user", f"{assignment.task.task_id} {assignment.attempt}"),))
        report.tokens(1)
        report.thinking("hm")
        if self._happens("hanging"):
            await asyncio.sleep(HANGS)
        if self._happens("raising"):
            raise RuntimeError("a bug in the handler")
        is_silent = self._happens("silent")
        if not is_silent:
            self._say(assignment, report, Spent(estimated_input_tokens=ESTIMATED, requests=1))
        await asyncio.sleep(self._chance.uniform(0.1, 8.0))
        report.checkpoint(assignment.task.task_id.encode())
        if not is_silent and not self._happens("uncounted"):
            self._say(assignment, report, Spent(input_tokens=COSTS, requests=1))
        if assignment.phase == execution_pb2.PHASE_VALIDATE:
            return self._judge(assignment)
        return await self._make(assignment, report)

    async def close(self) -> None:
        """Does nothing: there is nothing to close."""

    def _say(self, assignment: Assignment, report: Report, spent: Spent) -> None:
        self._tell(assignment.lease_id, spent.input_tokens + spent.estimated_input_tokens)
        report.usage("scripted", spent)

    def _happens(self, kind: str) -> bool:
        rate = self._weather.rate(kind)
        if kind in LATER and not rate:
            return False  # draws nothing: worlds that were written down before stay as they were
        return self._chance.random() < rate

    async def _make(self, assignment: Assignment, report: Report) -> Result:
        if self._happens("failing"):
            return FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message="the model failed")
        if self._happens("failing alike"):
            return FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message="it is odd", gist="odd, at line 3")
        if self._happens("too small"):
            return FailureResult(kind=execution_pb2.FAILURE_KIND_TOO_SMALL, message="the prompt is too long")
        told = ",".join(f"{given.task_id}={_read(given)}" for given in assignment.inputs)
        text = f"{assignment.task.task_id}({told}){self._chance.choice('ab')}"
        if assignment.task.output.files:
            manifest = await self._files(text, report)
            return CandidateResult(content=manifest, media_type=MANIFEST_TYPE, maker=self._maker)
        return CandidateResult(content=text.encode()[:200], media_type="text/plain", maker=self._maker)

    async def _files(self, text: str, report: Report) -> bytes:
        """Brings some files: one that all tasks make alike, and others that are large and small."""
        pages = [f"{text[:200]}{page}" for page in range(self._chance.choice((1, 1, 2)))]
        contents = {f"pages/{number}.txt": page * LENGTHS[number] for number, page in enumerate(pages)}
        contents[COMMON] = COMMON * 40
        with tempfile.TemporaryDirectory() as name:
            for path, content in contents.items():
                (Path(name) / path).parent.mkdir(exist_ok=True)
                (Path(name) / path).write_text(content)
            return await report.files(Path(name), sorted(contents), "pages/0.txt")

    def _judge(self, assignment: Assignment) -> Result:
        if self._happens("judge down"):
            return VerdictResult(outcome=execution_pb2.OUTCOME_ERROR, results=(), feedback="the judge is down")
        bad = self._happens("rejecting")
        outcome = execution_pb2.OUTCOME_FAIL if bad else execution_pb2.OUTCOME_PASS
        results = tuple(results_of(assignment.task, outcome))
        return VerdictResult(outcome=outcome, results=results, feedback="not good" if bad else "")


def _away(
    assignment: Assignment, kind: execution_pb2.FailureKind.ValueType, retry_after: timedelta | None = None
) -> Result:
    """Returns the result of either role when its model is away."""
    if assignment.phase == execution_pb2.PHASE_EXECUTE:
        return FailureResult(kind=kind, message="the model is away", retry_after=retry_after)
    return VerdictResult(
        outcome=execution_pb2.OUTCOME_ERROR,
        results=(),
        feedback="the judge's model is away",
        retry_after=retry_after,
        failure_kind=kind,
    )


def _check_checkpoint(assignment: Assignment) -> None:
    """Checks that an executor's checkpoint is of its own task, and that a judge receives none."""
    mine = assignment.task.task_id.encode() if assignment.phase == execution_pb2.PHASE_EXECUTE else b""
    assert assignment.checkpoint in (b"", mine)


def _check_inputs(assignment: Assignment) -> None:
    """Checks that each input is what the assignment says, made by the task that it names."""
    previous = assignment.feedback.previous_candidate if assignment.feedback else None
    given: list[Artifact | None] = [*assignment.inputs, assignment.candidate, previous]
    for artifact in given:
        if artifact is not None:
            assert hashlib.sha256(artifact.content).hexdigest() == artifact.digest
            assert _main_text(artifact).startswith(f"{artifact.task_id}(")
            _check_files(artifact)


def _main_text(artifact: Artifact) -> str:
    if artifact.manifest is None:
        return artifact.whole().decode()
    return artifact.file(artifact.manifest.main).read_text()


def _read(artifact: Artifact) -> str:
    """Returns the part of an input that a result shows: its text, or a name for all of its files."""
    return artifact.whole().decode() if artifact.manifest is None else artifact.digest[:8]


def _check_files(artifact: Artifact) -> None:
    """Checks that every file of an artifact has come."""
    for file in artifact.manifest.files if artifact.manifest is not None else ():
        body = artifact.file(file.path).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (file.size, file.digest)
