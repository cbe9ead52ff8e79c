"""Checks in words: in the compiler's notes, as requirements for the executor, and as criteria of a verdict."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from signoff.plan.describe_files import (
    archive_in_words,
    files_in_words,
    image_in_words,
    of_file,
    size_in_words,
    table_in_words,
    types_in_words,
)
from signoff.v1 import plan_pb2


def describe_check(check: plan_pb2.Check) -> str:
    """Returns a check's requirement, to follow "the output". A criterion's check adds the cases left to the judge."""
    if not check.criterion:
        return of_file(check, _asked(check))
    kind = check.WhichOneof("kind") or ""
    asked = _mentions_in_words(check.contains) if kind == "contains" else _asked(check)
    return f"{asked}; {_LEFT_TO_JUDGES[kind]}" if kind in _LEFT_TO_JUDGES else asked


_LEFT_TO_JUDGES = {
    "contains": "where it stands only inside another word, the judge decides",
    "words": "where ways to count words disagree, the judge decides",
    "length": "where ways to count characters disagree, the judge decides",
    "required_keys": "where the keys stand elsewhere than at the top, the judge decides",
    "language": "where the language cannot be told, the judge decides",
    "citations": "where it depends on what may be none, the judge decides",
}


def _mentions_in_words(check: plan_pb2.ContainsCheck) -> str:
    phrases = " and ".join(map(repr, check.phrases))
    as_word = "as a word" if check.case_sensitive else "as a word, its plural or possessive"
    case = "in this case" if check.case_sensitive else "in any case"
    if check.HasField("max_occurrences") and not check.max_occurrences:
        return f"does not contain {phrases} {as_word}, or as a part of a name such as {check.phrases[0]}_x, {case}"
    return f"contains {phrases} {as_word}, {case}"


def _asked(check: plan_pb2.Check) -> str:
    kind = check.WhichOneof("kind") or ""
    tell = _BY_KIND.get(kind)
    return tell(getattr(check, kind)) if tell else "passes a check this version does not know"


def _schema_in_words(check: plan_pb2.JsonSchemaCheck) -> str:
    what = "is JSON Lines, each of which satisfies" if check.lines else "satisfies"
    return f"{what} the JSON Schema {check.schema_json}"


def _pattern_in_words(check: plan_pb2.RegexCheck) -> str:
    return f"{'does not match' if check.absent else 'matches'} the regular expression {check.pattern}"


def _length_in_words(check: plan_pb2.LengthCheck) -> str:
    longest = check.max_chars if check.HasField("max_chars") else None
    told = f"is {_amount_in_words(check.min_chars, longest, 'character')} long"
    return f"{told}, without white space" if check.visible else told


def _entries_in_words(check: plan_pb2.CountCheck) -> str:
    maximum = check.max_items if check.HasField("max_items") else None
    where = f" at {check.path}" if check.path else ""
    return f"has {_amount_in_words(check.min_items, maximum, 'entry')}{where}"


def _words_in_words(check: plan_pb2.WordsCheck) -> str:
    maximum = check.max_words if check.HasField("max_words") else None
    return f"has {_amount_in_words(check.min_words, maximum, 'word')}"


def _sources_in_words(check: plan_pb2.CitationsCheck) -> str:
    return f"names at least {_counted(check.min_citations, 'source')}: {_marks_in_words(check)}"


_MARKS = {
    plan_pb2.SOURCE_MARK_URL: "URLs",
    plan_pb2.SOURCE_MARK_DOI: "DOIs",
    plan_pb2.SOURCE_MARK_NUMBER: "marks such as [1]",
    plan_pb2.SOURCE_MARK_FOOTNOTE: "footnotes such as [^1]",
}


def _marks_in_words(check: plan_pb2.CitationsCheck) -> str:
    if not check.marks:
        return "URLs, DOIs, or marks such as [1]"
    return " or ".join(_MARKS.get(mark, "marks of a kind this version does not know") for mark in check.marks)


_PARTS = {
    plan_pb2.PART_SENTENCE: ("sentence", ""),
    plan_pb2.PART_PARAGRAPH: ("paragraph", ""),
    plan_pb2.PART_BULLET: ("bullet", ""),
    plan_pb2.PART_HEADING: ("Markdown heading", ""),
    plan_pb2.PART_SECTION: ("section", ""),
    plan_pb2.PART_HIGHLIGHT: ("highlight", ", such as *this*"),
    plan_pb2.PART_PLACEHOLDER: ("placeholder", ", such as [address]"),
    plan_pb2.PART_UPPERCASE_WORD: ("word", " in capital letters"),
}


def _parts_in_words(check: plan_pb2.PartsCheck) -> str:
    noun, more = _PARTS.get(check.part, ("part", " of a kind this version does not know"))
    most = check.max_parts if check.HasField("max_parts") else None
    told = f"has {_amount_in_words(check.min_parts, most, noun)}{more}"
    if check.separator and check.part == plan_pb2.PART_SECTION:
        told += f", each of which begins with a line {check.separator} 1, {check.separator} 2 and so on"
    elif check.separator:
        told += f", with a line {check.separator} between them"
    return f"{told}, no two of them the same" if check.distinct else told


def _contains_in_words(check: plan_pb2.ContainsCheck) -> str:
    most = check.max_occurrences if check.HasField("max_occurrences") else None
    phrases = (" or " if check.any or most == 0 else " and ").join(map(repr, check.phrases))
    told = f"{phrases}{_comparison_in_words(check)}"
    if most == 0:
        return f"lacks {told}" if check.any else f"does not contain {told}"
    if check.min_occurrences == 1 and most is None:
        return f"contains {told}"
    each = " each" if len(check.phrases) > 1 else ""
    return f"contains {told}{each} {_amount_in_words(check.min_occurrences, most, 'time')}"


def _start_in_words(check: plan_pb2.StartsWithCheck) -> str:
    where = f"in paragraph {check.paragraph} " if check.paragraph else ""
    return f"{where}starts with {check.phrase!r}{_comparison_in_words(check)}"


def _comparison_in_words(
    check: plan_pb2.ContainsCheck | plan_pb2.StartsWithCheck | plan_pb2.EndsWithCheck,
) -> str:
    asked = (("as a whole word", check.whole_words), ("in this case", check.case_sensitive))
    ways = [way for way, is_asked in asked if is_asked]
    return f" ({', '.join(ways)})" if ways else ""


def _number_in_words(check: plan_pb2.NumberCheck) -> str:
    where = f" at {check.path}" if check.path else ""
    least, most = f"{check.min:.15g}", f"{check.max:.15g}"
    if check.HasField("min") and check.HasField("max"):
        return f"has a number{where} from {least} to {most}"
    return f"has a number{where} of {f'at least {least}' if check.HasField('min') else f'at most {most}'}"


def _amount_in_words(minimum: int, maximum: int | None, noun: str) -> str:
    if maximum is None:
        return f"at least {_counted(minimum, noun)}"
    if minimum == maximum:
        return f"exactly {_counted(minimum, noun)}"
    return f"between {minimum} and {_counted(maximum, noun)}" if minimum else f"at most {_counted(maximum, noun)}"


def _counted(number: int, noun: str) -> str:
    plural = "entries" if noun == "entry" else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


#: By the name of the field with a check of the kind, which the function gets.
_BY_KIND: Mapping[str, Callable[[Any], str]] = {
    "json": lambda _check: "is valid JSON",
    "json_schema": _schema_in_words,
    "required_keys": lambda check: f"is a JSON object with the keys {', '.join(check.keys)}",
    "regex": _pattern_in_words,
    "length": _length_in_words,
    "count": _entries_in_words,
    "words": _words_in_words,
    "language": lambda check: f'is written in the language "{check.code}" (ISO 639-1)',
    "citations": _sources_in_words,
    "command": lambda check: f"passes the command {shlex.join(check.argv)}",
    "function": lambda check: f"passes the function {check.name}",
    "parts": _parts_in_words,
    "contains": _contains_in_words,
    "starts_with": _start_in_words,
    "ends_with": lambda check: f"ends with {check.phrase!r}{_comparison_in_words(check)}",
    "uppercase": lambda _check: "has no letters but capital ones",
    "lowercase": lambda _check: "has no letters but small ones",
    "number": _number_in_words,
    "quoted": lambda _check: "is enclosed, as a whole, in one pair of quotation marks",
    "title": lambda _check: "has a title in double angle brackets, such as <<title>>",
    "postscript": lambda check: f"has a postscript: a line after the text that begins with {check.marker or 'P.S.'}",
    "required_files": files_in_words,
    "file_size": size_in_words,
    "media_type": types_in_words,
    "image": image_in_words,
    "table": table_in_words,
    "archive_safe": archive_in_words,
}
