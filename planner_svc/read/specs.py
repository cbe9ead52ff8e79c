"""Readers and writers of the specs in a plan: executors, budgets, judges and canaries.

An unknown field is an error here: a limit with a typo in its name would silently be no limit. Misspelt names have been
corrected before (field_names.py).
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from planner_svc.diagnostics import described, quoted
from planner_svc.model import Budget, Canary, CommandSpec, ExecutorSpec, JudgeSpec
from planner_svc.read.fields import (
    Blame,
    Fields,
    argv,
    flag,
    labels,
    name,
    names,
    number,
    seconds,
    seconds_to_json,
    whole,
)
from planner_svc.read.vocabulary import BUDGET, CANARY, EXECUTOR, JUDGE
from planner_svc.read.vocabulary import COMMAND as COMMAND_LEVEL
from signoff.money import from_nanos, to_nanos
from signoff.plan.glossary import COMMAND
from signoff.plan.limits import MAX_CANARIES, MAX_ESCALATION

LONGEST_TIMEOUT = timedelta(days=30)
MOST_FAILURES = 1_000
HOTTEST = 2  # the most that model endpoints take
MOST_TOKENS = 10_000_000
LEAST_MIB, MOST_MIB = 16, 1 << 20
MOST_VOTES = 9
MAX_CANARY_BYTES = 256 * 1024  # so that a runner need not store one apart
DEAREST = 1_000_000_000  # of any currency

_MIB = 1 << 20
_CANARY = {"candidate": "a text, or JSON of another kind", "good": "true or false"}

# ---------------------------------------------------------------- executors


def executor_from_json(raw: object, place: str, blame: Blame) -> ExecutorSpec:
    """Reads the `executor` of a task; a text is short for its name."""
    if isinstance(raw, str):
        return executor_from_json({"name": raw}, place, lambda _, message: blame(place, message))
    fields = Fields(raw, place, blame, "an object, or a text with the executor's name")
    fields.only(EXECUTOR.fields)
    spec = ExecutorSpec(
        name=fields.read("name", name, ""),
        labels=fields.read("labels", labels, ()),
        model=fields.read("model", name, ""),
        escalation=fields.read("escalation", names(MAX_ESCALATION), ()),
        run_timeout=fields.read("run_timeout", seconds(LONGEST_TIMEOUT), None),
        idle_timeout=fields.read("idle_timeout", seconds(LONGEST_TIMEOUT), None),
        outage_patience=fields.read("outage_patience", seconds(LONGEST_TIMEOUT), None),
        max_failures=fields.read("max_failures", whole(1, MOST_FAILURES), None),
        temperature=fields.read("temperature", number(0, HOTTEST), None),
        max_tokens=fields.read("max_tokens", whole(1, MOST_TOKENS), None),
        command=_command(fields.raw(COMMAND), f"{place}.{COMMAND}", blame) if fields.has(COMMAND) else None,
    )
    _check_name(spec.name, fields)
    return spec


def _check_name(executor: str, fields: Fields) -> None:
    """Reports an executor that has a command and another name, or the name "command" and no command."""
    if fields.has(COMMAND) and executor not in ("", COMMAND):
        fields.wrong(
            COMMAND, f'expected a command under the name "{COMMAND}" only, but got the name {quoted(executor)}'
        )
    if executor == COMMAND and not fields.has(COMMAND):
        fields.wrong("name", f'expected a command with the name "{COMMAND}", but got none')


def _command(raw: object, place: str, blame: Blame) -> CommandSpec | None:
    """Reads the `command` of an executor; a list is short for its `argv`."""
    if isinstance(raw, list):
        return _command({"argv": raw}, place, lambda _, message: blame(place, message))
    fields = Fields(raw, place, blame, "an object with argv, or a list with a program and its arguments")
    fields.only(COMMAND_LEVEL.fields)
    if isinstance(raw, dict) and not fields.has("argv"):
        fields.wrong("argv", "expected a list with a program and its arguments, but got nothing")
    parts: tuple[str, ...] = fields.read("argv", argv, ())
    memory = fields.read("memory_mib", whole(LEAST_MIB, MOST_MIB), 0)
    return CommandSpec(argv=parts, memory_bytes=memory * _MIB) if parts else None


def executor_to_json(spec: ExecutorSpec) -> dict[str, Any]:
    """Returns the fields that are set, as a plan has them."""
    fields: dict[str, Any] = {
        "name": spec.name or None,
        "labels": dict(spec.labels) or None,
        "model": spec.model or None,
        "escalation": list(spec.escalation) or None,
        "run_timeout": seconds_to_json(spec.run_timeout),
        "idle_timeout": seconds_to_json(spec.idle_timeout),
        "outage_patience": seconds_to_json(spec.outage_patience),
        "max_failures": spec.max_failures,
        "temperature": spec.temperature,
        "max_tokens": spec.max_tokens,
        COMMAND: _command_to_json(spec.command) if spec.command is not None else None,
    }
    return {field: value for field, value in fields.items() if value is not None}


def _command_to_json(command: CommandSpec) -> dict[str, Any]:
    entry: dict[str, Any] = {"argv": list(command.argv)}
    if command.memory_bytes:
        entry["memory_mib"] = command.memory_bytes // _MIB
    return entry


# ---------------------------------------------------------------- budgets


def budget_from_json(raw: object, place: str, blame: Blame) -> Budget:
    """Reads the `budget` of a task or a group. Its cost is in the currency of the runner's price table."""
    fields = Fields(raw, place, blame)
    fields.only(BUDGET.fields)
    cost = fields.read("cost", number(0, DEAREST), None)
    budget = Budget(tokens=fields.read("tokens", whole(0), None), cost_nanos=None if cost is None else to_nanos(cost))
    if isinstance(raw, dict) and not (fields.has("tokens") or fields.has("cost")):
        fields.wrong("tokens", "expected tokens or cost, but got neither")
    return budget


