"""One at a time: a prune, or a backup, which must not lose contents while it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from signoff.errors import StoreBusy


class Exclusive:
    """The right to work on a whole store, held by one at a time."""

    def __init__(self) -> None:
        self._holder = ""

    @contextmanager
    def held(self, by: str) -> Iterator[None]:
        """Holds it for the length of the block. Raises StoreBusy while another one does."""
        if self._holder:
            raise StoreBusy(f"expected no prune and no backup at work, but {self._holder} is: wait for its end")
        self._holder = by
        try:
            yield
        finally:
            self._holder = ""
