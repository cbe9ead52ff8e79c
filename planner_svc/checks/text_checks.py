"""Checks of a text: its parts, phrases, case and marks, and of numbers in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from planner_svc.checks.check_fields import (
    Reader,
    bounds,
    closed,
    flag_of,
    line,
    one_of,
    optional,
    phrase,
    phrases,
    required,
)
from planner_svc.checks.kinds import (
    Check,
    ContainsCheck,
    CountedPart,
    EndsWithCheck,
    LowercaseCheck,
    NumberCheck,
    PartsCheck,
    PostscriptCheck,
    QuotedCheck,
    StartsWithCheck,
    TitleCheck,
    UppercaseCheck,
)
from planner_svc.read.check_vocabulary import CHECKS
from planner_svc.read.fields import MAX_NUMBER, dotted_path, number, whole
from signoff.plan.limits import MAX_MARKER_CHARS, MAX_PHRASE_CHARS, MAX_PHRASES

POSTSCRIPT = "P.S."  # the marker when a plan names none
MAX_PARAGRAPH = 1_000_000
MAXIMIZE, MINIMIZE = "maximize", "minimize"

_marker = line(MAX_MARKER_CHARS)
_phrase = phrase(MAX_PHRASE_CHARS)
_any_number = number(1 - MAX_NUMBER, MAX_NUMBER - 1)  # a double represents each of these whole numbers exactly


def _parts(part: CountedPart, raw: dict[str, Any]) -> Check:
    least, most = bounds(raw, part.value)
    separator = optional(raw, "separator", _marker, "") if "separator" in CHECKS[part.value].fields else ""
    return PartsCheck(
        part=part, min_parts=least, max_parts=most, separator=separator.strip(), distinct=flag_of(raw, "distinct")
    )


def _contains(raw: dict[str, Any]) -> Check:
    least, most = _occurrences(raw)
    return ContainsCheck(
        phrases=required(raw, "phrases", phrases(MAX_PHRASES, MAX_PHRASE_CHARS)),
        min_occurrences=least,
        max_occurrences=most,
        any=flag_of(raw, "any"),
        whole_words=flag_of(raw, "whole_words"),
        case_sensitive=flag_of(raw, "case_sensitive"),
    )


def _occurrences(raw: dict[str, Any]) -> tuple[int, int | None]:
    """Reads the bounds of a contains check: at least once, unless it says otherwise."""
    has_bounds = any(raw.get(f"{side}_occurrences") is not None for side in ("min", "max"))
    return bounds(raw, "occurrences") if has_bounds else (1, None)


def _starts_with(raw: dict[str, Any]) -> Check:
    return StartsWithCheck(
        phrase=required(raw, "phrase", _phrase),
        paragraph=optional(raw, "paragraph", whole(1, MAX_PARAGRAPH), 0),
        whole_words=flag_of(raw, "whole_words"),
        case_sensitive=flag_of(raw, "case_sensitive"),
    )


def _ends_with(raw: dict[str, Any]) -> Check:
    return EndsWithCheck(
        phrase=required(raw, "phrase", _phrase),
        whole_words=flag_of(raw, "whole_words"),
        case_sensitive=flag_of(raw, "case_sensitive"),
    )


def _number(raw: dict[str, Any]) -> Check:
    least, most = (optional(raw, side, _any_number, None) for side in ("min", "max"))
    if raw.get("direction") is not None or raw.get("threshold") is not None:
        least, most = _of_metric(raw, least, most)
    if least is None and most is None:
        raise ValueError("expected min, max, or direction and threshold, but got none of them")
    if least is not None and most is not None and least > most:
        raise ValueError(f"expected min to be at most max, but got {least:,} and {most:,}")
    return NumberCheck(path=optional(raw, "path", dotted_path, ""), min=least, max=most)


def _of_metric(raw: dict[str, Any], least: float | None, most: float | None) -> tuple[float | None, float | None]:
    """Reads the bounds of a metric: at least the threshold to maximize it, at most the threshold to minimize it."""
    direction = required(raw, "direction", one_of((MAXIMIZE, MINIMIZE)))
    threshold = required(raw, "threshold", _any_number)
    side, stated = ("min", least) if direction == MAXIMIZE else ("max", most)
    if stated is not None:
        raise ValueError(f"expected either {side} or a threshold to {direction}, but got both")
    return (threshold, most) if direction == MAXIMIZE else (least, threshold)


def _postscript(raw: dict[str, Any]) -> Check:
    return PostscriptCheck(marker=optional(raw, "marker", _marker, POSTSCRIPT).strip())


_BY_KIND: Mapping[str, Reader] = {
    **{part.value: partial(_parts, part) for part in CountedPart},
    "contains": _contains,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "uppercase": lambda _raw: UppercaseCheck(),
    "lowercase": lambda _raw: LowercaseCheck(),
    "number": _number,
    "quoted": lambda _raw: QuotedCheck(),
    "title": lambda _raw: TitleCheck(),
    "postscript": _postscript,
}
READERS: Mapping[str, Reader] = MappingProxyType(
    {kind: closed(CHECKS[kind].fields, read) for kind, read in _BY_KIND.items()}
)


def text_check_to_json(check: Check) -> dict[str, Any]:
    """Returns the entry of `validation.checks` for one of these checks."""
    match check:
        case PartsCheck():
            return _parts_to_json(check)
        case ContainsCheck():
            return {
                "type": "contains",
                "phrases": list(check.phrases),
                "min_occurrences": check.min_occurrences,
                "max_occurrences": check.max_occurrences,
                **({"any": True} if check.any else {}),
                **_comparison_to_json(check),
            }
        case StartsWithCheck():
            where = {"paragraph": check.paragraph} if check.paragraph else {}
            return {"type": "starts_with", "phrase": check.phrase, **where, **_comparison_to_json(check)}
        case EndsWithCheck():
            return {"type": "ends_with", "phrase": check.phrase, **_comparison_to_json(check)}
        case NumberCheck():
            return {"type": "number", "path": check.path, "min": check.min, "max": check.max}
        case PostscriptCheck():
            return {"type": "postscript", "marker": check.marker}
    return {
        "type": type(check).__name__.removesuffix("Check").lower()
    }  # checks without a field have the name of their kind


def _parts_to_json(check: PartsCheck) -> dict[str, Any]:
    kind = check.part.value
    entry = {"type": kind, f"min_{kind}": check.min_parts, f"max_{kind}": check.max_parts}
    separator = {"separator": check.separator} if check.separator else {}
    return {**entry, **separator, **({"distinct": True} if check.distinct else {})}


def _comparison_to_json(check: ContainsCheck | StartsWithCheck | EndsWithCheck) -> dict[str, bool]:
    flags = {"whole_words": check.whole_words, "case_sensitive": check.case_sensitive}
    return {name: True for name, is_set in flags.items() if is_set}
