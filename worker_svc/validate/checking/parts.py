"""Counts the parts of a text: sentences, paragraphs, bullets, headings, sections, highlights, placeholders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, pairwise
from types import MappingProxyType

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.form import within
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed, prose_of
from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.checking.text.markdown import LineKind, MarkdownLine, blocks_of, lines_of, without_code_spans
from worker_svc.validate.checking.text.scripts import has_letters
from worker_svc.validate.checking.text.sentences import sentences_in
from worker_svc.validate.invisible import without_invisible

_ITEMS = (LineKind.BULLET, LineKind.NUMBERED)
_NO_PROSE = (LineKind.BULLET, LineKind.CODE, LineKind.DIVIDER, LineKind.HEADING, LineKind.TABLE, LineKind.TITLE)
_NO_SENTENCE = (LineKind.CODE, LineKind.DIVIDER, LineKind.HEADING, LineKind.TABLE, LineKind.TITLE)


def check_parts(check: plan_pb2.Check, content: bytes) -> None:
    wanted = check.parts
    noun, find = FINDERS.get(wanted.part, ("", None))
    if find is None:
        raise CheckBroken("this version of signoff does not know what the check counts")
    found = list(find(without_invisible(prose_of(content)), wanted.separator))
    within(len(found), wanted.min_parts, wanted.max_parts if wanted.HasField("max_parts") else None, noun)
    if wanted.distinct:
        _no_two_the_same(found, noun)


def _no_two_the_same(parts: Iterable[str], noun: str) -> None:
    seen: dict[str, int] = {}
    for number, part in enumerate(parts, 1):
        first = seen.setdefault(folded(part).strip(), number)
        if first != number:
            raise CheckFailed(f"expected {noun} that differ, but number {number} is the same as number {first}")


# ---------------------------------------------------------------- prose


def sentences(text: str, _separator: str = "") -> Iterator[str]:
    """Yields the sentences of paragraphs and items. Headings, tables, dividers and code have none."""
    has_capitals = any(character.isupper() for character in text)
    for block in _blocks_of_sentences(lines_of(text)):
        yield from sentences_in(block, has_capitals=has_capitals)


def _blocks_of_sentences(lines: Iterable[MarkdownLine]) -> Iterator[str]:
    """Yields runs of lines of text; an item begins a run, and a line without sentences ends it."""
    block: list[str] = []
    for line in lines:
        ends = line.kind is LineKind.BLANK or line.kind in _NO_SENTENCE
        if block and (ends or line.kind in _ITEMS):
            yield "\n".join(block)
            block = []
        if not ends:
            block.append(line.text)
    if block:
        yield "\n".join(block)


def paragraphs(text: str, separator: str = "") -> Iterator[str]:
    """Yields the paragraphs: the texts between blank lines, or between the lines of a separator."""
    if separator:
        yield from _between(text, separator)
        return
    for block in blocks_of(lines_of(text)):
        prose = "\n".join(line.text for line in block)
        if any(line.kind not in _NO_PROSE for line in block) and has_letters(prose):
            yield prose


def _between(text: str, separator: str) -> Iterator[str]:
    """Yields the parts between lines that are the separator and nothing else; an empty one is no part."""
    marks = "".join(separator.split())
    for is_mark, lines in groupby(text.splitlines(), lambda line: "".join(line.split()) == marks):
        part = "\n".join(lines)
        if not is_mark and has_letters(part):
            yield part


# ---------------------------------------------------------------- lines


def bullets(text: str, _separator: str = "") -> Iterator[str]:
    """Yields the items of lists without numbers, nested ones too."""
    return (line.text for line in lines_of(text) if line.kind is LineKind.BULLET)


def headings(text: str, _separator: str = "") -> Iterator[str]:
    """Yields the text of Markdown headings."""
    return (line.text for line in lines_of(text) if line.kind is LineKind.HEADING)


def sections(text: str, separator: str = "") -> Iterator[str]:
    """Yields the sections that have some text: under a heading, or behind a mark such as SECTION 1."""
    return _marked_sections(text, separator) if separator else _sections_under_headings(lines_of(text))


def _marked_sections(text: str, word: str) -> Iterator[str]:
    mark = re.compile(rf"[ \t#>*_]*{re.escape(word)}[ \t]*[0-9]+(?![0-9A-Za-z])(.*)")
    lines = [line if line.kind is not LineKind.CODE else MarkdownLine(LineKind.CODE, "") for line in lines_of(text)]
    starts = [(n, found[1]) for n, line in enumerate(lines) if (found := mark.match(line.text))]
    for (start, rest), (end, _) in pairwise([*starts, (len(lines), "")]):
        part = "\n".join([rest, *(line.text for line in lines[start + 1 : end])])
        if has_letters(part):
            yield part


def _sections_under_headings(lines: list[MarkdownLine]) -> Iterator[str]:
    """Yields each section down to its next heading: one that has only further headings is no section."""
    starts = [n for n, line in enumerate(lines) if line.kind is LineKind.HEADING]
    for start, end in pairwise([*starts, len(lines)]):
        part = "\n".join(line.text for line in lines[start + 1 : end] if line.kind is not LineKind.DIVIDER)
        if has_letters(part):
            yield part


# ---------------------------------------------------------------- spans

_HIGHLIGHT = re.compile(r"(?<!\*)(\*{1,3})(?=[^\s*])([^*]*[^\s*])\1(?!\*)")
_PLACEHOLDER = re.compile(
    r"(?<![!\]A-Za-z0-9_])\[(?P<square>[^\[\]]*)\](?!\(|\[|: ?<?https?:)"
    r"|\{\{(?P<curly>[^{}]*)\}\}|\$\{(?P<shell>[^{}]*)\}"
    r"|<(?P<angle>[A-Za-z]+(?:[ _-][A-Za-z]+)+)>"
    r"|(?<![A-Za-z0-9])(?:TODO|TBD|TBA|FIXME|XXX+)(?![A-Za-z0-9])|(?i:\blorem ipsum\b)"
)
_NO_PLACEHOLDERS = frozenset({"", "x", "sic", "…", "..."})  # between square brackets: of a task list, or of a quotation


def highlights(text: str, _separator: str = "") -> Iterator[str]:
    """Yields the texts between asterisks in one line, outside code."""
    for line in _lines_outside_code(text):
        yield from (span[2] for span in _HIGHLIGHT.finditer(line) if has_letters(span[2]))


def placeholders(text: str, _separator: str = "") -> Iterator[str]:
    """Yields the marks of text that is still to come: [address], {{name}}, ${name}, <your name>, TODO."""
    for line in _lines_outside_code(text):
        yield from (found[0] for found in _PLACEHOLDER.finditer(line) if _is_placeholder(found))


def _is_placeholder(found: re.Match[str]) -> bool:
    """Tells whether a mark has a name: [1], [^note], [ ], [x] and […] mean other things."""
    name = next((name for name in found.groups() if name is not None), None)
    if name is None:
        return True
    name = name.strip()
    return name.lower() not in _NO_PLACEHOLDERS and name[0] not in "^@" and any(map(str.isalpha, name))


def _lines_outside_code(text: str) -> Iterator[str]:
    return (without_code_spans(line.text) for line in lines_of(text) if line.kind is not LineKind.CODE)


# ---------------------------------------------------------------- words

_AROUND = ".,;:!?\"'“”‘’()[]{}*_"
_POSSESSIVE = re.compile(r"['’]s(?=\W*\Z)")


def uppercase_words(text: str, _separator: str = "") -> Iterator[str]:
    """Yields words with capital letters and no small ones. White space and dashes separate words."""
    for piece in re.split(r"\s|[—–]|--+", text):
        if (word := _POSSESSIVE.sub("", piece)).isupper():
            yield word.strip(_AROUND)


Finder = Callable[[str, str], Iterator[str]]

FINDERS: Mapping[int, tuple[str, Finder]] = MappingProxyType(
    {
        plan_pb2.PART_SENTENCE: ("sentences", sentences),
        plan_pb2.PART_PARAGRAPH: ("paragraphs", paragraphs),
        plan_pb2.PART_BULLET: ("bullets", bullets),
        plan_pb2.PART_HEADING: ("headings", headings),
        plan_pb2.PART_SECTION: ("sections", sections),
        plan_pb2.PART_HIGHLIGHT: ("highlights", highlights),
        plan_pb2.PART_PLACEHOLDER: ("placeholders", placeholders),
        plan_pb2.PART_UPPERCASE_WORD: ("upper-case words", uppercase_words),
    }
)
