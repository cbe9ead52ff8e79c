"""The decorator of values that are made for every task: events, signals, commands, and what they hold.

    @value(frozen=True, slots=True, kw_only=True)
    class LeaseAccepted: ...

To mypy it is dataclass: a value that is changed is an error. At run time nothing but mypy stands in the way, because a
frozen dataclass sets each field by a call: to make one takes two and a half times as long, and a turn makes dozens for
each task. Equality and hashes are those of a frozen dataclass.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen, slots, kw_only=False):
        """Returns the decorator of a frozen dataclass, without its check at run time."""
        assert frozen
        return dataclasses.dataclass(slots=slots, kw_only=kw_only, unsafe_hash=True)


__all__ = ["value"]
