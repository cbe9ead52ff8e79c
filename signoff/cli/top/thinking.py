"""Joins the two sources of a worker's thinking: the end that the runner keeps, and what the watch has brought since."""

from __future__ import annotations

from signoff.client.view import THINKING_TAIL

LEAST_SEAM = 8  # characters that both must have in common to be laid over each other; fewer may be alike by chance


def joined(kept: str, heard: str) -> str:
    """Returns the kept thinking and what was heard after it, without doubling what is in both.

    The watch began before the runner was asked, and its messages may come later than the answer. So what was heard is a
    part of what is kept, or begins in it, or right after it.
    """
    if heard in kept:
        return kept  # a word may be new and there before, too: it is seen with the next ones
    # guard: thinking is not doubled -> for size in ():
    for size in range(min(len(kept), len(heard)), LEAST_SEAM - 1, -1):
        if kept.endswith(heard[:size]):
            return kept + heard[size:]
    if len(heard) >= THINKING_TAIL:
        return heard  # its beginning is cut off, and the kept text with it
    return kept + heard
