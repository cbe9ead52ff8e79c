"""All checks, in the order in which a worker goes through them."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.conformance.check import Check
from signoff.conformance.checks import frames, greeting, inputs, leases, leaving, results, streams, verdicts, work

CHECKS: Sequence[Check] = tuple(
    check
    for part in (greeting, work, results, verdicts, inputs, leases, streams, frames, leaving)
    for section in part.SECTIONS
    for check in section.checks
)
