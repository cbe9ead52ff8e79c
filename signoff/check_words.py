"""A check in words: the compiler tells of it, the executor reads it as a requirement, and the verdict names it."""

from __future__ import annotations

import shlex

from signoff.v1 import plan_pb2


def check_in_words(check: plan_pb2.Check) -> str:
    """What a check asks of a candidate, to follow "the output"."""
    match check.WhichOneof("kind"):
        case "json":
            return "is valid JSON"
        case "json_schema":
            return f"satisfies the JSON Schema {check.json_schema.schema_json}"
        case "required_keys":
            return f"is a JSON object with the keys {', '.join(check.required_keys.keys)}"
        case "regex":
            return (
                f"{'does not match' if check.regex.absent else 'matches'} the regular expression {check.regex.pattern}"
            )
        case "length":
            longest = check.length.max_chars if check.length.HasField("max_chars") else None
            return f"is {_amount_in_words(check.length.min_chars, longest, 'character')} long"
        case "count":
            maximum = check.count.max_items if check.count.HasField("max_items") else None
            where = f" at {check.count.path}" if check.count.path else ""
            return f"has {_amount_in_words(check.count.min_items, maximum, 'entry')}{where}"
        case "words":
            maximum = check.words.max_words if check.words.HasField("max_words") else None
            return f"has {_amount_in_words(check.words.min_words, maximum, 'word')}"
        case "language":
            return f'is written in the language "{check.language.code}" (ISO 639-1)'
        case "citations":
            sources = _counted(check.citations.min_citations, "source")
            return f"names at least {sources}: URLs, DOIs, or marks such as [1]"
        case "command":
            return f"passes the command {shlex.join(check.command.argv)}"
        case "function":
            return f"passes the function {check.function.name}"
        case _:
            return "passes a check this version does not know"


def _amount_in_words(minimum: int, maximum: int | None, noun: str) -> str:
    if maximum is None:
        return f"at least {_counted(minimum, noun)}"
    if minimum == maximum:
        return f"exactly {_counted(minimum, noun)}"
    return f"between {minimum} and {_counted(maximum, noun)}" if minimum else f"at most {_counted(maximum, noun)}"


def _counted(number: int, noun: str) -> str:
    plural = "entries" if noun == "entry" else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
