"""Texts from outside are read in time that grows with their length, and with no power of it.

Python holds its lock while it matches a pattern: a worker that does is deaf to pings and signals, even in a thread.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from signoff.plan.formats import format_of
from tests.support.patterns import KeptPattern, Run, kept_patterns, outgrows, runs_against
from worker_svc.commands.output import plain_words, python_place
from worker_svc.llm.openai.thoughts import parted
from worker_svc.llm.read.fences import unfenced
from worker_svc.llm.read.json_text import JSON_FENCES, without_fence
from worker_svc.llm.read.repair import found_in
from worker_svc.validate.checking.citations import sources_in
from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.checking.text.markdown import lines_of
from worker_svc.validate.checking.text.sentences import sentences_in
from worker_svc.validate.judge.answer import answer_value
from worker_svc.validate.judge.counting import allows, claim_in, counts_of, subject_of
from worker_svc.validate.judge.criteria import nature_of
from worker_svc.validate.judge.evidence import Quotable, words_in
from worker_svc.validate.judge.grounds import MOST_QUOTE_CHARS, Evidence, unproven

PACKAGES = ("worker_svc", "planner_svc", "signoff", "runner_svc")
SMALL = 1_000  # characters of a run; the large one has four times as many
MOST_GROWTH = 8.0  # a linear reader takes 4 times as long, a quadratic one 16 times
FLOOR = 0.003  # seconds for 4,000 characters; a linear pattern takes a tenth of a millisecond
READ = 1_000  # characters for a whole reader
READ_FLOOR = 0.01  # seconds for 4,000 characters

#: Ways to use patterns that may take the square of a length: texts are short there, or never read so.
BOUNDED: Mapping[tuple[str, str], str] = {
    ("signoff.schemas.uris._IRI", "finditer"): "is_iri and its like match whole texts",
    ("signoff.schemas.uris._URI", "finditer"): "is_uri and its like match whole texts",
    ("signoff.web.page.bundle._BASE", "finditer"): "it reads the page of this package",
    ("signoff.web.page.bundle._HEAD", "finditer"): "it reads the page of this package",
    ("worker_svc.validate.checking.citations._IDENTIFIER", "finditer"): "it is searched from the last word on",
    ("worker_svc.validate.judge.reasons._QUOTED", "finditer"): "of a reason, 4,000 characters are read",
}
PIECES = (" ", "\t", "\n", ".", "`", "<think>", "7", '"', "\\", "和", "“", " \n")
EVERYWHERE = tuple(Run("", piece, end) for piece in PIECES for end in ("!", "`"))


def test_no_pattern_takes_the_square_of_a_text() -> None:
    patterns = kept_patterns(PACKAGES)
    assert len(patterns) > 200
    assert {(kept.name, way) for kept in patterns for way in kept.ways} >= set(BOUNDED)
    assert not [line for kept in patterns for line in _slow(kept)]


def _slow(kept: KeptPattern) -> Iterator[str]:
    """Describes the first run that is too slow, for each way in which a pattern is used."""
    runs = [*EVERYWHERE, *runs_against(kept.pattern)]
    for way in kept.ways:
        read = _reader(kept.pattern, way)
        slow = (run for run in runs if outgrows(read, run, SMALL, most=MOST_GROWTH, floor=FLOOR))
        if (kept.name, way) not in BOUNDED and (run := next(slow, None)) is not None:
            yield f"{kept.name}: {way} of {run}"


def _reader(pattern: re.Pattern[Any], way: str) -> Callable[[str], object]:
    used = getattr(pattern, way)

    def read(text: str) -> object:
        found = used(text.encode(errors="surrogatepass") if isinstance(pattern.pattern, bytes) else text)
        return sum(1 for _ in found) if way == "finditer" else found

    return read


CANDIDATE = "The quick brown fox jumps over the lazy dog.\n- a\n- b\n"
COUNTS = "has at least 3 bullet points"


def _without_its_error(read: Callable[[str], object]) -> Callable[[str], object]:
    def reading(text: str) -> None:
        with contextlib.suppress(ValueError):
            read(text)

    return reading


READERS: Mapping[str, Callable[[str], object]] = {
    "fences around Markdown": lambda text: unfenced(f"Here it is.\n{text}\n", format_of("Markdown")),
    "fences around Python": lambda text: unfenced(f"```python\n{text}", format_of("Python")),
    "JSON in a fence": lambda text: without_fence(f"```{text}\n```", JSON_FENCES),
    "JSON among words": lambda text: found_in(f"{text}{{", array=True),
    "JSON to mend": lambda text: found_in(f"{{{text}}}"),
    "JSON in a fence to mend": lambda text: found_in(f"```{text}x{{"),
    "thoughts": parted,
    "thoughts without a beginning": lambda text: parted(f"{text}\n</think>\nx"),
    "a judge's answer": _without_its_error(answer_value),
    "a quotation": Quotable(CANDIDATE).shows,
    "a quotation's words": words_in,
    "a candidate that is quoted": lambda text: Quotable(text).has("the lazy dog"),
    "evidence": lambda text: unproven(Evidence(text=text[:MOST_QUOTE_CHARS]), COUNTS, Quotable(CANDIDATE)),
    "a count": lambda text: (claim_in(text), claim_in(f"3 bullets {text}"), subject_of(text)),
    "a unit": lambda text: counts_of(CANDIDATE, text, COUNTS),
    "counted sentences": lambda text: counts_of(text, "sentences", "has at least 3 sentences"),
    "an amount": lambda text: allows(text, 3),
    "a criterion": lambda text: nature_of.__wrapped__(text),
    "sentences": lambda text: list(sentences_in(text, has_capitals=True)),
    "lines of Markdown": lines_of,
    "sources": lambda text: sources_in(text, (1, 2, 3, 4), sure=True),
    "sources behind a word": lambda text: sources_in(f"{text}[1]", sure=True),
    "a traceback": lambda text: python_place(f"Traceback (most recent call last){text}"),
    "a program's output": plain_words,
    "a shape": lambda text: format_of.__wrapped__(f"JSON: {{a: {text}"),
    "a folded text": folded,
}
RUNS = tuple(
    Run(begin, piece, end)
    for begin, piece, end in (
        ("", " ", "x"), ("", "\t", "`"), ("", "\n", "x"), ("", " \n", "x"), ("", ".", "x"), ("", "? ", "x"),
        ("```", " ", "`"), ("```", " ", "x"), ("", "~", "`"), ("", "```\n", "x"), ("", "`", "x"), ("", "``` ", "x"),
        ("", "<think></think>", "x"), ("", "</think>", "x"), ("", "7", "x"), ("", "7,", "x"), ("", '"', "x"),
        ("", "\\", "x"), ("", '\\"', "x"), ("", "和", "x"), ("", "“", "x"), ("", "「", "x"), ("", "// ", "x"),
        ("", "/*", "x"), ("", "{", "x"), ("a", "_", "x"), ("", "a. ", "x"), ("", "| a ", "|"), ("", "格式", "对象"),
        ("", "[1]", "x"), ("", " and", "x"),
    )
)  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_no_reader_takes_the_square_of_a_text(name: str) -> None:
    slow = [run for run in RUNS if outgrows(READERS[name], run, READ, most=MOST_GROWTH, floor=READ_FLOOR)]
    assert not slow
