"""The errors of all services, and how they cross the wire.

    SignoffError
    ├── Rejected                  the caller's mistake: it is answered, and nothing has changed
    │   ├── InvalidField          a request field has a wrong value
    │   ├── PlanInvalid           a plan with errors was to be compiled
    │   ├── PlanTooLarge  UploadStalled
    │   ├── PlanNotFound  LayoutNotFound  ExecutionNotFound  TaskNotFound  ArtifactNotFound
    │   ├── CandidateNotFound  PromptNotFound
    │   ├── InputsInvalid  InputNotUploaded
    │   ├── NoLayout  WrongState  CandidateChanged  StaleLease  SessionReplaced  SequenceAhead
    │   ├── ExecutionPruned       only the artifacts of the execution were kept
    │   ├── StoreBusy             a prune or a backup is at work
    │   ├── ExecutionQuarantined  the runner met a bug in the execution, and leaves it alone
    │   ├── WatcherTooSlow  WorkerTooSlow    it fell behind in reading and was cut off
    │   └── ReaderTooSlow  TooManyStreams
    └── Unavailable               a passing fault of ours: nothing has changed, retry later
        ├── StorageFailed         the disk or the database refused
        │   ├── OwnershipLost     another runner has taken the store over, or its file is gone
        │   └── JournalBroken     the file of the journal is damaged
        ├── NotServing            it is starting, or stands by for another runner
        ├── PlannerUnavailable  PlannerBusy  CompilerLost  ShuttingDown
    Bug                           a bug of ours, logged where it was met: INTERNAL

Any other exception is a bug: it is logged with its traceback and answered as Bug, without its text. Each class states
its gRPC status. Its reason, which is stable and for programs, is its name in capitals, as ErrorInfo carries it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

DOMAIN = "signoff"


class SignoffError(Exception):
    """An error that a user may see; its text says what was expected and what came."""

    status: ClassVar[str] = "INTERNAL"  #: the name of its gRPC status

    @classmethod
    def reason(cls) -> str:
        """The stable name on the wire: `PlanNotFound` is "PLAN_NOT_FOUND"."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper()

    def metadata(self) -> Mapping[str, str]:
        """Returns the details that ErrorInfo carries besides the reason."""
        return {}


class Rejected(SignoffError):
    """The caller's mistake: it is answered, and nothing has changed."""


class Unavailable(SignoffError):
    """A passing fault of ours: nothing has changed, and the same call may go through later."""

    status = "UNAVAILABLE"


class InvalidField(Rejected):
    """A request field has a wrong value.

    `field` is its path in the request, such as "settings.max_failures".
    """

    status = "INVALID_ARGUMENT"

    def __init__(self, field: str, expected: str, got: str) -> None:
        super().__init__(f"{field}: expected {expected}, but got {got}")
        self.field = field

    def metadata(self) -> Mapping[str, str]:
        return {"field": self.field}


class PlanInvalid(Rejected):
    status = "INVALID_ARGUMENT"


class PlanTooLarge(Rejected):
    status = "RESOURCE_EXHAUSTED"


class UploadStalled(Rejected):
    """A plan or a content was streamed too slowly, or its stream was left open."""

    status = "DEADLINE_EXCEEDED"


class PlanNotFound(Rejected):
    status = "NOT_FOUND"


class LayoutNotFound(Rejected):
    status = "NOT_FOUND"


class ExecutionNotFound(Rejected):
    status = "NOT_FOUND"


class TaskNotFound(Rejected):
    status = "NOT_FOUND"


class ArtifactNotFound(Rejected):
    status = "NOT_FOUND"


class CandidateNotFound(Rejected):
    """No attempt of that number has made a candidate; the text says which have."""

    status = "NOT_FOUND"


class PromptNotFound(Rejected):
    """No prompt of that digest is kept for the task, or none that is shown yet."""

    status = "NOT_FOUND"


class InputsInvalid(Rejected):
    """An input of the plan is not set, is of another kind than the plan declares, or is none of the plan."""

    status = "INVALID_ARGUMENT"


class InputNotUploaded(Rejected):
    """A file of an input is named by a digest that the runner does not have."""

    status = "FAILED_PRECONDITION"


class NoLayout(Rejected):
    status = "FAILED_PRECONDITION"


class WrongState(Rejected):
    status = "FAILED_PRECONDITION"


class CandidateChanged(Rejected):
    """The candidate that waits for a person's verdict is not the one that the person saw."""

    status = "FAILED_PRECONDITION"


class StaleLease(Rejected):
    status = "FAILED_PRECONDITION"


class ExecutionQuarantined(Rejected):
    """The runner met a bug in the execution and leaves it alone until it is resumed."""

    status = "FAILED_PRECONDITION"


class ExecutionPruned(Rejected):
    """The execution was pruned to its artifacts: its history is gone, and no command moves it any more."""

    status = "FAILED_PRECONDITION"


class StoreBusy(Rejected):
    """A prune or a backup is at work, and there is one of them at a time."""

    status = "FAILED_PRECONDITION"


class SessionReplaced(Rejected):
    status = "FAILED_PRECONDITION"


class SequenceAhead(Rejected):
    status = "OUT_OF_RANGE"


class WatcherTooSlow(Rejected):
    status = "RESOURCE_EXHAUSTED"


class WorkerTooSlow(Rejected):
    """A worker does not read the messages it is sent."""

    status = "RESOURCE_EXHAUSTED"


class ReaderTooSlow(Rejected):
    """The caller of a streaming rpc takes the answer too slowly."""

    status = "RESOURCE_EXHAUSTED"


class TooManyStreams(Rejected):
    """Too many large answers are under way for the memory, and none has ended for a while."""

    status = "RESOURCE_EXHAUSTED"


class StorageFailed(Unavailable):
    """The disk or the database refused; nothing half-done is visible."""

    is_lost: bool = False  #: a content is gone or damaged: no further try brings it back


def content_lost(text: str) -> StorageFailed:
    """Returns the error about a content that is gone or damaged."""
    error = StorageFailed(text)
    error.is_lost = True
    return error


class OwnershipLost(StorageFailed):
    """Another runner has taken the store over, or its file is gone. This one writes no more, and stands by or ends."""


class JournalBroken(StorageFailed):
    """The file of the journal is damaged: no later try reads it, and a runner that must replay it ends."""


class NotServing(Unavailable):
    """The runner does not work yet: it reads its journal, or it stands by for another one."""


class PlannerUnavailable(Unavailable):
    """The runner could not reach the planner."""


class PlannerBusy(Unavailable):
    """Too many plans are being sent at once."""


class CompilerLost(Unavailable):
    """The process that compiled a plan died; the planner has another one for the next plan."""


class ShuttingDown(Unavailable):
    """The service is about to end."""


class Bug(SignoffError):
    """A bug of ours. The service's log has the traceback; the caller is told no more than that."""

    def __init__(self, text: str = "a bug in signoff: the service's log has the story") -> None:
        super().__init__(text)


class ConfigurationError(SignoffError):
    """A setting, a flag or an environment variable is missing or wrong."""
