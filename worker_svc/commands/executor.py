"""The executor of commands: a program's standard output becomes the candidate, or the files that it writes do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from signoff.manifest.manifest import MANIFEST_TYPE
from signoff.plan.formats import format_of
from signoff.plan.glossary import COMMAND
from signoff.rpc.frames import MAX_CANDIDATE_BYTES
from signoff.service.logs import log_location
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Offer, Report, Result, UnchangedResult
from worker_svc.commands.arguments import BadCommand, command_in_words
from worker_svc.commands.exit_codes import PERMANENT, TRANSIENT, fails_the_same, failure_kind, memory_hint
from worker_svc.commands.folder import OUTPUTS
from worker_svc.commands.named_files import digests_of
from worker_svc.commands.output import Collected, ThinkingAloud, python_place
from worker_svc.commands.process import Ended
from worker_svc.commands.run import DEFAULT_MEMORY, ran, run
from worker_svc.files.opening import FilesRefused
from worker_svc.files.outputs import manifest_of_outputs
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
        attempt = _Attempt(assignment, report, maker)
        try:
            if assignment.task.output.files:
                return await attempt.with_files(self._base)
            return await attempt.with_output(self._base, self._max_candidate)
        except BadCommand as problem:
            return FailureResult(kind=PERMANENT, message=str(problem))
        except OSError as error:
            return FailureResult(kind=TRANSIENT, message=f"{attempt.name} could not be run on this machine: {error}")

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


class _Attempt:
    """One run of a task's command. Its methods raise as commands.run.ran does."""

    def __init__(self, assignment: Assignment, report: Report, maker: str) -> None:
        self._assignment = assignment
        self._report = report
        self._maker = maker
        self._command = assignment.task.executor.command
        self._memory = self._command.memory_bytes or DEFAULT_MEMORY
        self.name = f"the command {command_in_words(self._command.argv)}"

    async def with_output(self, base: Path | None, most: int) -> Result:
        """Makes a candidate of the standard output."""
        out, err = Collected(self._report, most), ThinkingAloud(self._report, MAX_LOGGED_BYTES)
        ended = await run(self._command.argv, self._assignment, out, err, base=base, memory_bytes=self._memory)
        err.finish()
        if out.overflowed:
            too_much = f"wrote more than {most} bytes to its standard output, and was ended"
            return FailureResult(kind=PERMANENT, message=f"{self.name} {too_much}")
        if ended.code != 0:
            return self._failed(ended, err.text)
        media_type = format_of(self._assignment.task.output.format).media_type
        content = await asyncio.to_thread(out.joined)
        return CandidateResult(content=content, media_type=media_type, maker=self._maker)

    async def with_files(self, base: Path | None) -> Result:
        """Makes a candidate of the files that the program writes. All that it says is progress."""
        out, err = (ThinkingAloud(self._report, MAX_LOGGED_BYTES) for _ in range(2))
        running = ran(self._command.argv, self._assignment, out, err, base=base, memory_bytes=self._memory)
        async with running as (ended, folder):
            out.finish()
            err.finish()
            if ended.code != 0:
                return self._failed(ended, err.text or out.text)
            try:
                content = await manifest_of_outputs(folder / OUTPUTS, self._assignment, self._report)
            except FilesRefused as problem:
                gist = gist_of("files", str(problem))
                return FailureResult(kind=TRANSIENT, message=f"the files of {self.name}: {problem}", gist=gist)
        return CandidateResult(content=content, media_type=MANIFEST_TYPE, maker=self._maker)

    def _failed(self, ended: Ended, said: str) -> FailureResult:
        log.warning("command_failed", task=self._assignment.task.task_id, lease=self._assignment.lease_id,
                    problem=f"{self.name} {ended.in_words}", stderr=said)  # fmt: skip
        return _failed(self.name, ended, said, self._memory)


def _failed(name: str, ended: Ended, stderr: str, memory_bytes: int) -> FailureResult:
    place = python_place(stderr)
    where = f" at {place}" if place else ""
    problem = f"{name} {ended.in_words}{where}{memory_hint(ended, stderr, memory_bytes)}"
    more = f" (more of its standard error is in {log_location()})" if len(stderr) > MAX_SENT_CHARS else ""
    tail = f"{more}; the end of its standard error:\n{stderr[-MAX_SENT_CHARS:].lstrip()}" if stderr else ""
    gist = gist_of(ended.in_words, stderr) if fails_the_same(ended, stderr) else ""
    return FailureResult(kind=failure_kind(ended), message=problem + tail, gist=gist)
