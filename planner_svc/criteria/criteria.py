"""Criteria that code can decide: "at least 200 words" becomes a check, once, when the plan is compiled.

A form must match the whole criterion. A criterion that asks for more ("at least three sources are recent"), or that
could mean something else in its place, is left to the judge: an unnecessary question to a model costs little, a wrong
check costs the work. docs/reference/plans.md lists the forms for people.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache

from planner_svc.checks.kinds import (
    Check,
    CitationsCheck,
    ContainsCheck,
    CountCheck,
    JsonCheck,
    JsonSchemaCheck,
    LanguageCheck,
    LengthCheck,
    RequiredKeysCheck,
    WordsCheck,
)
from planner_svc.checks.languages import CODE_OF_NAME
from planner_svc.checks.structured import MAX_CITATIONS
from planner_svc.criteria.criteria_patterns import (
    AMOUNT,
    AMOUNT_ZH,
    NAMES,
    NAMES_ZH,
    OR_MORE,
    QUOTED,
    WITHIN_ZH,
    array_under,
    bounds_of,
    compile_pattern,
    is_prose,
    may_be_json,
    names_of,
    phrase_of,
    promises_array,
    promises_json,
)
from planner_svc.criteria.source_marks import MARKED, MARKED_ZH, marks_in

MAX_CHARS = 300  # of a criterion; a longer one is left to the judge
MAX_FORMAT_CHARS = 4_000  # of a format; with a longer one all criteria are left to the judge
FEW = 20  # up to so many "characters" may be people in a story

Maker = Callable[[re.Match[str], str], Check | None]


def checks_of_criteria(criteria: Sequence[str], output_format: str) -> Iterator[Check]:
    """Yields a check for each criterion that code can decide, with the criterion's number."""
    for number, criterion in enumerate(criteria, 1):
        readable = len(criterion) <= MAX_CHARS and len(output_format) <= MAX_FORMAT_CHARS
        check = check_of_criterion(criterion, output_format) if readable else None
        if check is not None:
            yield dataclasses.replace(check, criterion=number)


@lru_cache(maxsize=1024)
def check_of_criterion(criterion: str, output_format: str = "") -> Check | None:
    """Returns the check that decides a criterion for an output of this format; None when a model is to judge it."""
    rest, output_format = (" ".join(text.split()) for text in (criterion, output_format))
    rest = rest.removesuffix(".").removesuffix("。")
    lead = _LEAD.match(rest)
    if lead is not None:
        if (lead["part"] or lead["part_zh"]) and promises_json(output_format):
            return None  # "the text" may be one of several
        rest = rest[lead.end() :]
    if rest.isascii() and not _BEGINNING.match(rest):
        return None  # most criteria, in a third of the time
    for form, make in _forms(rest.isascii()):
        match = form.fullmatch(rest)
        if match is not None and (check := make(match, output_format)) is not None:
            return check
    return None


# ---------------------------------------------------------------- makers: the check of each form

_WORDS = ("word", "words", "单词")
_LETTER = "字"  # of Chinese: white space is none
_CHARACTERS = ("characters", "character", "chars", "字符", _LETTER)
_ENTRIES = ("items", "item", "entries", "entry", "elements", "element", "条目", "元素")
_SOURCES = (
    "sources", "source", "citations", "citation", "references", "reference",
    "信息来源", "资料来源", "来源", "参考文献", "引用", "出处",
)  # fmt: skip


def _json(match: re.Match[str], output_format: str) -> Check | None:
    if not may_be_json(output_format):
        return None
    kind = (match.groupdict().get("kind") or "").lower()
    wanted = {"object": "object", "array": "array", "对象": "object", "数组": "array"}.get(kind)
    return JsonSchemaCheck(schema_json=_compact({"type": wanted})) if wanted else JsonCheck()


def _keys(match: re.Match[str], output_format: str) -> Check | None:
    return _required(names_of(match, output_format), output_format)


def _keys_ahead(match: re.Match[str], output_format: str) -> Check | None:
    return _required(names_of(match, output_format, ahead=True), output_format)


def _required(names: tuple[str, ...], output_format: str) -> Check | None:
    return RequiredKeysCheck(keys=names) if names and may_be_json(output_format) else None


def _keys_of_json(match: re.Match[str], output_format: str) -> Check | None:
    return _keys(match, output_format) if promises_json(output_format) else None


def _arrays_ahead(match: re.Match[str], output_format: str) -> Check | None:
    return _arrays_of(names_of(match, output_format, ahead=True), output_format)


def _arrays(match: re.Match[str], output_format: str) -> Check | None:
    return _arrays_of(names_of(match, output_format), output_format)


