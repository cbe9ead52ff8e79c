"""JSON out of what a model wrote: code fences removed, nothing repaired. Verdicts are read with this alone."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_FENCED = re.compile(r"\A\s*```[ \t]*([\w+-]*)[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\s*\Z", re.DOTALL)
FENCE_INSIDE = re.compile(r"```[ \t]*(?:json)?[ \t]*\r?\n(.*?)```", re.DOTALL | re.IGNORECASE)


def without_fence(text: str, languages: frozenset[str]) -> str:
    """The inside of `text` when the whole of it is one code block in one of `languages` ("" is a bare fence)."""
    fenced = _FENCED.match(text)
    if fenced is None or fenced[1].lower() not in languages or "```" in fenced[2]:
        return text
    return fenced[2]


def parse_json(text: str | bytes) -> Any:
    """json.loads by the letter of the standard. Raises ValueError, also for NaN, Infinity and bottomless nesting."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply to be read") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
