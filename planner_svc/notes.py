"""What the compiler has to tell that is no problem: which criteria in words it made checks of."""

from __future__ import annotations

from collections.abc import Iterator

from planner_svc.diagnostics import SHOWN_CHARS
from planner_svc.executionmap import ExecutionMap
from planner_svc.model import (
    Check,
    CitationsCheck,
    CommandCheck,
    CountCheck,
    FunctionCheck,
    JsonCheck,
    JsonSchemaCheck,
    LanguageCheck,
    LengthCheck,
    RegexCheck,
    RequiredKeysCheck,
    WordsCheck,
)


def notes(execution_map: ExecutionMap) -> Iterator[str]:
    """One sentence for each check that was made from a criterion, in the order of the map."""
    for task in execution_map.tasks:
        for check in task.validation.checks if task.validation is not None else ():
            if check.criterion and task.validation is not None:
                criterion = shown(task.validation.criteria[check.criterion - 1])
                yield f'{task.task_id} criterion {check.criterion} "{criterion}" is checked by code: {in_words(check)}'


def shown(text: str) -> str:
    """On one line, and short."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else f"{line[:SHOWN_CHARS]}…"


def in_words(check: Check) -> str:
    """What a check asks of a candidate, to follow "the output"."""
    match check:
        case JsonCheck():
            return "is JSON"
        case JsonSchemaCheck():
            return f"is JSON that satisfies the schema {check.schema_json}"
        case RequiredKeysCheck():
            return f"is a JSON object with the keys {', '.join(check.keys)}"
        case RegexCheck():
            return f"{'does not match' if check.absent else 'matches'} the pattern {check.pattern}"
        case LengthCheck():
            return f"has {_between(check.min_chars, check.max_chars, 'character')}"
        case CountCheck():
            place = f" under {check.path}" if check.path else ""
            return f"has {_between(check.min_items, check.max_items, 'entry')}{place}"
        case WordsCheck():
            return f"has {_between(check.min_words, check.max_words, 'word')}"
        case LanguageCheck():
            return f"is written in the language {check.code}"
        case CitationsCheck():
            return f"names at least {_counted(check.min_citations, 'source')}"
        case CommandCheck():
            return f"passes the command {' '.join(check.argv)}"
        case FunctionCheck():
            return f"passes the function {check.name}"


def _between(least: int, most: int | None, noun: str) -> str:
    if most is None:
        return f"at least {_counted(least, noun)}"
    if least == most:
        return f"exactly {_counted(most, noun)}"
    return f"{least:,} to {_counted(most, noun)}" if least else f"at most {_counted(most, noun)}"


def _counted(number: int, noun: str) -> str:
    plural = "entries" if noun == "entry" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
