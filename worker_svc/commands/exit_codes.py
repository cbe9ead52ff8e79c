"""The meaning of a program's end, by the table in docs/reference/commands.md. Codes have their names of sysexits.h."""

from __future__ import annotations

import errno
import re
import signal

from signoff.v1 import execution_pb2
from worker_svc.commands.process import Ended
from worker_svc.gist import may_pass

EX_USAGE, EX_TEMPFAIL, EX_CONFIG = 64, 75, 78
NOT_EXECUTABLE, NOT_FOUND = 126, 127  # from shells and `env`, about a program that they were to run
_BY_SIGNAL = range(129, 160)  # from shells, about a program that a signal ended: 128 and its number

TRANSIENT, PERMANENT = execution_pb2.FAILURE_KIND_TRANSIENT, execution_pb2.FAILURE_KIND_PERMANENT

_NOT_NOW = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY, errno.EIO, errno.ENOSPC})
_HOPELESS = frozenset({EX_USAGE, EX_CONFIG, NOT_EXECUTABLE, NOT_FOUND})
_UNDECIDED = _HOPELESS | {EX_TEMPFAIL, *_BY_SIGNAL}

# The kernel sends SIGKILL when the machine has no memory left; a program that gets none dies of the others.
_WITHOUT_MEMORY = frozenset({signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGTRAP})
_COMPLAINT = re.compile(
    r"MemoryError|out of memory|cannot allocate|bad_alloc|ENOMEM|memory exhausted|failed to map", re.IGNORECASE
)


def failure_kind(ended: Ended) -> execution_pb2.FailureKind.ValueType:
    """Returns the kind of a task's failure: whether it may go better next time."""
    if ended.problem:
        return TRANSIENT if ended.errno in _NOT_NOW else PERMANENT
    return PERMANENT if ended.code in _HOPELESS else TRANSIENT


def fails_the_same(ended: Ended, words: str) -> bool:
    """Tells whether a program would end like this again on the same inputs, as far as its words say."""
    was_ended = ended.problem or ended.signal is not None or ended.code in _BY_SIGNAL
    return not (was_ended or ended.code == EX_TEMPFAIL or may_pass(words) or _COMPLAINT.search(words))


def check_outcome(ended: Ended) -> execution_pb2.Outcome.ValueType:
    """Returns the outcome of a check that ended like this."""
    if ended.code == 0:
        return execution_pb2.OUTCOME_PASS
    was_decided = ended.code is not None and ended.code not in _UNDECIDED
    return execution_pb2.OUTCOME_FAIL if was_decided else execution_pb2.OUTCOME_ERROR


def memory_hint(ended: Ended, words: str, memory_bytes: int) -> str:
    """Returns a note about the memory limit when the program may have reached it; else ""."""
    is_plausible = ended.signal in _WITHOUT_MEMORY or _COMPLAINT.search(f"{ended.problem}\n{words}") is not None
    return f" (it may have {memory_bytes // 1024**2} MiB of memory)" if is_plausible else ""
