"""The executor of commands: a program's standard output becomes the candidate."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from signoff.plan.formats import format_of
from signoff.service.logs import log_location
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Offer, Report, Result
from worker_svc.commands.arguments import BadCommand, command_in_words
from worker_svc.commands.exit_codes import PERMANENT, TRANSIENT, fails_the_same, failure_kind, memory_hint
from worker_svc.commands.output import Collected, ThinkingAloud, python_place
from worker_svc.commands.process import Ended
from worker_svc.commands.run import DEFAULT_MEMORY, run
from worker_svc.gist import gist_of
from worker_svc.prompts.messages import maker_digest

log = structlog.get_logger(__name__)

MAX_CANDIDATE = 64 * 1024**2  # the runner stores no more, by default
MAX_LAST_WORDS = 4 * 1024  # characters of its standard error that are sent
MAX_LOGGED_WORDS = 32 * 1024  # bytes of it that the worker's log has
VERSION = "command-1"  # of what a program finds and of how its end is read: change it with either


class CommandExecutor:
    """An assignment.Handler that runs the task's command."""

    def __init__(self, base: Path | None = None, *, max_candidate: int = MAX_CANDIDATE) -> None:
        """`base`: where the folders of attempts are made; None: where the system keeps what is temporary."""
        self._base = base
        self._max_candidate = max_candidate
        self._maker = maker_digest("command", VERSION, {})

    @property
    def offer(self) -> Offer:
        return Offer(handlers=("command",), makers=(self._maker,))

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        command = assignment.task.executor.command
        memory = command.memory_bytes or DEFAULT_MEMORY
        out, err = Collected(report, self._max_candidate), ThinkingAloud(report, MAX_LOGGED_WORDS)
        name = f"the command {command_in_words(command.argv)}"
        try:
            ended = await run(command.argv, assignment, out, err, base=self._base, memory_bytes=memory)
        except BadCommand as problem:
            return FailureResult(kind=PERMANENT, message=str(problem))
        except OSError as error:
            return FailureResult(kind=TRANSIENT, message=f"{name} could not be run on this machine: {error}")
        err.finish()
        if out.overflowed:
            too_much = f"wrote more than {self._max_candidate} bytes to its standard output, and was ended"
            return FailureResult(kind=PERMANENT, message=f"{name} {too_much}")
        if ended.code != 0:
            log.warning("command_failed", task=assignment.task.task_id, lease=assignment.lease_id,
                        problem=f"{name} {ended.in_words}", stderr=err.text)  # fmt: skip
            return _failed(name, ended, err.text, memory)
        media_type = format_of(assignment.task.output.format).media_type
        content = await asyncio.to_thread(out.joined)
        return CandidateResult(content=content, media_type=media_type, maker=self._maker)

    async def close(self) -> None:
        """Nothing outlives a call."""


def _failed(name: str, ended: Ended, words: str, memory_bytes: int) -> FailureResult:
    place = python_place(words)
    where = f" at {place}" if place else ""
    problem = f"{name} {ended.in_words}{where}{memory_hint(ended, words, memory_bytes)}"
    more = f" (more of its standard error is in {log_location()})" if len(words) > MAX_LAST_WORDS else ""
    said = f"{more}; the end of its standard error:\n{words[-MAX_LAST_WORDS:].lstrip()}" if words else ""
    gist = gist_of(ended.in_words, words) if fails_the_same(ended, words) else ""
    return FailureResult(kind=failure_kind(ended), message=problem + said, gist=gist)
