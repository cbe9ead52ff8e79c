"""Turns what decoders raise on broken or hostile bytes into a reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from worker_svc.validate.checking.reading import CheckBroken, CheckFailed

_MOST_SHOWN = 200  # characters of a decoder's own words


@contextmanager
def hostile(what: str) -> Iterator[None]:
    """Makes a CheckFailed, which begins with "expected …", of everything that a decoder raises within.

    A lack of memory passes through: it is no fault of the file alone.
    """
    try:
        yield
    except (CheckFailed, CheckBroken, MemoryError, RecursionError):
        raise
    except Exception as error:
        raise CheckFailed(f"expected {what}, but {in_words(error)}") from error


def in_words(error: Exception) -> str:
    """Returns an error on one line without control characters, and not longer than a person reads."""
    said = " ".join(str(error).split()) or type(error).__name__
    return "".join(each if each.isprintable() else "�" for each in said[:_MOST_SHOWN])
