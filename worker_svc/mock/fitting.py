"""Fits the mock's texts to the checks of a plan: adds required parts, and cuts texts that are too long."""

from __future__ import annotations

import copy
import functools
import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from signoff.v1 import plan_pb2
from worker_svc.mock.patterns import matching_text
from worker_svc.validate.checking.text.word_count import count_words

MAX_PAD_CHARS = 4_000_000  # a larger minimum is not met: the frame limit would refuse the candidate anyway
_MAX_PAD_WORDS = 500_000
_MAX_ENTRIES = 10_000
_MAX_SOURCES = 1_000
_MAX_OCCURRENCES = 1_000

_ENGLISH = "This sentence is here because the plan asks for a longer text. "
_SENTENCES: Mapping[str, str] = {
    "ar": "هذه الجملة هنا لأن الخطة تطلب نصا مكتوبا بهذه اللغة. ",
    "de": "Dieser Satz steht hier, weil der Plan einen Text in dieser Sprache verlangt. ",
    "en": _ENGLISH,
    "es": "Esta frase está aquí porque el plan pide un texto escrito en este idioma. ",
    "fr": "Cette phrase est ici parce que le plan demande un texte écrit dans cette langue. ",
    "it": "Questa frase è qui perché il piano chiede un testo scritto in questa lingua. ",
    "ja": "この文は、計画がこの言語で書かれた文章を求めているので、ここにあります。",
    "ko": "이 문장은 계획이 이 언어로 쓰인 글을 요구하기 때문에 여기에 있습니다. ",
    "nl": "Deze zin staat hier omdat het plan om een tekst in deze taal vraagt. ",
    "pl": "To zdanie jest tutaj, ponieważ plan wymaga tekstu napisanego w tym języku. ",
    "pt": "Esta frase está aqui porque o plano pede um texto escrito nesta língua. ",
    "ru": "Это предложение стоит здесь, потому что план требует текста на этом языке. ",
    "uk": "Це речення стоїть тут, тому що план вимагає тексту цією мовою. ",
    "zh": "这句话写在这里，因为计划要求用这种语言写一段文字。",
}  # fmt: skip

_SOURCES = {
    plan_pb2.SOURCE_MARK_URL: "https://example.com/source/{}",
    plan_pb2.SOURCE_MARK_DOI: "10.1000/source-{}",
    plan_pb2.SOURCE_MARK_NUMBER: "[{}]",
    plan_pb2.SOURCE_MARK_FOOTNOTE: "[^{}]",
}
_PUNCTUATED = 1.25  # length of a text, divided by its length without punctuation

Checks = Sequence[plan_pb2.Check]

sample = functools.lru_cache(maxsize=256)(matching_text)


def sentence_for(checks: Checks) -> str:
    """Returns a sentence to pad a text with, in the language that a check asks for, English by default."""
    return _SENTENCES.get(language_of(checks), _ENGLISH)


def language_of(checks: Checks) -> str:
    """Returns the language that a check asks for, if the mock has a sentence in it; else "". Only Chinese counts 字."""
    codes = (check.language.code.lower() for check in checks if check.HasField("language"))
    counted = ("zh" for check in checks if check.length.visible)
    return next((code for code in (*codes, *counted) if code in _SENTENCES), "")


def sources_for(checks: Checks) -> list[str]:
    """Returns as many made-up sources as each check asks for, in the form that it asks for."""
    asked = [check.citations for check in checks if check.HasField("citations")]
    forms = [(_SOURCES.get(next(iter(wanted.marks), plan_pb2.SOURCE_MARK_URL), ""), wanted) for wanted in asked]
    return [
        form.format(number)
        for form, wanted in forms
        for number in range(1, min(wanted.min_citations, _MAX_SOURCES) + 1)
    ]


def phrases_for(checks: Checks) -> list[str]:
    """Returns the phrases that checks ask for, as often as they ask, and a title if one is asked for."""
    wanted = [check.contains for check in checks if check.HasField("contains")]
    phrases = [
        " ".join([phrase] * min(contains.min_occurrences, _MAX_OCCURRENCES))
        for contains in wanted
        for phrase in (contains.phrases[:1] if contains.any else contains.phrases)
    ]
    titles = ["<<A title>>" for check in checks if check.HasField("title")]
    return [*filter(None, phrases), *titles]


