"""A check, its result, and the sections of docs/reference/protocol.md that checks belong to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from signoff.conformance.messages import Role
from signoff.conformance.outcome import CheckOutcome
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.errors import ConfigurationError

Run = Callable[[WorkerUnderTest], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a worker has to do."""

    id: str  #: stable, as docs/reference/protocol.md names it: "group.what"
    sentence: str  #: what holds when it passes
    section: str  #: the heading of docs/reference/protocol.md that explains it, as a link's fragment
    run: Run
    role: Role | None = None  #: None: of any role
    feature: str = ""  #: only of workers whose Hello announces it; empty: of all
    needs_command: bool = False  #: it ends the worker, so the kit must be able to start it again


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one check ended."""

    check: Check
    outcome: CheckOutcome
    reason: str  #: empty for a pass
    seconds: float


class Section:
    """The checks of one section of docs/reference/protocol.md, in the order they are written."""

    def __init__(self, section: str) -> None:
        self.checks: list[Check] = []
        self._section = section

    def check(
        self, check_id: str, sentence: str, *, role: Role | None = None, needs_command: bool = False, feature: str = ""
    ) -> Callable[[Run], Run]:
        """Decorates a function that is a check of this section."""

        def add(run: Run) -> Run:
            self.checks.append(
                Check(
                    id=check_id,
                    sentence=sentence,
                    section=self._section,
                    run=run,
                    role=role,
                    feature=feature,
                    needs_command=needs_command,
                )
            )
            return run

        return add


def selected(checks: Sequence[Check], wanted: Sequence[str]) -> Sequence[Check]:
    """Returns the checks with these ids, or of these groups ("stream"), in the kit's order; all when none is named.

    Raises ConfigurationError for an id that no check has.
    """
    known = {check.id for check in checks} | {check.id.partition(".")[0] for check in checks}
    if strangers := [name for name in wanted if name not in known]:
        ids = ", ".join(check.id for check in checks)
        raise ConfigurationError(f"expected checks among {ids}, but got {', '.join(strangers)}")
    return [check for check in checks if not wanted or {check.id, check.id.partition(".")[0]} & set(wanted)]
