"""Finds the form that an output format names: JSON, CSV, Markdown, code in a language, …

A form counts when it comes first ("a short Python script"), or after "in", "as", a comma and the like ("the report, as
Markdown"). It does not count when the output is only about it ("an explanation of the Python code").
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


class OutputKind(enum.Enum):
    """The kinds of outputs, by their format."""

    JSON = "JSON"
    JSON_LINES = "JSON Lines"
    YAML = "YAML"
    CSV = "CSV"
    CODE = "code"
    DIFF = "a diff"
    MARKDOWN = "Markdown"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class OutputForm:
    """One form that formats name."""

    kind: OutputKind
    names: str  #: a pattern of its names, in any case
    media_type: str
    fences: frozenset[str]  #: languages of a code fence that may hold it


@dataclass(frozen=True, slots=True)
class Named:
    """The form that a format names, and where."""

    form: OutputForm
    end: int  #: of its name


def _form(kind: OutputKind, names: str, media_type: str, fences: str, endings: str = "") -> OutputForm:
    """Makes a form. `endings` are the endings of its files, by default the same as the fences."""
    files = "|".join((endings or fences).replace("+", r"\+").split())
    return OutputForm(kind, rf"{names}|[\w-]+\.(?:{files})", media_type, frozenset(fences.split()))


TEXT = _form(
    OutputKind.TEXT, r"text/plain|plain[ -]?text|text|prose|txt|纯文本|文本", "text/plain", "text txt plain plaintext"
)
JSON = _form(
    OutputKind.JSON,
    r"application/(?:[\w.-]+\+)?json|text/json|geojson|json-ld|json(?!-(?:like|ish|style))",
    "application/json",
    "json json5 jsonc geojson",
    "json geojson jsonld",
)
JSON_LINES = _form(
    OutputKind.JSON_LINES,
    r"json[ -]?lines|jsonl|nd-?json|(?:newline|line)[ -]delimited json|application/(?:x-)?(?:ndjson|jsonl(?:ines)?)",
    "application/jsonl",
    "jsonl ndjson jsonlines json",
    "jsonl ndjson",
)
#: Must follow names that are also common words: "patch notes" and "a swift reply" name no language.
_AS_CODE = (
    r"(?=\s*(?:$|[,.:;()¤]|(?:code|scripts?|programs?|source|modules?|files?|functions?|class|package|format)\b))"
)
_CODE = (
    (r"python ?3?", "text/x-python", "python py python3"),
    (r"typescript|tsx", "text/x-typescript", "typescript ts tsx"),
    (r"javascript|ecmascript|node\.js|jsx", "text/javascript", "javascript js jsx mjs node"),
    (r"java", "text/x-java", "java"),
    (r"kotlin", "text/x-kotlin", "kotlin kt"),
    (r"c\+\+|cpp", "text/x-c++", "cpp c++ cc cxx"),
    (r"c#|csharp", "text/x-csharp", "csharp c# cs"),
    (rf"rust{_AS_CODE}", "text/x-rust", "rust rs"),
    (rf"golang|go(?! *$){_AS_CODE}", "text/x-go", "go golang"),
    (rf"ruby{_AS_CODE}", "text/x-ruby", "ruby rb"),
    (r"php", "text/x-php", "php"),
    (rf"swift{_AS_CODE}", "text/x-swift", "swift"),
    (r"bash|zsh|(?:posix )?shell script|sh script", "text/x-shellscript", "bash sh shell zsh"),
    (r"powershell", "text/x-powershell", "powershell ps1 pwsh"),
    (r"(?:postgre|my|t-)?sql(?:ite)?", "application/sql", "sql postgresql postgres mysql sqlite"),
    (r"html5?|xhtml", "text/html", "html htm xhtml"),
    (r"s?css", "text/css", "css scss"),
    (r"xml|svg", "application/xml", "xml svg"),
    (r"toml", "application/toml", "toml"),
    (r"latex|tex", "text/x-tex", "latex tex"),
    (r"dockerfile", "text/x-dockerfile", "dockerfile docker"),
    (r"mermaid", "text/x-mermaid", "mermaid"),
    (r"graphql", "application/graphql", "graphql gql"),
    (r"protobuf|proto3", "text/x-protobuf", "protobuf proto"),
)

FORMS: tuple[OutputForm, ...] = (
    JSON_LINES,
    JSON,
    _form(OutputKind.YAML, r"(?:application|text)/(?:x-)?yaml|yaml|yml", "application/yaml", "yaml yml"),
    _form(
        OutputKind.CSV,
        r"text/tab-separated-values|tsv|tab[ -](?:separated|delimited)(?: values)?",
        "text/tab-separated-values",
        "tsv",
    ),
    _form(OutputKind.CSV, r"text/csv|csv|comma[ -]separated values", "text/csv", "csv"),
    _form(
        OutputKind.DIFF,
        rf"(?:unified|git) (?:diff|patch)|(?:diff|patch){_AS_CODE}|text/x-(?:diff|patch)",
        "text/x-diff",
        "diff patch udiff",
    ),
    _form(
        OutputKind.MARKDOWN,
        r"text/(?:x-)?markdown|(?:(?:github|gitlab)[ -]flavou?red |gfm )?markdown|md|gfm",
        "text/markdown",
        "markdown md gfm",
    ),
    *(_form(OutputKind.CODE, *code) for code in _CODE),
    TEXT,
)

#: Not inside another word: "JSON5", "jsonify" and "context" name none of them.
_NAME = re.compile(
    "|".join(rf"(?P<f{n}>(?<![a-z0-9_./+-])(?:{form.names})(?![a-z0-9_+#]))" for n, form in enumerate(FORMS)),
    re.IGNORECASE | re.ASCII,
)
_BY_GROUP: Mapping[str, OutputForm] = MappingProxyType({f"f{n}": form for n, form in enumerate(FORMS)})

_NOT = re.compile(
    r"(?:\b(?:no|not|non|without|never|instead of|rather than|nor|avoid)\b[ -]*(?:an? |any |in |as )*|不要?是?|非|无)$",
    re.I,
)
_BEHIND = re.compile(
    r"(?:(?:\b(?:in|as|into|via|format)|[,:;=(])\s*(?:an? |the |valid |one )*|[以用为，：（]\s*)$",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:of|about|on|for|from|how|that|which|to|with|using|describ\w+|explain\w+|contain\w+|includ\w+|parsed?|read)\b"
    r"|[.!?。]|包含|关于|介绍|说明",
    re.IGNORECASE,
)
_MOST_WORDS_BEFORE = 6
_MOST_BEFORE = 60  # characters before a mention that may rule it out, or say that it is the form
_OR = re.compile(r"\b(?:or|and/or)\b|或|/", re.IGNORECASE)
_SECOND = re.compile(r"\bor\b|或", re.IGNORECASE)  # before the first form: the other one has no name that is known
#: Words for outputs that hold more than prose, without naming one of the forms.
_NO_PROSE = re.compile(
    r"\b(?:la ?tex|shell|rust|ruby|swift|perl|go code|code|source|script|notebook|program|makefile|pdf|docx?|xlsx?"
    r"|pptx?|diff|patch)(?![A-Za-z])|代码|程序|脚本|表格",
    re.IGNORECASE,
)
_EACH_LINE = re.compile(r"\b(?:per|each|every|on (?:its|their) own) line|\bone line each|每行|逐行", re.IGNORECASE)
_SAYS_JSON = re.compile(r"json", re.IGNORECASE)


def named_form(words: str) -> tuple[Named | None, str]:
    """Returns the form that a format names, and why it promises no JSON although it speaks of it; empty otherwise.

    `words` is the format without its shape.
    """
    found = [Named(_BY_GROUP[str(match.lastgroup)], match.end()) for match in _mentions(words)]
    starts = [match.start() for match in _mentions(words)]
    says_json = bool(_SAYS_JSON.search(_without_negated(words)))
    if not found:
        return None, "it is not plain which form it means" if says_json else ""
    first = found[0]
    if first.form is TEXT and len(found) > 1 and _is_behind(words, starts[1]):
        first, starts, found = found[1], starts[1:], found[1:]
    others = [other for other in found[1:] if other.form is not first.form]
    is_second = bool(_SECOND.search(words[: starts[0]]))
    if is_second or (others and _is_either(words[first.end : starts[found.index(others[0])]])):
        return None, "it names several forms" if says_json else ""
    if not _stands_for_all(words, starts[0]):
        return None, "it is about JSON, or holds some" if says_json else ""
    if first.form is JSON and _EACH_LINE.search(words):
        return Named(JSON_LINES, first.end), ""
    holds_json = any(other.form in (JSON, JSON_LINES) for other in others)
    is_told = first.form.kind not in (OutputKind.JSON, OutputKind.JSON_LINES, OutputKind.CODE) and holds_json
    return first, f"it is read as {first.form.kind.value}, and the JSON in it is not checked" if is_told else ""


def speaks_of_more_than_prose(words: str) -> bool:
    """Tells whether a format names, anywhere, an output that holds more than prose, such as code or a table."""
    named = (_BY_GROUP[str(match.lastgroup)].kind for match in _NAME.finditer(words))
    return any(kind not in (OutputKind.TEXT, OutputKind.MARKDOWN) for kind in named) or bool(_NO_PROSE.search(words))


def _mentions(words: str) -> Iterator[re.Match[str]]:
    return (match for match in _NAME.finditer(words) if not _ends_with(_NOT, words, match.start()))


def _without_negated(words: str) -> str:
    """Returns the words without the names of forms that they rule out, as in "not JSON"."""
    negated = [match.span() for match in _NAME.finditer(words) if _ends_with(_NOT, words, match.start())]
    for start, end in reversed(negated):
        words = words[:start] + words[end:]
    return words


def _is_behind(words: str, start: int) -> bool:
    return _ends_with(_BEHIND, words, start)


def _ends_with(pattern: re.Pattern[str], words: str, end: int) -> bool:
    """Tells whether a pattern with a $ matches just before `end`. It sees only so much: each mention is asked about."""
    # guard: a mention is asked about what stands just before it -> return bool(pattern.search(words, 0, end))
    return bool(pattern.search(words, max(0, end - _MOST_BEFORE), end))


def _stands_for_all(words: str, start: int) -> bool:
    before = words[:start]
    few = len(before.split()) <= _MOST_WORDS_BEFORE
    return _is_behind(words, start) or (few and not _ABOUT.search(before))


def _is_either(between: str) -> bool:
    """Tells whether the words between two forms leave the choice open, as "or" does."""
    return bool(_OR.search(between)) and not _ABOUT.search(between)
