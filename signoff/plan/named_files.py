"""The files that a program's arguments name: they are part of the work, and are not in the plan.

A program runs in a folder of its own, so only absolute paths lead out of it. An argument that is such a path, or an
option with one (`--config=/etc/tool.toml`), names a file. A path that stands inside of other text, such as code, may be
one; what is done with it is not known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_WHOLE = re.compile(r"(?:-[^\s=/]*=)?(?P<path>/[^/].*)", re.DOTALL)
_INSIDE = re.compile(r"(?:^|[\s=,;:'\"`(\[{<>|&])/[\w.*]|\.\./")


class NamedFiles(NamedTuple):
    """The absolute paths among arguments."""

    paths: tuple[str, ...]
    are_all: bool  #: False: text in other arguments may be paths as well


def files_named_in(argv: Sequence[str]) -> NamedFiles:
    """Returns the files that a program and its arguments name."""
    whole = [(argument, _WHOLE.fullmatch(argument)) for argument in argv]
    paths = tuple(dict.fromkeys(found["path"] for _, found in whole if found is not None))
    return NamedFiles(paths, are_all=not any(found is None and _INSIDE.search(argument) for argument, found in whole))
