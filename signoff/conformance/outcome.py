"""How a check can end, and the exceptions by which it says so."""

from __future__ import annotations

from enum import StrEnum


class NotMet(Exception):
    """The worker did something else than the check expects; the text says what was expected and what came."""


class CheckSkipped(Exception):
    """The check does not apply to this worker; the text says why."""


class CheckOutcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
