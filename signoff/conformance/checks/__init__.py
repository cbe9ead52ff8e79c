"""All checks, in the order in which a worker goes through them.

Each module holds the checks of one part of docs/reference/protocol.md, in Sections named after its headings:

    greeting     Hello, Welcome and Credit
    work         assignments, pings, progress
    results      candidates, failures, and results that are repeated
    verdicts     the answers of validators
    inputs       inputs that are fetched
    files_made   results of several files, which are brought
    files_read   inputs and candidates that have several files
    leases       leases that end early, and leases the worker does not hold
    streams      lost streams, backoff, drain and rotate
    frames       rules of every frame, which also judge all frames before
    leaving      how a worker ends

A new check is a decorated function in the module of its heading. Checks with a worker that must end come last.
"""

from __future__ import annotations

from collections.abc import Sequence

from signoff.conformance.check import Check
from signoff.conformance.checks import (
    files_made,
    files_read,
    frames,
    greeting,
    inputs,
    leases,
    leaving,
    results,
    streams,
    verdicts,
    work,
)

_PARTS = (
    *(greeting, work, results, verdicts, inputs, files_made, files_read),
    *(leases, streams, frames, leaving),
)

CHECKS: Sequence[Check] = tuple(check for part in _PARTS for section in part.SECTIONS for check in section.checks)
