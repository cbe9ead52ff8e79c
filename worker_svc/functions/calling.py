"""Calls a function for a job. Whatever the function does becomes an Outcome."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from dataclasses import replace
from typing import Any

from signoff.app import CallReporter, CannotTell, Context, Failed, Function
from worker_svc.functions.binding import CandidateUnfit, arguments_for
from worker_svc.functions.blame import first_reason, gist_of_error, place_of
from worker_svc.functions.job import Broken, FunctionJob, Judged, Outcome
from worker_svc.functions.returning import candidate_of, judgement_of
from worker_svc.functions.signature import signature_of
from worker_svc.gist import gist_of

_MAX_MESSAGE = 7 * 1024  # characters of an exception's text: the runner keeps 8 KiB, with the place and the log
_MAX_TRACEBACK = 32 * 1024  # characters of a traceback in the log


class Callee:
    """A function that is ready to be called. Raises BadSignature when no task could call it."""

    def __init__(self, function: Function, app: str) -> None:
        self.function = function
        self.app = app  #: the place of its app, as module:attribute
        self._signature = signature_of(function)

    @property
    def name(self) -> str:
        return self.function.name

    def call(self, job: FunctionJob, line: CallReporter) -> Outcome:
        """Calls the function in this thread; a coroutine gets its own event loop."""
        try:
            returned = self.function.call(**self._arguments(job, line))
            if self.function.is_async:
                returned = asyncio.run(returned)
            return self._concluded(job, returned)
        except BaseException as error:  # noqa: BLE001 - user code may raise anything, also SystemExit
            return self._raised(error)

    async def call_async(self, job: FunctionJob, line: CallReporter) -> Outcome:
        """Awaits the function on this event loop. Raises CancelledError only when the line was cancelled."""
        try:
            return self._concluded(job, await self.function.call(**self._arguments(job, line)))
        except asyncio.CancelledError as error:
            if line.cancelled:
                raise
            return self._raised(error)
        except BaseException as error:  # noqa: BLE001 - as above; SystemExit would end the loop of all others
            return self._raised(error)

    def _arguments(self, job: FunctionJob, line: CallReporter) -> dict[str, Any]:
        context = Context(job.task, job.inputs, job.feedback, line, job.checkpoint, job.outputs)
        return arguments_for(self.name, self._signature, job, context)

    def _concluded(self, job: FunctionJob, returned: Any) -> Outcome:
        if self.function.judges:
            return judgement_of(self.name, self._denial(), returned)
        outcome = candidate_of(self.name, self._signature, job, returned)
        if isinstance(outcome, Broken) and not outcome.is_permanent:
            return replace(outcome, gist=gist_of(self.name, outcome.message))
        return outcome

    def _denial(self) -> str:
        """Returns the meaning of a bare False: the first line of the function's docstring does not hold."""
        doc = inspect.getdoc(self.function.call) if inspect.isroutine(self.function.call) else None
        return f"{self.name} says no: {doc.splitlines()[0]}" if doc else f"{self.name} says no"

    def _raised(self, error: BaseException) -> Outcome:
        if isinstance(error, CandidateUnfit):
            return Judged(is_pass=False, reason=str(error))
        if isinstance(error, Failed):
            return Broken(
                message=str(error.message)[:_MAX_MESSAGE],
                is_permanent=error.is_permanent,
                retry_after=error.retry_after,
            )
        if isinstance(error, CannotTell) and self.function.judges:
            return Broken(message=_text_of(error) or f"{self.name} cannot tell")
        text, place = _in_words(error), place_of(error, self.app)
        lines = "".join(traceback.format_exception(type(error), error, _below_here(error)))
        return Broken(
            message=f"{text[:_MAX_MESSAGE]} ({place})" if place else text[:_MAX_MESSAGE],
            traceback=_clipped(lines),
            gist=gist_of_error(error, text, place),
        )


def _in_words(error: BaseException) -> str:
    """Returns the type and the text; of a group also those of its first exception."""
    name, text = type(error).__name__, _text_of(error)
    words = f"{name}: {text}" if text else name
    first = first_reason(error)
    return words if first is None else f"{words}, the first of them {_in_words(first)}"


def _clipped(lines: str) -> str:
    """Returns the beginning and the end of a traceback; the end has the error."""
    if len(lines) <= _MAX_TRACEBACK:
        return lines
    return f"{lines[: _MAX_TRACEBACK // 2]}\n…\n{lines[-_MAX_TRACEBACK // 2 :]}"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:_MAX_MESSAGE]
    except BaseException as broken:  # noqa: BLE001 - user code may fail even here, or want to exit
        return f"(its text cannot be made: {type(broken).__name__})"


def _below_here(error: BaseException) -> Any:
    """Returns the traceback from the user's code on."""
    return error.__traceback__.tb_next if error.__traceback__ else None