def number_for(check: plan_pb2.NumberCheck) -> float:
    """Returns a number within the bounds of a check."""
    return check.min if check.HasField("min") else min(check.max, 0.0)


def padding_words(checks: Checks) -> str:
    """Returns a text of as many words as a check asks for."""
    wanted, sentence = min(_word_bounds(checks)[0], _MAX_PAD_WORDS), sentence_for(checks)
    return sentence * math.ceil(wanted / count_words(sentence))


def fitted_text(text: str, checks: Checks) -> str:
    """Returns the text with matches for anchored patterns at its ends, and as many words and characters as needed."""
    patterns = [check.regex.pattern for check in checks if check.HasField("regex") and not check.regex.absent]
    first = (
        check.starts_with.phrase for check in checks if check.starts_with.phrase and not check.starts_with.paragraph
    )
    last = (f" {check.ends_with.phrase}" for check in checks if check.ends_with.phrase)
    head = next(first, next((sample(p) for p in patterns if p.startswith(("^", r"\A")) and not re.match(p, text)), ""))
    tail = next(last, next((sample(p) for p in patterns if p.endswith(("$", r"\Z"))), ""))
    body = _of_words(f"{head}\n{text}" if head else text, checks)
    shortest, longest = length_bounds(checks)
    missing = min(shortest, MAX_PAD_CHARS) - len(body) - len(tail)
    if missing > 0:
        filler = sentence_for(checks)
        body += (filler * math.ceil(missing / len(filler)))[: missing - 1] + "."  # no white space that could be cut
    return body[: max(0, longest - len(tail))] + tail


def fit_entries(value: Any, checks: Checks) -> None:
    """Gives the arrays and objects of a JSON value as many entries as the checks ask for."""
    for check in checks:
        if check.HasField("count"):
            most = check.count.max_items if check.count.HasField("max_items") else _MAX_ENTRIES
            least = min(check.count.min_items, _MAX_ENTRIES)
            _fit(_at(value, check.count.path.split(".") if check.count.path else []), least, most)


def length_bounds(checks: Checks) -> tuple[int, int]:
    """Returns the least and the largest number of characters that all length checks allow."""
    lengths = [check.length for check in checks if check.HasField("length")]
    shortest = max((length.min_chars * (_PUNCTUATED if length.visible else 1) for length in lengths), default=0)
    longest = min((length.max_chars for length in lengths if length.HasField("max_chars")), default=MAX_PAD_CHARS)
    return min(math.ceil(shortest), longest), longest


def _word_bounds(checks: Checks) -> tuple[int, int]:
    bounds = [check.words for check in checks if check.HasField("words")]
    fewest = max((bound.min_words for bound in bounds), default=0)
    return fewest, min((bound.max_words for bound in bounds if bound.HasField("max_words")), default=_MAX_PAD_WORDS)


def _of_words(text: str, checks: Checks) -> str:
    if not any(check.HasField("words") for check in checks):
        return text
    fewest, most = _word_bounds(checks)
    if count_words(text) < fewest:
        text = f"{text.rstrip()}\n\n{padding_words(checks)}"
    return _first_words(text, most) if count_words(text) > most else text


def _first_words(text: str, most: int) -> str:
    """Returns the longest beginning with at most so many words."""
    return text[: bisect_right(range(len(text)), most, key=lambda end: count_words(text[: end + 1]))]


def _at(value: Any, path: Iterable[str]) -> Any:
    """Returns the value at a path of keys; puts an array there when there is none."""
    steps = list(path)
    for number, step in enumerate(steps, 1):
        if not isinstance(value, dict):
            return None
        value = value.setdefault(step, [] if number == len(steps) else {})
    return value


def _fit(value: Any, least: int, most: int) -> None:
    if isinstance(value, list):
        made = value[:1] or ["entry"]
        value += (copy.deepcopy(made[0]) for _ in range(least - len(value)))
        del value[most:]
    elif isinstance(value, dict):
        value |= {f"key_{number}": "entry" for number in range(len(value) + 1, least + 1)}
        for key in list(value)[most:]:
            del value[key]
