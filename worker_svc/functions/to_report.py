"""Carries a function's reports from any thread to the report of its lease, which belongs to the event loop.

The reports are collected, and passed on when the event loop has time: a talkative function costs one call on the loop
at a time, and memory for one report.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from worker_svc.assignment import Report
from worker_svc.link.lease_report import MAX_UNSENT_THINKING
from worker_svc.spent import NOTHING, Spent

KEPT = 2 * MAX_UNSENT_THINKING  # characters: more than the report keeps, so that the report marks the gap
SAVE_EVERY = 1.0  # seconds between two checkpoints of a call: each costs the runner a commit
MOST_AT_ONCE = MAX_UNSENT_THINKING // 4  # characters of one call


class CallCosts:
    """The costs of the functions of one lease, by model: reports are totals."""

    def __init__(self) -> None:
        self.totals: dict[str, Spent] = {}

    def add(self, model: str, spent: Spent) -> None:
        self.totals[model] = self.totals.get(model, NOTHING) + spent

    @property
    def output_tokens(self) -> int:
        return sum(spent.output_tokens for spent in self.totals.values())


class ReportLine:
    """A signoff.app.CallReporter to an assignment.Report. It is made on the event loop that the report belongs to."""

    def __init__(self, report: Report, costs: CallCosts | None = None) -> None:
        self._report = report
        self._costs = costs or CallCosts()
        self._home = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._pieces: deque[str] = deque()
        self._length = 0
        self._changed: dict[str, None] = {}  # models
        self._checkpoint: bytes | None = None  # not passed on yet
        self._next_save_at = 0.0  # on the event loop's clock
        self._saving: asyncio.TimerHandle | None = None
        self._is_due = False
        self._is_over = False
        self.cancelled = False

    # ------------------------------------------------------------ from any thread

    def progress(self, text: str) -> None:
        text = text[:MOST_AT_ONCE]
        with self._lock:
            if text:
                self._pieces.append(text)
            self._length += len(text)
            while self._length > KEPT:
                self._length -= len(self._pieces.popleft())
            self._call_home()

    def checkpoint(self, content: bytes) -> None:
        with self._lock:
            self._checkpoint = content
            self._call_home()

    def usage(self, model: str, counts: Mapping[str, int]) -> None:
        with self._lock:
            self._costs.add(model, Spent(**counts))
            self._changed[model] = None
            self._call_home()

    def _call_home(self) -> None:
        if not (self._is_due or self._is_over):
            self._is_due = True
            with suppress(RuntimeError):  # the worker has ended, but the user's thread has not
                self._home.call_soon_threadsafe(self.flush)

    # ------------------------------------------------------------ on the event loop

    def cancel(self) -> None:
        """Reports the costs of work that is cancelled, and ignores all later reports."""
        if not self._is_over:
            self._report_costs()
        self.cancelled = self._is_over = True

    def end(self) -> None:
        """Reports the rest of a call that has ended, and ignores all later reports."""
        self.flush()
        if not self._is_over:
            self._save()
        self._is_over = True

    def flush(self) -> None:
        """Passes on the collected reports."""
        with self._lock:
            pieces, tokens = list(self._pieces), self._costs.output_tokens
            was_due, self._is_due = self._is_due, False
            self._pieces.clear()
            self._length = 0
        if self._is_over or not was_due:
            return
        for piece in pieces:
            self._report.thinking(piece)
        self._report.tokens(tokens)
        self._report_costs()
        if self._checkpoint is not None and self._saving is None:
            self._saving = self._home.call_at(self._next_save_at, self._save_in_time)

    def _report_costs(self) -> None:
        with self._lock:
            totals = {model: self._costs.totals[model] for model in self._changed}
            self._changed.clear()
        for model, spent in totals.items():
            self._report.usage(model, spent)

    def _save_in_time(self) -> None:
        self._saving = None
        if not self._is_over:
            self._save()

    def _save(self) -> None:
        """Passes on the last checkpoint, if there is a new one."""
        with self._lock:
            content, self._checkpoint = self._checkpoint, None
        if content is not None:
            self._next_save_at = self._home.time() + SAVE_EVERY
            self._report.checkpoint(content)
