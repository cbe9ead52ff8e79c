"""Checks of a candidate's form: JSON, its keys and entries, patterns, length, and number of words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.patterns import PatternMatch, search
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed, json_of, prose_of, text_of, type_in_words
from worker_svc.validate.checking.text.lengths import lengths_of, without_white_space
from worker_svc.validate.checking.text.word_count import count_words, word_counts
from worker_svc.validate.invisible import without_invisible

_FEW_DOTS = 8  # of a path: with more, it is quicker to go through the object's keys


def check_json(_check: plan_pb2.Check, content: bytes) -> None:
    json_of(content)


def check_required_keys(check: plan_pb2.Check, content: bytes) -> None:
    value = json_of(content)
    missing = [key for key in check.required_keys.keys if not any(True for _ in values_at(value, key))]
    if missing and check.criterion and {key.rpartition(".")[2] for key in missing} <= every_key(value):
        raise CheckBroken(f"cannot tell: {', '.join(missing)} are keys, but not at the top")
    if not isinstance(value, dict):
        raise CheckFailed(f"expected a JSON object, but got {type_in_words(value)}")
    if missing:
        raise CheckFailed(f"missing keys: {', '.join(missing)}; {keys_of(value)}")


def check_count(check: plan_pb2.Check, content: bytes) -> None:
    counted, value = check.count, json_of(content)
    where = f" at {counted.path}" if counted.path else ""
    found = [value] if not counted.path else list(islice(values_at(value, counted.path), 1))
    if not found:
        raise CheckFailed(f"expected an array or an object{where}, but there is none; {keys_of(value)}")
    if not isinstance(found[0], list | dict):
        raise CheckFailed(f"expected an array or an object{where}, but got {type_in_words(found[0])}")
    maximum = counted.max_items if counted.HasField("max_items") else None
    within(len(found[0]), counted.min_items, maximum, f"entries{where}")


def check_regex(check: plan_pb2.Check, content: bytes) -> None:
    text, *hidden = searched_texts(check, content)
    pattern = check.regex.pattern
    match = _search(pattern, text)
    if not check.regex.absent and match is None:
        raise CheckFailed("no part of the candidate matches")
    if check.regex.absent and match is not None:
        raise CheckFailed(f"it must not match, but character {match.start} begins a match: {match.text[:80]!r}")
    if (seen := next((match for other in hidden if (match := _search(pattern, other))), None)) is not None:
        raise CheckFailed(f"it must not match, but as a reader sees the candidate, this does: {seen.text[:80]!r}")


def searched_texts(check: plan_pb2.Check, content: bytes) -> list[str]:
    """Returns the candidate's text and, when the pattern must be absent, the text as a reader sees it.

    A reader sees no invisible characters, and in JSON no escapes; `re` would.
    """
    text = text_of(content)
    if not check.regex.absent:
        return [text]
    seen = without_invisible(text)
    said = without_invisible(prose_of(content, keys=True)) if "\\" in text else seen
    return [text, *(other for other in dict.fromkeys((seen, said)) if other != text)]


def check_length(check: plan_pb2.Check, content: bytes) -> None:
    """Checks the length. Invisible characters can make a text too long, but never long enough."""
    text, bounds = text_of(content), check.length
    if check.criterion:
        most = bounds.max_chars if bounds.HasField("max_chars") else None
        within_each(lengths_of(text, visible=bounds.visible), bounds.min_chars, most, "characters")
        return
    text = without_white_space(text) if bounds.visible else text
    visible = len(without_invisible(text))
    unseen = f" that can be seen, and {len(text) - visible} that cannot" if visible < len(text) else ""
    if visible < bounds.min_chars:
        raise CheckFailed(f"expected at least {bounds.min_chars} characters, but got {visible}{unseen}")
    if bounds.HasField("max_chars") and len(text) > bounds.max_chars:
        raise CheckFailed(f"expected at most {bounds.max_chars} characters, but got {len(text)}")


def check_words(check: plan_pb2.Check, content: bytes) -> None:
    bounds = check.words
    maximum = bounds.max_words if bounds.HasField("max_words") else None
    text = prose_of(content)
    # guard: words are counted only where people agree -> if False:
    if check.criterion:
        within_each(word_counts(text), bounds.min_words, maximum, "words")
    else:
        within(count_words(text), bounds.min_words, maximum, "words")


def within(amount: int, minimum: int, maximum: int | None, noun: str) -> None:
    """Fails the candidate when the amount is outside the bounds, both inclusive."""
    if amount < minimum:
        raise CheckFailed(f"expected at least {minimum} {noun}, but got {amount}")
    if maximum is not None and amount > maximum:
        raise CheckFailed(f"expected at most {maximum} {noun}, but got {amount}")


def within_each(amounts: tuple[int, int], minimum: int, maximum: int | None, noun: str) -> None:
    """Compares the least and the largest result of several ways to count. Raises CheckBroken when they disagree."""
    low, high = amounts
    if low < minimum <= high or (maximum is not None and low <= maximum < high):
        raise CheckBroken(f"cannot tell: there are {low} to {high} {noun}, by the way of counting")
    within(low if maximum is not None and low > maximum else high, minimum, maximum, noun)


# ---------------------------------------------------------------- keys


def every_key(value: Any) -> set[str]:
    """Returns the keys of all objects in a value."""
    keys: set[str] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            keys.update(value)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return keys


def values_at(value: Any, path: str) -> Iterator[Any]:
    """Yields the values at a path of keys: "a.b" is b below a, or a key that has a dot in it.

    A walk tries the whole rest of the path as a key, and then its beginnings, shortest first. The time is proportional
    to path and candidate: only one way leads to each value.
    """
    waiting = [(value, 0)]
    while waiting:
        value, at = waiting.pop()
        if at > len(path):  # the path ends here
            yield value
        elif isinstance(value, dict):
            waiting += reversed([(value[key], at + len(key) + 1) for key in _beginnings(value, path, at)])


def _beginnings(value: dict[str, Any], path: str, at: int) -> list[str]:
    """Returns the keys of an object that match the path from `at`: the whole rest, then from the shortest."""
    if path.count(".", at) <= _FEW_DOTS:
        rest = path[at:]
        dots = [dot for dot, character in enumerate(rest) if character == "."]
        found = [key for key in (rest[:dot] for dot in dots) if key in value]
        return [rest, *found] if rest in value else found
    keys = sorted((key for key in value if path.startswith(key, at) and _ends_at_dot(path, at + len(key))), key=len)
    return [keys[-1], *keys[:-1]] if keys and at + len(keys[-1]) == len(path) else keys


def _ends_at_dot(path: str, at: int) -> bool:
    return at == len(path) or path[at] == "."


def keys_of(value: Any) -> str:
    return f"top-level keys are: {_few(value)}" if isinstance(value, dict) else f"the whole is {type_in_words(value)}"


def _few(keys: Iterable[str]) -> str:
    first = list(islice(keys, 21))
    return ", ".join([*first[:20], "…"] if len(first) > 20 else first) or "none"


# ---------------------------------------------------------------- patterns


def _search(pattern: str, text: str) -> PatternMatch | None:
    try:
        return search(pattern, text)
    except (re.error, OverflowError, RecursionError) as error:
        raise CheckBroken(f"{pattern!r} is not a regular expression: {error}") from error
