"""Computes the expected cost of an attempt from the size of its prompt, the limit of its answer, and earlier attempts.

    tokens = prompt  + questions * (answer + excess)

The prompt consists of the texts that workers put into it (worker_svc/prompts/messages.py): the plan's idea, the task's
spec, its inputs, the results of earlier attempts, and a validator's candidate. A validator asks a model once for each
vote and each part of a long candidate, and not at all when checks decide everything.

The answer is the task's `max_tokens`, else the longest answer so far, else a guess. The excess is the most by which a
prompt has exceeded its estimate. Both are known once an attempt of the kind has ended, or its provider has counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple, Protocol

from runner_svc.core.model.inputs import files_named
from runner_svc.core.model.map import Map
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import Content, Phase
from runner_svc.core.state.task_record import TaskRecord
from signoff.plan.glossary import COMMAND

BYTES_PER_TOKEN = 3  # of UTF-8, as workers estimate
LEAST_AHEAD = 32  # tokens of an answer, which workers book when they send a prompt
FIRST_ANSWER = 1_000  # tokens of an executor's answer, or of a function's whole cost, while nothing is known
#: Tokens of a judge's answer while nothing better is known: for each criterion a reason and some quotes.
ANSWER_OF_CRITERION, ANSWER_OF_JUDGE = 200, 100

# Bytes of the workers' own texts: the system message, headings, the nonce, and the form of a judge's answer.
EXECUTOR_WORDS, JUDGE_WORDS = 1_000, 4_500
CHECK_WORDS = 150  # bytes of a check in words; the plan has a shorter form
FRAME_BYTES = 220  # around an artifact, besides its name
# The limits in messages.py and parts.py of worker_svc, which are in characters: as if each took one byte.
MOST_OF_ARTIFACT, MOST_OF_ALL = 48_000, 200_000
MOST_PARTS, OVERLAP = 20, 2_000

BY_A_MODEL = ""  # in a Key: a worker asked a model itself

Key = tuple[Phase, str]  # attempts that share experience: their phase, and the handlers when no model did the work


class Pricing(Protocol):
    """The prices of models, from the table that the runner was given."""

    def priced(self, model: str, usage: Usage) -> Usage:
        """Returns an amount with its cost; without a known price, its tokens are unpriced ones."""

    def dearest(self, usage: Usage) -> Usage:
        """Returns an amount at the price of the table's dearest model; unpriced when the table has no model."""


class _NoPrices:
    """Pricing without a table: every token is unpriced."""

    def priced(self, model: str, usage: Usage) -> Usage:
        return replace(usage, unpriced_tokens=usage.tokens)

    def dearest(self, usage: Usage) -> Usage:
        return replace(usage, unpriced_tokens=usage.tokens)


NO_PRICES: Pricing = _NoPrices()


class AttemptKind(NamedTuple):
    """A kind of attempts, which are expected to cost the same apart from their prompts and limits."""

    phase: Phase
    requirement: Requirement
    questions: int  #: how often a model is asked
    answer: int  #: tokens of an answer while nothing better is known
    is_limited: bool  #: the task limits the length of an answer

    @property
    def key(self) -> Key:
        return self.phase, BY_A_MODEL if self.requirement.asks_a_model else ",".join(sorted(self.requirement.handlers))


class AttemptSize(NamedTuple):
    """The size of an attempt, as far as it is known beforehand."""

    kind: AttemptKind
    prompt: int  #: tokens of all its questions
    limit: int  #: tokens of its answers; 0: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The cost that an attempt may have."""

    tokens: int
    cost_nanos: int
    unpriced: str | None = None  #: a model without a known price that may be asked
    is_guess: bool = False  #: nothing is known of attempts of this kind


def size_of(
    plan: Map, records: Mapping[int, TaskRecord], task: int, phase: Phase, requirement: Requirement, canary: int = 0
) -> AttemptSize:
    """Returns the size of a task's next attempt, or of the one that is under way. `canary`: as in TaskAssigned."""
    if not requirement.asks_a_model:
        answer = 0 if requirement.handlers <= {COMMAND} else FIRST_ANSWER
        return AttemptSize(AttemptKind(phase, requirement, 1, answer, False), 0, 0)
    if phase is Phase.VALIDATE:
        return _size_of_judging(plan, records, task, requirement, canary)
    limit = plan.requirements_of(task).max_tokens
    kind = AttemptKind(phase, requirement, 1, 0 if limit else FIRST_ANSWER, limit is not None)
    prompt = EXECUTOR_WORDS + _task_bytes(plan, records, task) + _history_bytes(records.get(task))
    return AttemptSize(kind, _tokens(prompt), limit or 0)


