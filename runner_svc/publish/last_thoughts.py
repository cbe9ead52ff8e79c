"""The last thoughts of each lease: what its worker thought aloud, kept in memory for those who come to look later.

Each lease keeps the end of its thinking, and all leases together have a bound: beyond it the lease that has been silent
the longest loses its thoughts. Nothing of it is durable, and a lease's thoughts end with the lease.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from runner_svc.core.model.values import LeaseId

MOST_OF_A_LEASE = 64 * 1024  # bytes of UTF-8
MOST_OF_ALL = 64 * 1024 * 1024  # bytes


@dataclass(slots=True)
class _Thoughts:
    """The end of one lease's thinking."""

    text: bytearray = field(default_factory=bytearray)
    has_gap: bool = False  #: something is missing in it


@dataclass(frozen=True, slots=True)
class Heard:
    """The thinking of a lease, as far as it is kept."""

    text: str = ""
    dropped: bool = False  #: something is missing, before this text or in it


class LastThoughts:
    """Keeps the last thoughts of the leases that are out. With a bound of 0 it keeps nothing."""

    def __init__(self, most_of_all: int = MOST_OF_ALL) -> None:
        """`most_of_all`: bytes."""
        self._most = most_of_all
        self._size = 0
        self._leases: OrderedDict[LeaseId, _Thoughts] = OrderedDict()  # the one that spoke last is the last
        self._cut: set[LeaseId] = set()  # leases of which something is missing that was said before all that is kept

    @property
    def is_on(self) -> bool:
        return self._most > 0

    @property
    def kept_bytes(self) -> int:
        return self._size

    def add(self, lease: LeaseId, text: str, *, gap: bool) -> None:
        """Adds a piece of thinking. `gap`: pieces before it were lost."""
        if not self.is_on:
            return
        thoughts = self._leases.setdefault(lease, _Thoughts())
        self._leases.move_to_end(lease)
        before = len(thoughts.text)
        thoughts.text += text.encode()
        over = len(thoughts.text) - MOST_OF_A_LEASE
        # guard: the thoughts of a lease are bounded -> if False:
        if over > 0:
            del thoughts.text[:over]
            self._cut.add(lease)
        thoughts.has_gap = thoughts.has_gap or gap
        self._size += len(thoughts.text) - before
        self._make_room()

    def _make_room(self) -> None:
        """Drops the thoughts of the leases that have been silent the longest."""
        # guard: the thoughts of all leases are bounded -> while False:
        while self._size > self._most:
            lease, silent = self._leases.popitem(last=False)
            self._size -= len(silent.text)
            self._cut.add(lease)

    def of(self, lease: LeaseId) -> Heard:
        """Returns what is kept of a lease's thinking."""
        known, is_cut = self._leases.get(lease, _Thoughts()), lease in self._cut or not self.is_on
        return Heard(known.text.decode(errors="ignore"), is_cut or known.has_gap)  # a character may be cut in half

    def end(self, lease: LeaseId) -> None:
        """Forgets a lease that has ended."""
        ended = self._leases.pop(lease, None)
        self._cut.discard(lease)
        self._size -= len(ended.text) if ended is not None else 0

    def keep_only(self, leases: Iterable[LeaseId]) -> None:
        """Forgets all other leases. What those that are new here have thought was told to an earlier runner."""
        out = set(leases)
        for gone in (self._leases.keys() | self._cut) - out:
            self.end(gone)
        self._cut |= out - self._leases.keys()
