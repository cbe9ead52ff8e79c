"""An engine: it can be set up for a workload, and then run again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from benchmarks.sample import Sample

Measure = Callable[[], Awaitable[Sample]]
"""One run. Raises BrokenRun when the engine did not do what it was asked to."""

SetUp = Callable[[], AbstractAsyncContextManager[Measure]]
"""Gets an engine ready for a workload, and takes it down again; it is idle between two runs."""


class NotHere(Exception):
    """The engine has no environment on this machine."""
