"""The keys of a task's results: what they were made from, and what they were judged by, part by part.

Two executions of a plan do the same work where a make key is the same. The result then counts in both if the sign-off
key is the same too; otherwise it is judged again. Keys are computed anew from the parts on both sides, so a later
version may compute them otherwise. The makers are compared apart from them (makers.py).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

Part = tuple[str, str]  # a name for people, and a value or its digest
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class SpecParts:
    """The parts of a task's spec, without those that are empty."""

    make: Parts  #: all that reaches its executor, and changes what it makes
    sign_off: Parts  #: all that its candidates are judged by, besides
    runs_files: tuple[bool, bool] = (False, False)  #: programs of both name files, whose contents are not known here


def opaque_parts(spec: bytes) -> SpecParts:
    """Returns the parts of a spec that cannot be read: all of it counts, whatever changes."""
    return SpecParts(make=(("specification", hashlib.sha256(spec).hexdigest()),), sign_off=())


def key_of(parts: Parts) -> str:
    """Returns the key of some parts: a SHA-256 in hex over their names and values."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def changed_parts(before: Parts, now: Parts) -> tuple[str, ...]:
    """Names the parts that differ, each once, in the order of both together."""
    old, new = dict(before), dict(now)
    return tuple(name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name))
