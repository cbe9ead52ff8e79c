"""Standard streams that the caller of a program has closed, as `signoff status >&-` does."""

from __future__ import annotations

import io
import os
import sys


def open_closed_streams(*, answers: bool = False) -> None:
    """Puts /dev/null in the place of standard streams that are closed: nothing else may take their descriptors.

    With `answers`, the program is started for what it prints: a write to a closed standard output is an OSError then.
    """
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.FileIO(_opened(os.O_RDONLY), "rb"))
    if sys.stdout is None:
        # guard: a lost answer is an error -> sys.stdout = _writing(_opened(os.O_WRONLY))
        sys.stdout = _writing(_opened(os.O_RDONLY, is_inherited=False) if answers else _opened(os.O_WRONLY))
    if sys.stderr is None:
        sys.stderr = _writing(_opened(os.O_WRONLY))


def _opened(flags: int, *, is_inherited: bool = True) -> int:
    """Opens /dev/null at the lowest descriptor that is free, which is that of the stream."""
    descriptor = os.open(os.devnull, flags)
    os.set_inheritable(descriptor, is_inherited)
    return descriptor


def _writing(descriptor: int) -> io.TextIOWrapper:
    """Returns a stream that keeps nothing back for the end of the process, when no error can be told any more."""
    return io.TextIOWrapper(io.FileIO(descriptor, "wb"), write_through=True)