def _size_of_judging(
    plan: Map, records: Mapping[int, TaskRecord], task: int, requirement: Requirement, canary: int
) -> AttemptSize:
    demands, record = plan.demands_of(task), records.get(task)
    # guard: votes are counted -> votes = 1
    votes = demands.votes
    known = plan.canary(task, canary)
    candidate = known.content if known is not None else record.candidate if record is not None else None
    size = candidate.size if candidate is not None else 0
    remark = len(candidate.remark) if candidate is not None else 0
    parts = min(MOST_PARTS, max(1, -(-(size - OVERLAP) // (MOST_OF_ALL - OVERLAP))))
    shown = min(size, MOST_PARTS * MOST_OF_ALL) + (parts - 1) * OVERLAP
    prompt = parts * (JUDGE_WORDS + remark + _task_bytes(plan, records, task)) + shown
    answer = ANSWER_OF_JUDGE + ANSWER_OF_CRITERION * demands.judged
    return AttemptSize(
        AttemptKind(Phase.VALIDATE, requirement, votes * parts, answer, False), votes * _tokens(prompt), 0
    )


def _task_bytes(plan: Map, records: Mapping[int, TaskRecord], task: int) -> int:
    """Returns the bytes about a task that every prompt has: idea, spec, checks and inputs."""
    size = plan.idea_size + len(plan.specs[task]) + CHECK_WORDS * len(plan.demands_of(task).checks)
    given = 0
    for name, content in _given(plan, records, task):
        given += FRAME_BYTES + len(name) + min(content.size if content is not None else 0, MOST_OF_ARTIFACT)
        if given >= MOST_OF_ALL:
            return size + MOST_OF_ALL
    return size + given


def _given(plan: Map, records: Mapping[int, TaskRecord], task: int) -> Iterator[tuple[str, Content | None]]:
    """Yields a task's inputs with their names, no more than a prompt can name. None: it is not made yet."""
    for name in plan.reads[task]:
        if name in plan.given:
            yield from files_named(plan.inputs[name], plan.given[name])
        elif name in plan.makers:
            yield name, _artifact_of(records, plan.makers[name])
    if plan.takes_all(task):
        for maker in islice(plan.producers(task), MOST_OF_ALL // FRAME_BYTES + 1):
            yield plan.makes[maker], _artifact_of(records, maker)


def _artifact_of(records: Mapping[int, TaskRecord], task: int) -> Content | None:
    record = records.get(task)
    return record.artifact if record is not None else None


def _history_bytes(record: TaskRecord | None) -> int:
    """Returns the bytes about earlier attempts that an executor's prompt has."""
    if record is None or not (record.failures or record.failed_attempts.lines):
        return 0
    size = len(record.feedback or record.last_failure) + sum(map(len, record.failed_attempts.lines))
    size += sum(len(result.criterion) + len(result.reason) for result in record.results)
    return size + (min(record.rejected.size, MOST_OF_ARTIFACT) + FRAME_BYTES if record.rejected is not None else 0)


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


# ---------------------------------------------------------------- what is expected


def expected(size: AttemptSize, known: Usage | None, models: tuple[str, ...], pricing: Pricing | None) -> Expected:
    """Returns the cost that an attempt of this size may have.

    `known`: the most that such attempts have taken, per question. `models`: those that may be asked. `pricing`: None
    when no budget bounds cost.
    """
    kind = size.kind
    answer = known.output_tokens if known is not None else kind.answer
    if kind.phase is Phase.VALIDATE and kind.requirement.asks_a_model:
        answer = max(answer, kind.answer)
    usage = Usage(
        estimated_input_tokens=size.prompt + kind.questions * (known.input_tokens if known is not None else 0),
        estimated_output_tokens=size.limit if kind.is_limited else kind.questions * answer,
        requests=kind.questions * max(1, known.requests if known is not None else 0),
    )
    cost, unpriced = (0, None) if pricing is None else _cost(usage, kind, known, models, pricing)
    is_guess = known is None and not kind.is_limited and kind.answer > 0
    return Expected(tokens=usage.tokens, cost_nanos=cost, unpriced=unpriced, is_guess=is_guess)


def _cost(
    usage: Usage, kind: AttemptKind, known: Usage | None, models: tuple[str, ...], pricing: Pricing
) -> tuple[int, str | None]:
    """Returns the cost, and a model whose price is not known, if there is one."""
    if not kind.requirement.asks_a_model:
        # A function reports its own requests together with their cost.
        return (known.cost_nanos if known is not None else pricing.dearest(usage).cost) if usage.tokens else 0, None
    cost = 0
    for model in models:
        priced = pricing.priced(model, usage) if model else pricing.dearest(usage)
        if priced.unpriced_tokens:
            return 0, model
        cost = max(cost, priced.cost)
    return cost, None


def cost_per_question(size: AttemptSize, usage: Usage) -> Usage | None:
    """Returns the cost of an attempt per question, to learn from. None: its model has said nothing."""
    asked = usage.input_tokens + usage.estimated_input_tokens
    wrote = usage.output_tokens + usage.estimated_output_tokens
    if size.kind.requirement.asks_a_model and not (wrote or usage.input_tokens):
        return None  # it was refused, or perhaps never arrived
    questions = size.kind.questions
    return Usage(
        input_tokens=-(-max(0, asked - size.prompt) // questions),
        output_tokens=-(-wrote // questions),
        requests=-(-usage.requests // questions),
        cost_nanos=usage.cost,
    )


def largest(before: Usage | None, other: Usage) -> Usage:
    """Returns the larger value of each amount."""
    if before is None:
        return other
    return Usage(
        input_tokens=max(before.input_tokens, other.input_tokens),
        output_tokens=max(before.output_tokens, other.output_tokens),
        requests=max(before.requests, other.requests),
        cost_nanos=max(before.cost_nanos, other.cost_nanos),
    )
