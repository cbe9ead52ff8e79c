"""The executor of commands: a program's standard output becomes the candidate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from signoff.plan.formats import format_of
from signoff.plan.glossary import COMMAND
from signoff.rpc.frames import MAX_CANDIDATE_BYTES
from signoff.service.logs import log_location
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Offer, Report, Result, UnchangedResult
from worker_svc.commands.arguments import BadCommand, command_in_words
from worker_svc.commands.exit_codes import PERMANENT, TRANSIENT, fails_the_same, failure_kind, memory_hint
from worker_svc.commands.named_files import digests_of
from worker_svc.commands.output import Collected, ThinkingAloud, python_place
from worker_svc.commands.process import Ended
from worker_svc.commands.run import DEFAULT_MEMORY, run
from worker_svc.gist import gist_of
from worker_svc.known_makers import code_of
from worker_svc.prompts.messages import maker_digest

log = structlog.get_logger(__name__)

MAX_SENT_CHARS = 4 * 1024  # of a program's standard error
MAX_LOGGED_BYTES = 32 * 1024  # of a program's standard error
VERSION = "command-1"  # of the folder and of the exit codes: change it with either


class CommandExecutor:
    """An assignment.Handler that runs the task's command."""

    def __init__(self, base: Path | None = None, *, max_candidate: int = MAX_CANDIDATE_BYTES) -> None:
        """`base`: the folder for the folders of attempts; None: the system's folder for temporary files."""
        self._base = base
        self._max_candidate = max_candidate
        self._maker = maker_digest(COMMAND, VERSION, {})  # of programs that name no files

    @property
    def offer(self) -> Offer:
        known = code_of(COMMAND, self._maker, VERSION)
        return Offer(handlers=(COMMAND,), makers=(self._maker,), known_makers=(known,))

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        command = assignment.task.executor.command
        maker = await self._maker_of(command.argv)
        # guard: what is unchanged is not done again -> if False:
        if maker and maker == assignment.unless_maker:
            return UnchangedResult(maker=maker)
        memory = command.memory_bytes or DEFAULT_MEMORY
        out, err = Collected(report, self._max_candidate), ThinkingAloud(report, MAX_LOGGED_BYTES)
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
        return CandidateResult(content=content, media_type=media_type, maker=maker)

    async def _maker_of(self, argv: Sequence[str]) -> str:
        """Returns the digest of the program's folder and exit codes, and of the files that it names.

        It is empty when it cannot be told what the program reads: then nothing is ever the same.
        """
        if not any("/" in argument for argument in argv):
            return self._maker
        files = await asyncio.to_thread(digests_of, argv)
        return "" if files is None else maker_digest(COMMAND, VERSION, files)

    async def close(self) -> None:
        """Does nothing: no process outlives a call."""


def _failed(name: str, ended: Ended, stderr: str, memory_bytes: int) -> FailureResult:
    place = python_place(stderr)
    where = f" at {place}" if place else ""
    problem = f"{name} {ended.in_words}{where}{memory_hint(ended, stderr, memory_bytes)}"
    more = f" (more of its standard error is in {log_location()})" if len(stderr) > MAX_SENT_CHARS else ""
    tail = f"{more}; the end of its standard error:\n{stderr[-MAX_SENT_CHARS:].lstrip()}" if stderr else ""
    gist = gist_of(ended.in_words, stderr) if fails_the_same(ended, stderr) else ""
    return FailureResult(kind=failure_kind(ended), message=problem + tail, gist=gist)
