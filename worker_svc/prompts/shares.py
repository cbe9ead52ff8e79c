"""Divides the space of a prompt among a task's inputs.

Small inputs are shown whole; the large ones share the rest evenly. When that share would be too small to be useful, the
first of them get a useful one, and the others are not shown. The same inputs are always divided the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

LEAST_SHARE = 500  # characters: a shorter beginning says little more than the name


class InputSize(NamedTuple):
    """The space that an input would take."""

    chars: int  #: of its text, as far as it may be shown
    frame: int  #: characters around them


def shares(wishes: Sequence[InputSize], total: int) -> list[int | None]:
    """Returns the characters for each input, so that all take at most `total` with their frames.

    None: the input is not shown. An input gets its whole wish, or the common share.
    """
    given: list[int | None] = [None] * len(wishes)
    large = sorted(range(len(wishes)), key=lambda place: wishes[place].chars, reverse=True)
    left, frames = total, sum(wish.frame for wish in wishes)
    while large and wishes[large[-1]].chars <= (left - frames) // len(large):
        place = large.pop()
        given[place] = wishes[place].chars
        left -= sum(wishes[place])
        frames -= wishes[place].frame
    # guard: large inputs share evenly -> share = 0
    share = (left - frames) // len(large) if large else 0
    fitting = large if share >= LEAST_SHARE else _first_that_fit(wishes, sorted(large), left)
    for place in fitting:
        given[place] = min(wishes[place].chars, max(share, LEAST_SHARE))
    return given


def _first_that_fit(wishes: Sequence[InputSize], places: Sequence[int], left: int) -> Iterator[int]:
    """Yields the inputs, in their order, while there is space for a useful share."""
    for place in places:
        left -= wishes[place].frame + min(wishes[place].chars, LEAST_SHARE)
        # guard: a prompt takes no more space than it has -> if False:
        if left < 0:
            return
        yield place
