"""Settings of Python's garbage collector: paused while something large is built, and rare in a busy service."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Net new objects before the youngest are looked at, and how often that happens before older ones are. Python's own
#: (700, 10, 10) has a runner look a hundred times a second at objects that reference counts free soon. Nor may a look
#: hold a loop up: one at 400,000 objects takes 30 to 100 ms, one at 25,000 takes 2 to 10.
RARELY = (5_000, 5, 1000)

_lock = threading.Lock()
_building = 0


def collect_rarely() -> None:
    """Makes collections rare, for a process with many objects and few cycles. Objects made so far are left alone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*RARELY)


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pauses the collection of cycles in this process for the block; blocks of several threads may overlap.

    For work of seconds that makes hardly any cycles. It takes a quarter off compiling a tree of 46,656 tasks.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _building
    with _lock:
        _building += 1
        gc.disable()


def _leave() -> None:
    global _building
    with _lock:
        _building -= 1
        if not _building:
            gc.enable()