def _arrays_of(names: tuple[str, ...], output_format: str) -> Check | None:
    if not names or any("." in name for name in names) or not may_be_json(output_format):
        return None
    properties = {name: {"type": "array"} for name in names}
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return JsonSchemaCheck(schema_json=_compact(schema))


def _compact(schema: object) -> str:
    return json.dumps(schema, separators=(",", ":"))


def _amount(match: re.Match[str], output_format: str) -> Check | None:
    """Makes a check of a number of words, characters, entries or sources, by the noun and the output's format."""
    least, most = bounds_of(match)
    if least is None and most is None:
        return None
    noun, verb = match["noun"].lower(), (match["verb"] or "").strip().lower()
    marked = match["marked"] or ""
    if noun in _WORDS or noun in _CHARACTERS:
        of_more = match["distinct"] or match["told"] or marked
        of_all = verb in _OF_ALL and not of_more and is_prose(output_format)
        return _size(noun, least, most, bool(match["long"])) if of_all else None
    if verb in _IS or match["long"]:
        return None
    path = array_under(noun, output_format) if promises_json(output_format) and not marked else ""
    if (path or (noun in _ENTRIES and promises_array(output_format) and not marked)) and not match["distinct"]:
        return CountCheck(path=path, min_items=least or 0, max_items=most)
    return _sources(least, marked, output_format) if noun in _SOURCES and most is None else None


def _size(unit: str, least: int | None, most: int | None, long: bool) -> Check | None:
    if not least and most is None:
        return None
    if unit in _WORDS:
        return WordsCheck(min_words=least or 0, max_words=most)
    if unit.isascii() and not long and max(least or 0, most or 0) <= FEW:
        return None
    return LengthCheck(min_chars=least or 0, max_chars=most, visible=unit == _LETTER)


def _sources(least: int | None, marked: str, output_format: str) -> Check | None:
    """Makes a check of sources whose marks are known, unless the format is JSON with a place of its own for sources."""
    spoken_of = promises_json(output_format) and any(noun in output_format.lower() for noun in _SOURCES)
    marks = marks_in(marked, output_format)
    # guard: sources are counted only when their marks are told -> if not least or least > MAX_CITATIONS or spoken_of:
    if not marks or not least or least > MAX_CITATIONS or spoken_of:
        return None
    return CitationsCheck(min_citations=least, marks=marks)


def _phrase(match: re.Match[str], output_format: str) -> Check | None:
    """Makes a check of a phrase as whole words, in any case unless it is to be exact."""
    phrase, groups = phrase_of(match, output_format), match.groupdict()
    if not phrase:
        return None
    is_absent = bool(groups["absent"])
    return ContainsCheck(
        phrases=(phrase,),
        min_occurrences=0 if is_absent else 1,
        max_occurrences=0 if is_absent else None,
        whole_words=True,
        case_sensitive=bool(groups.get("exact")),
    )


def _language(match: re.Match[str], output_format: str) -> Check | None:
    return LanguageCheck(code=CODE_OF_NAME[match["language"].lower()]) if is_prose(output_format) else None


# ---------------------------------------------------------------- the forms, behind their lead

_LEAD = compile_pattern(
    r"(?:(?:the )?(?:output|result|answer|response|candidate|(?P<part>text|document)) |it "
    r"|(?:输出|结果|回答|答案|全文|(?P<part_zh>文本|文档)) ?)?"
    r"(?:(?:must|should|shall|has to|needs to|does) |(?:必须|应当|应该|应|需要|需|须|要) ?)?"
)

_BEGINNING = compile_pattern(  # of any English form
    r"[0-9]|is|be|an?|valid|well|syntactically|pars|can|json|in|with|ha[sv]|contain|include|list|give|provide|cite|name"
    r"|use|there|at|no|not|min|max|up|more|longer|fewer|less|shorter|under|between|from|exactly|one|two|three"
    r"|four|five|six|seven|eight|nine|ten|eleven|twelve|doesn|may|never|mention|say|written"
)
_IS = ("is", "be")
_OF_ALL = ("", *_IS, "has", "have", "contain", "contains", "use", "uses")  # verbs before a length

_VERB = r"(?:is|be|has|have|contains?|includes?|lists?|gives?|provides?|cites?|names?|uses?)"
_THERE_IS = r"there (?:is|are|must be|should be)"
_VALID = r"(?:valid|well-formed|syntactically valid|parsable|parseable)"
_WITH = r"(?:with|containing|having|(?:that|which|and) (?:has|contains|includes))"
_JSON_WITH = rf"(?:(?:is|be) )?(?:an? )?(?:{_VALID} )?JSON(?: object)?,? {_WITH}"
_KEYS = r"(?:keys?|fields?|property|properties)"
_LANGUAGE = "|".join(name for name in CODE_OF_NAME if name.isascii())

