"""`signoff status` without a plan: the executions, the newest first, by plan, state, time and more."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from signoff.cli.remote.find_runner import RunnerLocation, reach
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.tables import show_executions
from signoff.display.wire_names import record_of, state_name
from signoff.errors import ConfigurationError
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2

NO_RUNNER_WORKS = "no runner works on what is running: `signoff run PLAN` or `signoff serve` goes on with it"
STATES = {state_name(number): number for number in pb.ExecutionState.values() if number}

NEEDS = {
    "person": runner_pb2.EXECUTION_NEED_PERSON,
    "budget": runner_pb2.EXECUTION_NEED_BUDGET,
    "retry": runner_pb2.EXECUTION_NEED_RETRY,
}

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"(\d{1,6})\s*([smhdw])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters of a list, as a person typed them."""

    plan: str = ""
    states: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    limit: int = 100
    awaiting: tuple[str, ...] = ()
    text: str = ""

    def again(self, until: str) -> str:
        """Returns the command that lists older executions."""
        words = ["signoff", "status", *(["--plan", self.plan] if self.plan else [])]
        words += [word for state in self.states for word in ("--state", state)]
        words += [word for need in self.awaiting for word in ("--awaiting", need)]
        words += ["--text", self.text] if self.text else []
        words += ["--since", self.since] if self.since else []
        words += ["--limit", str(self.limit)] if self.limit != Filters().limit else []
        return shlex.join([*words, "--until", until])


async def list_executions(filters: Filters, where: RunnerLocation, output: CommandOutput) -> int:
    """Lists the newest executions, and says how to see more when there are."""
    now = datetime.now(UTC)
    after = moment(filters.since, "--since", now) if filters.since else None
    before = moment(filters.until, "--until", now) if filters.until else None
    states = [state_named(word) for word in filters.states]
    needs = [need_named(word) for word in filters.awaiting]
    async with reach(where) as reached:
        found = await reached.client.list(
            filters.plan,
            at_most=filters.limit + 1,
            states=states,
            created_after=after,
            created_before=before,
            awaiting=needs,
            text=filters.text,
        )
        shown = found[: filters.limit]
        if output.json:
            for execution in shown:
                output.record(record_of(execution))
        elif shown:
            show_executions(output, shown)
        else:
            is_all = filters == Filters(limit=filters.limit)
            output.note("nothing was run yet" if is_all else "nothing like this was run")
        if len(found) > len(shown):
            older = filters.again(shown[-1].created_at.ToDatetime(UTC).isoformat())
            output.note(f"these are the newest {len(shown):,}: --limit N shows more, and `{older}` those before them")
        if reached.is_temporary and any(execution.state == pb.EXECUTION_STATE_RUNNING for execution in shown):
            output.note(NO_RUNNER_WORKS)
    return 0


def state_named(word: str) -> pb.ExecutionState.ValueType:
    """Returns the state that a word names. Raises ConfigurationError."""
    if word not in STATES:
        raise ConfigurationError(f"expected --state to be one of {', '.join(STATES)}, but got {word!r}")
    return STATES[word]


def need_named(word: str) -> runner_pb2.ExecutionNeed.ValueType:
    """Returns the need that a word names. Raises ConfigurationError."""
    if word not in NEEDS:
        raise ConfigurationError(f"expected --awaiting to be one of {', '.join(NEEDS)}, but got {word!r}")
    return NEEDS[word]


def age_of(text: str) -> timedelta | None:
    """Reads an age such as 90m, 2h or 30d. None: it is no age. Raises OverflowError for one beyond all bounds."""
    age = _AGE.fullmatch(text.strip())
    return None if age is None else timedelta(**{_UNITS[age[2]]: int(age[1])})


def moment(text: str, flag: str, now: datetime) -> datetime:
    """Reads "90m", "2h" or "3d" as an age before `now`, or a date or time in ISO 8601; local time unless it has a zone.

    Raises ConfigurationError.
    """
    try:
        age = age_of(text)
        if age is not None:
            return now - age
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"expected {flag} to be an age such as 90m, 2h or 3d, or a date or time such as 2026-11-28 or "
            f"2026-11-28T09:30, but got {text!r}"
        ) from None
