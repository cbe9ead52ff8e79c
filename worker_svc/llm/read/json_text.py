"""Reads JSON that a model wrote: removes code fences, and repairs nothing."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

JSON_FENCES = frozenset({"", "json", "json5", "jsonc"})

_FENCE = "```"
_LANGUAGE = re.compile(r"[\w+-]*")
FENCE_INSIDE = re.compile(r"```[ \t]*(?:json[ \t]*)?\r?\n(.*?)```", re.DOTALL | re.IGNORECASE)


def without_fence(text: str, languages: frozenset[str]) -> str:
    """Returns the inside of `text` when all of it is one code block in one of `languages` ("" is a bare fence)."""
    block = text.strip()
    opening, has_lines, inside = block.partition("\n")
    language = opening[len(_FENCE) :].strip(" \t\r")
    if not (opening.startswith(_FENCE) and has_lines and inside.endswith(_FENCE) and _LANGUAGE.fullmatch(language)):
        return text
    inside = inside[: -len(_FENCE)]
    if language.lower() not in languages or _FENCE in inside:
        return text
    return inside.rstrip(" \t").removesuffix("\n").removesuffix("\r")


def json_in(text: str) -> str:
    """Returns the JSON of a text that may have a code fence around it; empty when it is no JSON."""
    inside = without_fence(text, JSON_FENCES).strip()
    try:
        parse_json(inside)
    except ValueError:
        return ""
    return inside


def parse_json(text: str | bytes) -> Any:
    """Reads JSON strictly by the standard. Raises ValueError, also for NaN, Infinity and bottomless nesting."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply to be read") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
