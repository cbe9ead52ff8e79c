"""What a check is, and how it can end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from signoff.errors import ConfigurationError
from signoff.v1 import runner_pb2

if TYPE_CHECKING:
    from signoff.conformance.trial import Trial

Role: TypeAlias = runner_pb2.WorkerRole.ValueType
EXECUTOR, VALIDATOR = runner_pb2.WORKER_ROLE_EXECUTOR, runner_pb2.WORKER_ROLE_VALIDATOR


class NotMet(Exception):
    """The worker did something else; the text says what was expected and what came."""


class CheckSkipped(Exception):
    """The check does not apply to this worker; the text says why."""


class CheckOutcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"


Run = Callable[["Trial"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing a worker has to do."""

    id: str  #: stable, as docs/reference/protocol.md names it: "group.what"
    sentence: str  #: what holds when it passes
    section: str  #: the heading of docs/reference/protocol.md that explains it, as a link's fragment
    run: Run
    role: Role | None = None  #: None: of any role
    needs_command: bool = False  #: it ends the worker, so somebody has to start it again


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one check ended."""

    check: Check
    outcome: CheckOutcome
    reason: str  #: empty for a pass
    seconds: float


class Section:
    """The checks of one part of docs/reference/protocol.md; collects them in the order they are written."""

    def __init__(self, section: str) -> None:
        self.checks: list[Check] = []
        self._section = section

    def check(
        self, check_id: str, sentence: str, *, role: Role | None = None, needs_command: bool = False
    ) -> Callable[[Run], Run]:
        def add(run: Run) -> Run:
            self.checks.append(
                Check(
                    id=check_id,
                    sentence=sentence,
                    section=self._section,
                    run=run,
                    role=role,
                    needs_command=needs_command,
                )
            )
            return run

        return add


def selected(checks: Sequence[Check], wanted: Sequence[str]) -> Sequence[Check]:
    """The checks with these ids, or of these groups ("stream"), in the kit's order; all of them when none is named.

    Raises ConfigurationError for an id that nobody has.
    """
    known = {check.id for check in checks} | {check.id.partition(".")[0] for check in checks}
    if strangers := [name for name in wanted if name not in known]:
        ids = ", ".join(check.id for check in checks)
        raise ConfigurationError(f"expected checks among {ids}, but got {', '.join(strangers)}")
    return [check for check in checks if not wanted or {check.id, check.id.partition(".")[0]} & set(wanted)]
