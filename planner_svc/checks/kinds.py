"""The kinds of check that a plan can have, as frozen values; those that look at files are in file_kinds.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from planner_svc.checks.base import BaseCheck
from planner_svc.checks.file_kinds import FileCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonCheck(BaseCheck):
    """The candidate parses as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchemaCheck(BaseCheck):
    """The candidate is JSON and satisfies a JSON Schema."""

    schema_json: str
    lines: bool = False  #: it is JSON Lines, and each line satisfies the schema
    from_format: bool = False  #: it was made from the shape in the output's format

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.schema_json,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredKeysCheck(BaseCheck):
    """The candidate is a JSON object with at least these keys; "a.b" is key b of the object under key a."""

    keys: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return self.keys


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexCheck(BaseCheck):
    """The candidate matches somewhere, or nowhere when `absent`."""

    pattern: str
    absent: bool

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.pattern,)


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthCheck(BaseCheck):
    """The candidate's length in characters; both bounds are inclusive."""

    min_chars: int
    max_chars: int | None
    visible: bool = False  #: white space does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCheck(BaseCheck):
    """The number of entries of the array or object at `path`; an empty path: of the candidate. Bounds are inclusive."""

    path: str
    min_items: int
    max_items: int | None

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.path,)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsCheck(BaseCheck):
    """The candidate's length in words; both bounds are inclusive."""

    min_words: int
    max_words: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCheck(BaseCheck):
    """The language that the candidate is written in, as in ISO 639-1."""

    code: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.code,)


class SourceMark(Enum):
    """How a text marks a source, as plan.json names it."""

    URL = "urls"
    DOI = "dois"
    NUMBER = "numbers"
    FOOTNOTE = "footnotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationsCheck(BaseCheck):
    """The candidate names at least so many sources."""

    min_citations: int
    marks: tuple[SourceMark, ...] = ()  #: the marks that count; none: all but footnotes with a name


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCheck(BaseCheck):
    """A program that exits with 0."""

    argv: tuple[str, ...]
    timeout: timedelta | None

    @property
    def texts(self) -> tuple[str, ...]:
        return self.argv


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCheck(BaseCheck):
    """A function in the app of a validator that passes the candidate."""

    name: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.name,)


class CountedPart(Enum):
    """The parts of a text that a PartsCheck counts, as plan.json names them."""

    SENTENCE = "sentences"
    PARAGRAPH = "paragraphs"
    BULLET = "bullets"
    HEADING = "headings"
    SECTION = "sections"
    HIGHLIGHT = "highlights"
    PLACEHOLDER = "placeholders"
    UPPERCASE_WORD = "uppercase_words"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsCheck(BaseCheck):
    """The number of parts of one kind that the candidate has; both bounds are inclusive."""

    part: CountedPart
    min_parts: int
    max_parts: int | None
    separator: str = ""  #: of paragraphs, the line between them; of sections, the word before their number
    distinct: bool = False  #: no two of them are the same text

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.separator,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainsCheck(BaseCheck):
    """The number of times that each phrase occurs in the candidate; both bounds are inclusive."""

    phrases: tuple[str, ...]
    min_occurrences: int
    max_occurrences: int | None
    any: bool = False  #: one of the phrases is enough
    whole_words: bool = False
    case_sensitive: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return self.phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsWithCheck(BaseCheck):
    """The candidate, or its paragraph of a number from 1, begins with a phrase."""

    phrase: str
    paragraph: int = 0
    whole_words: bool = False
    case_sensitive: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.phrase,)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndsWithCheck(BaseCheck):
    """The candidate ends with a phrase."""

    phrase: str
    whole_words: bool = False
    case_sensitive: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.phrase,)


@dataclass(frozen=True, slots=True, kw_only=True)
class UppercaseCheck(BaseCheck):
    """All letters of the candidate are capital."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LowercaseCheck(BaseCheck):
    """All letters of the candidate are small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCheck(BaseCheck):
    """The number at `path`; an empty path: the candidate itself. Bounds are inclusive."""

    path: str
    min: float | None
    max: float | None

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.path,)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedCheck(BaseCheck):
    """One pair of quotation marks encloses the whole candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleCheck(BaseCheck):
    """The candidate has a title between << and >>."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostscriptCheck(BaseCheck):
    """A line after the text begins with the marker."""

    marker: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.marker,)


Check = (
    JsonCheck
    | JsonSchemaCheck
    | RequiredKeysCheck
    | RegexCheck
    | LengthCheck
    | CountCheck
    | WordsCheck
    | LanguageCheck
    | CitationsCheck
    | CommandCheck
    | FunctionCheck
    | PartsCheck
    | ContainsCheck
    | StartsWithCheck
    | EndsWithCheck
    | UppercaseCheck
    | LowercaseCheck
    | NumberCheck
    | QuotedCheck
    | TitleCheck
    | PostscriptCheck
    | FileCheck
)
