"""The plan as frozen values: what plan.json says, read and typed, before anything is concluded from it.

What a plan has millions of is a NamedTuple: making one takes 0.4 us, a frozen dataclass 1.8 us.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import NamedTuple

Labels = tuple[tuple[str, str], ...]  #: names and texts, in the order of the names


@dataclass(frozen=True, slots=True, kw_only=True)
class ByCode:
    """What all checks have."""

    criterion: int = 0  #: number, from 1, of the criterion in words that it was made from; 0: the plan has it itself

    @property
    def texts(self) -> tuple[str, ...]:
        """What goes on the wire with it."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonCheck(ByCode):
    """The candidate parses as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchemaCheck(ByCode):
    """The candidate is JSON and satisfies a JSON Schema."""

    schema_json: str
    lines: bool = False  #: it is JSON Lines, and each line satisfies the schema
    from_format: bool = False  #: it was made from the shape in the output's format

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.schema_json,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredKeysCheck(ByCode):
    """The candidate is a JSON object with at least these keys; "a.b" is key b of the object under key a."""

    keys: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return self.keys


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexCheck(ByCode):
    """The candidate matches somewhere, or nowhere when `absent`."""

    pattern: str
    absent: bool

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.pattern,)


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthCheck(ByCode):
    """The candidate's length in characters; both bounds are inclusive."""

    min_chars: int
    max_chars: int | None
    visible: bool = False  #: white space does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCheck(ByCode):
    """How many entries the array or object at `path` has, the candidate itself when it is empty; inclusive bounds."""

    path: str
    min_items: int
    max_items: int | None

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.path,)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsCheck(ByCode):
    """The candidate's length in words; both bounds are inclusive."""

    min_words: int
    max_words: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCheck(ByCode):
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
class CitationsCheck(ByCode):
    """The candidate names at least so many sources."""

    min_citations: int
    marks: tuple[SourceMark, ...] = ()  #: those that count; none: all but footnotes with a name


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCheck(ByCode):
    """A program that exits with 0."""

    argv: tuple[str, ...]
    timeout: timedelta | None

    @property
    def texts(self) -> tuple[str, ...]:
        return self.argv


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCheck(ByCode):
    """A function in the app of a validator that passes the candidate."""

    name: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.name,)


class CountedPart(Enum):
    """What a PartsCheck counts, as plan.json names it."""

    SENTENCE = "sentences"
    PARAGRAPH = "paragraphs"
    BULLET = "bullets"
    HEADING = "headings"
    SECTION = "sections"
    HIGHLIGHT = "highlights"
    PLACEHOLDER = "placeholders"
    UPPERCASE_WORD = "uppercase_words"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsCheck(ByCode):
    """How many parts of one kind the candidate has; both bounds are inclusive."""

    part: CountedPart
    min_parts: int
    max_parts: int | None
    separator: str = ""  #: of paragraphs, the line between them; of sections, the word before their number
    distinct: bool = False  #: no two of them are the same text

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.separator,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainsCheck(ByCode):
    """How often each phrase occurs in the candidate; both bounds are inclusive."""

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
class StartsWithCheck(ByCode):
    """The candidate, or the paragraph of a number from 1, begins with a phrase."""

    phrase: str
    paragraph: int = 0
    whole_words: bool = False
    case_sensitive: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.phrase,)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndsWithCheck(ByCode):
    """The candidate ends with a phrase."""

    phrase: str
    whole_words: bool = False
    case_sensitive: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.phrase,)


@dataclass(frozen=True, slots=True, kw_only=True)
class UppercaseCheck(ByCode):
    """All letters of the candidate are capital."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LowercaseCheck(ByCode):
    """All letters of the candidate are small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCheck(ByCode):
    """The number at `path`, the candidate itself when it is empty; inclusive bounds."""

    path: str
    min: float | None
    max: float | None

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.path,)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedCheck(ByCode):
    """One pair of quotation marks encloses the whole candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleCheck(ByCode):
    """The candidate has a title between << and >>."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostscriptCheck(ByCode):
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
)


class TaskInput(NamedTuple):
    """What a task reads."""

    description: str = ""
    artifacts: tuple[str, ...] = ()  #: names of what it reads; none: it receives what its dependencies made
    parameters_json: str = ""  #: the plan's parameters as JSON text; empty when there are none
    with_dependencies: bool = False  #: it receives what its dependencies made besides the artifacts it names


class TaskOutput(NamedTuple):
    """What a task makes."""

    description: str = ""
    artifact: str = ""  #: the name other tasks read it by
    format: str = ""


class JudgeSpec(NamedTuple):
    """Who judges the criteria, and how often."""

    model: str = ""  #: empty: the one the validator has
    labels: Labels = ()  #: what those of the validator must contain
    votes: int = 0  #: how often the judge is asked; 0: once
    needed: int = 0  #: votes that must pass a criterion; 0: just more than half


class Canary(NamedTuple):
    """A candidate that is known to be good or bad: validators are measured by what they say of it."""

    candidate: str  #: its whole text
    good: bool


class Validation(NamedTuple):
    """What a candidate must satisfy."""

    description: str = ""
    criteria: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()  #: the plan's own, then those made from the format and from criteria
    judge: JudgeSpec | None = None
    human: bool = False  #: what passes everything else waits for a person's verdict
    canaries: tuple[Canary, ...] = ()


class CommandSpec(NamedTuple):
    """A program that is run, without a shell."""

    argv: tuple[str, ...]
    memory_bytes: int = 0  #: of each of its processes; 0: as the worker has it


class ExecutorSpec(NamedTuple):
    """Who executes a task, and how. What is empty or None is as the worker or the execution has it."""

    name: str = ""  #: "model", "command", or a function of a worker's app; empty: one of the first two
    labels: Labels = ()  #: what those of the worker must contain
    model: str = ""
    escalation: tuple[str, ...] = ()  #: models after the first, second, … failure
    run_timeout: timedelta | None = None
    idle_timeout: timedelta | None = None
    outage_patience: timedelta | None = None  #: for a model that is away
    max_failures: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    command: CommandSpec | None = None


class Budget(NamedTuple):
    """What may be spent; None: no bound."""

    tokens: int | None = None  #: input and output tokens together
    cost_nanos: int | None = None  #: in billionths of the currency of the runner's price table


class OnFailure(Enum):
    """Says what becomes of the rest when a task fails for good; the values are those of plan.json."""

    CONTINUE = "continue"  #: what does not depend on it goes on
    STOP = "stop"  #: the execution fails at once


class Task(NamedTuple):
    """One entry of the plan's `tasks`."""

    task_id: str
    description: str = ""
    dependencies: tuple[str, ...] = ()
    parent_id: str = ""  #: as the plan gives it; empty: the id's shape decides
    input: TaskInput | None = None
    output: TaskOutput | None = None
    validation: Validation | None = None
    position: int = 0  #: index in the plan's `tasks`
    executor: ExecutorSpec | None = None
    budget: Budget | None = None  #: of all its attempts, or of all tasks below it
    on_failure: OnFailure | None = None  #: when it fails for good; None: as the plan says

    @property
    def is_atomic(self) -> bool:
        """One unit of work: it says both what it reads and what it makes."""
        return self.input is not None and self.output is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    idea: str
    tasks: tuple[Task, ...]
    on_failure: OnFailure | None = None  #: when a task fails for good that does not say so itself