def budget_to_json(budget: Budget) -> dict[str, Any]:
    """Returns the bounds that are set, as a plan has them."""
    cost = None if budget.cost_nanos is None else from_nanos(budget.cost_nanos)
    return {field: value for field, value in (("tokens", budget.tokens), ("cost", cost)) if value is not None}


# ---------------------------------------------------------------- judges


def judge_from_json(raw: object, place: str, blame: Blame) -> JudgeSpec:
    """Reads the `judge` of a validation."""
    fields = Fields(raw, place, blame)
    fields.only(JUDGE.fields)
    spec = JudgeSpec(
        model=fields.read("model", name, ""),
        labels=fields.read("labels", labels, ()),
        votes=fields.read("votes", whole(1, MOST_VOTES), 0),
        needed=fields.read("needed", whole(1, MOST_VOTES), 0),
        images=fields.read("images", flag, False),
    )
    votes = spec.votes or 1
    if spec.needed and not votes // 2 < spec.needed <= votes and (spec.votes or not fields.has("votes")):
        rule = f"from {votes // 2 + 1} to {votes} with {votes} vote{'s' if votes > 1 else ''}"
        fields.wrong("needed", f"expected a whole number {rule}, but got {spec.needed}")
    return spec


def judge_to_json(spec: JudgeSpec) -> dict[str, Any]:
    """Returns the fields that are set, as a plan has them."""
    fields: dict[str, Any] = {
        "model": spec.model or None,
        "labels": dict(spec.labels) or None,
        "votes": spec.votes or None,
        "needed": spec.needed or None,
        "images": spec.images or None,
    }
    return {field: value for field, value in fields.items() if value is not None}


# ---------------------------------------------------------------- canaries


def canaries_from_json(raw: object, place: str, blame: Blame) -> tuple[Canary, ...]:
    """Reads the `canaries` of a validation; none when there are none."""
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > MAX_CANARIES:
        got = f"{len(raw):,}" if isinstance(raw, list) else described(raw)
        blame(place, f"expected a list of at most {MAX_CANARIES} canaries, but got {got}")
        return ()
    return tuple(_canary(value, f"{place}[{n}]", blame) for n, value in enumerate(raw))


def _canary(raw: object, place: str, blame: Blame) -> Canary:
    fields = Fields(raw, place, blame, "an object with candidate and good")
    fields.only(CANARY.fields)
    for field in _CANARY if isinstance(raw, dict) else ():
        if not fields.has(field):
            fields.wrong(field, f"expected {_CANARY[field]}, but got nothing")
    return Canary(candidate=fields.read("candidate", _whole_text, ""), good=fields.read("good", flag, False))


def _whole_text(value: object) -> str:
    """Reads a candidate: a text as it is, any other value as its JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text.encode()) > MAX_CANARY_BYTES:
        raise ValueError(f"expected at most {MAX_CANARY_BYTES:,} bytes, but got {len(text.encode()):,}")
    return text