_VALID_ZH = r"(?:(?:是|为|输出) ?)?(?:有效|合法)的? ?JSON"
_WITH_ZH = rf"{_VALID_ZH}(?: ?格式| ?对象)?[，,]? ?(?:并|且)?(?:包含|包括|含有|带有|具有) ?"
_LANGUAGE_ZH = "|".join(name for name in CODE_OF_NAME if not name.isascii())

_ENGLISH: tuple[tuple[str, Maker], ...] = (
    (rf"(?:(?:is|be) )?(?:an? )?{_VALID} JSON(?: (?P<kind>object|array))?", _json),
    (r"(?:is|be) an? JSON (?P<kind>object|array)", _json),
    (r"(?:is|be) JSON|(?:(?:is|be) )?in (?:valid JSON|JSON format|valid JSON format)", _json),
    (r"(?:parses?|can be parsed) as (?:valid )?JSON", _json),
    (rf"{_JSON_WITH} (?:the )?(?:top-level |required )?{_KEYS}:? (?:named |called )?{NAMES}", _keys),
    (rf"{_JSON_WITH} (?:the |an? )?{NAMES} {_KEYS}", _keys_ahead),
    (rf"{_JSON_WITH} (?:the |an? )?{NAMES} arrays?", _arrays_ahead),
    (rf"{_JSON_WITH} (?:the |an? )?arrays? (?:named |called )?{NAMES}", _arrays),
    (rf"(?:with|has|have|contains?|includes?) (?:the )?(?:top-level |required )?{_KEYS}:? {NAMES}", _keys_of_json),
    (
        rf"(?:(?P<verb>{_VERB}|{_THERE_IS}) )?{AMOUNT} (?P<distinct>(?:different|distinct) )?"
        rf"(?P<noun>[a-z][a-z0-9_-]*){OR_MORE}(?P<long> long| in length)?"
        rf"(?P<told> (?:is|are) (?:cited|named|listed|given|provided))?{MARKED}",
        _amount,
    ),
    (
        r"(?P<absent>(?:doesn['’]t|may not|cannot|never|not) )?(?:contains?|includes?|mentions?|says?|uses?) "
        rf"(?:the (?P<exact>exact )?(?:(?P<word>word|term)|phrase|text|string|sentence) )?{QUOTED}",
        _phrase,
    ),
    (rf"(?:(?:is|be) )?(?:written )?in (?P<language>{_LANGUAGE})", _language),
)

_CHINESE: tuple[tuple[str, Maker], ...] = (
    (rf"{_VALID_ZH}(?: ?格式)?(?: ?(?P<kind>对象|数组))?", _json),
    (r"(?:以|用|采用|使用|为|是|符合) ?JSON ?格式(?:输出|返回|给出|呈现|提供|表示)?", _json),
    (rf"{_WITH_ZH}(?:键|字段)[:：]? ?{NAMES_ZH}", _keys),
    (rf"{_WITH_ZH}{NAMES_ZH} ?(?:键|字段)", _keys_ahead),
    (rf"{_WITH_ZH}{NAMES_ZH} ?(?:两个)?数组", _arrays_ahead),
    (
        r"(?:(?:字数|长度|篇幅)(?:必须|应|需|要)?)?(?:控制)?在?"
        r"(?P<verb>引用|列出|给出|提供|注明|包含|包括|含有|含|有)?了? ?"
        rf"{AMOUNT_ZH} ?[个篇条处项]?(?P<distinct>不同的?)? ?{MARKED_ZH}"
        rf"(?P<noun>字符|字|单词|条目|元素|信息来源|资料来源|来源|参考文献|引用|出处){WITHIN_ZH}(?:之间)?(?P<long>)(?P<told>)",
        _amount,
    ),
    (
        r"(?P<absent>不得|不能|不应该?|不可|不要|不|没有)?(?:包含|包括|含有|出现|提到|提及) ?(?:短语|词语)? ?"
        rf"{QUOTED} ?(?:字样|一词)?",
        _phrase,
    ),
    (rf"(?:用|以|使用) ?(?P<language>{_LANGUAGE_ZH}) ?(?:写成|撰写|书写|编写|写作|写|输出)", _language),
)


@cache
def _forms(english: bool) -> tuple[tuple[re.Pattern[str], Maker], ...]:
    """Compiles the forms, once, when the first criterion may have one: that takes longer than reading most plans."""
    forms = _ENGLISH if english else (*_ENGLISH, *_CHINESE)
    return tuple((compile_pattern(pattern), make) for pattern, make in forms)
