"""The filter between a handler and the runner: it removes secrets from results, files and reports.

Programs, functions and models may repeat secrets from the worker's environment, or from an endpoint. The filter also
clips texts without an end, and makes the digest of a large candidate off the event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from signoff.rpc.frames import MAX_CHECKPOINT_BYTES
from signoff.secrets.redaction import Secrets
from signoff.v1 import execution_pb2
from worker_svc.assignment import (
    Assignment,
    CandidateResult,
    FailureResult,
    Handler,
    LeaseEnded,
    Offer,
    Prompt,
    Report,
    Result,
    UnchangedResult,
    VerdictResult,
    result_of_bug,
)
from worker_svc.files.aside import aside
from worker_svc.files.cleaning import clean
from worker_svc.files.collecting import FilesLimit
from worker_svc.spent import Spent

log = structlog.get_logger(__name__)

MOST_SEARCHED = 64 * 1024  # characters of a message: far more than a runner keeps, and little to search

_SEARCHED_IN_PASSING = 512  # characters


class SecretFilter:
    """An assignment.Handler around another one, which removes secrets."""

    def __init__(self, handler: Handler, secrets: Secrets) -> None:
        self._handler = handler
        self._secrets = secrets

    @property
    def offer(self) -> Offer:
        return self._handler.offer

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        filtered = FilteredReport(report, self._secrets)
        try:
            result = await self._handler(assignment, filtered)
        except LeaseEnded:
            raise
        except Exception as error:
            log.error("handler_failed", lease=assignment.lease_id, exc_info=error)
            result = result_of_bug(assignment.phase, error)
        filtered.end()
        return await self._filter(result)

    async def close(self) -> None:
        await self._handler.close()

    async def _filter(self, result: Result) -> Result:
        match result:
            case CandidateResult():
                # guard: no key leaves a worker -> content = result.content
                content = await self._secrets.cleaned(result.content)
                media_type = self._text(result.media_type)
                remark = self._text(result.remark)
                return replace(
                    result, content=content, media_type=media_type, digest=await digest_of(content), remark=remark
                )
            case UnchangedResult():
                return result
            case FailureResult():
                return replace(result, message=self._text(result.message))
            case VerdictResult():
                results = [await self._filter_reason(each) for each in result.results]
                return replace(result, results=tuple(results), feedback=self._text(result.feedback))

    async def _filter_reason(self, result: execution_pb2.CriterionResult) -> execution_pb2.CriterionResult:
        reason = self._text(result.reason)
        if len(reason) > _SEARCHED_IN_PASSING:
            await asyncio.sleep(0)  # a verdict may have hundreds of such reasons
        if reason == result.reason:
            return result
        cleaned = execution_pb2.CriterionResult()
        cleaned.CopyFrom(result)
        cleaned.reason = reason
        return cleaned

    def _text(self, text: str) -> str:
        return self._secrets.without(text[:MOST_SEARCHED])


class FilteredReport:
    """An assignment.Report that passes everything on without secrets."""

    def __init__(self, report: Report, secrets: Secrets) -> None:
        self._report = report
        self._secrets = secrets
        self._thinking = secrets.stream()

    @property
    def thinking_wanted(self) -> bool:
        return self._report.thinking_wanted

    def thinking(self, text: str) -> None:
        if piece := self._thinking.feed(text[-MOST_SEARCHED:]):
            self._report.thinking(piece)

    def tokens(self, received: int) -> None:
        self._report.tokens(received)

    def checkpoint(self, content: bytes) -> None:
        small = len(content) <= MAX_CHECKPOINT_BYTES  # others are refused later
        self._report.checkpoint(self._secrets.without_in(content) if small else content)

    @property
    def prompts_wanted(self) -> bool:
        return self._report.prompts_wanted

    async def prompt(self, prompt: Prompt) -> None:
        # guard: no key is in a prompt that is kept -> await self._report.prompt(prompt)
        await self._report.prompt(tuple([(role, await self._cleaned(text)) for role, text in prompt]))

    async def _cleaned(self, text: str) -> str:
        content = await self._secrets.cleaned(text.encode(errors="surrogatepass"))
        return content.decode(errors="surrogatepass")

    @property
    def files_limit(self) -> FilesLimit:
        return self._report.files_limit

    async def files(self, folder: Path, paths: Sequence[str], main: str) -> bytes:
        await aside(lambda tick: clean(folder, paths, self._secrets, tick), lambda: self._report.tokens(0))
        return await self._report.files(folder, paths, main)

    def usage(self, model: str, spent: Spent) -> None:
        self._report.usage(self._secrets.without(model[:MOST_SEARCHED]), spent)

    def end(self) -> None:
        """Passes on the rest of the thinking."""
        if rest := self._thinking.end():
            self._report.thinking(rest)


async def digest_of(content: bytes) -> str:
    """Returns the SHA-256 in hex. A thread digests a large content, which leaves the event loop free."""
    if len(content) <= MOST_SEARCHED:
        return hashlib.sha256(content).hexdigest()
    return (await asyncio.to_thread(hashlib.sha256, content)).hexdigest()
