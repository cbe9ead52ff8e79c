"""The difference between two candidates, for a person: a unified diff, or a sentence where there can be none."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 512 * 1024  # of either, that are compared line by line
MOST_LINES = 5_000  # of both, between what they begin and end with alike: difflib takes half a second for as many
CONTEXT = 3  # lines around a change
NO_NEWLINE = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two candidates."""

    name: str  #: for example "attempt 2"
    content: bytes


def difference(before: Side, after: Side) -> str:
    """Returns a unified diff of two texts; a sentence when they are alike, too large, or no texts."""
    if before.content == after.content:
        return f"{after.name} made the same {_size(after)} as {before.name}\n"
    old, new = _lines(before.content), _lines(after.content)
    if old is None or new is None:
        return f"no text that could be compared: {_facts(before)}, {_facts(after)}\n"
    if max(len(before.content), len(after.content)) > MOST_BYTES or _differing(old, new) > MOST_LINES:
        place = _alike(old, new) + 1
        return f"too large to compare: {_facts(before)}, {_facts(after)}; the first line that differs is {place:,}\n"
    return "".join(_diff(old, new, before.name, after.name))


def compared(before: Side, after: Side) -> dict[str, Any]:
    """Returns the difference for programs: lines of kinds "same", "added", "removed" and "gap", numbered on both sides.

    Where there is nothing to compare line by line, there are no lines, and a sentence says why. `truncated` says that
    the texts were too large.
    """
    old, new = _lines(before.content), _lines(after.content)
    if before.content == after.content or old is None or new is None:
        return {"lines": [], "sentence": difference(before, after).strip()}
    if max(len(before.content), len(after.content)) > MOST_BYTES or _differing(old, new) > MOST_LINES:
        return {"lines": [], "truncated": True, "sentence": difference(before, after).strip()}
    return {"lines": list(_numbered(old, new))}


def _numbered(old: Sequence[str], new: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yields the lines around each change, with a gap where equal lines are left out."""
    last = 0
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT):
        if group[0][1] > last:
            yield {"kind": "gap", "text": f"{group[0][1] - last:,} equal lines"}
        last = group[-1][2]
        for tag, first, end, new_first, new_end in group:
            if tag == "equal":
                for step, line in enumerate(old[first:end]):
                    yield _line("same", line, beforeLine=first + step + 1, afterLine=new_first + step + 1)
                continue
            for number, line in enumerate(old[first:end], first + 1):
                yield _line("removed", line, beforeLine=number)
            for number, line in enumerate(new[new_first:new_end], new_first + 1):
                yield _line("added", line, afterLine=number)
    if last < len(old):
        yield {"kind": "gap", "text": f"{len(old) - last:,} equal lines"}


def _line(kind: str, text: str, **numbers: int) -> dict[str, Any]:
    return {"kind": kind, "text": text.removesuffix("\n"), **numbers}


def _diff(old: Sequence[str], new: Sequence[str], old_name: str, new_name: str) -> Iterator[str]:
    for line in difflib.unified_diff(old, new, old_name, new_name, n=CONTEXT):
        yield line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}\n"


def _lines(content: bytes) -> list[str] | None:
    """Returns the lines of a text, each with the newline that ends it; None when the bytes are no text."""
    text = text_of(content)
    if text is None:
        return None
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]  # no newline ends it
    return lines if lines[-1] else lines[:-1]


def text_of(content: bytes) -> str | None:
    """Returns the text that bytes are; None when they are none."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """Counts the equal lines that both begin with."""
    shorter = min(len(old), len(new))
    return next((number for number in range(shorter) if old[number] != new[number]), shorter)


def _differing(old: Sequence[str], new: Sequence[str]) -> int:
    """Counts the lines of both between their equal beginnings and ends."""
    first = _alike(old, new)
    last = _alike(old[first:][::-1], new[first:][::-1])
    return len(old) + len(new) - 2 * (first + last)


def _facts(side: Side) -> str:
    return f"{side.name} has {_size(side)} with digest {hashlib.sha256(side.content).hexdigest()[:12]}"


def _size(side: Side) -> str:
    return f"{len(side.content):,} bytes"
