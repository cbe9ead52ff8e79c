"""The objects of plan.json, and the fields of each: the one table that reading goes by.

A reader asks for no field that stands nowhere here, and every field that stands here is read: the tests of field names
hold both. What else a plan has is judged by this table: `field_names.py` says how.

    fields     what is read, and the level of the objects that lie under it
    synonyms   what others call a field: an error that names the right one, or that says where it belongs
    foreign    what plans from elsewhere have besides, and what changes nothing here: accepted. A synonym that is also
               listed here is accepted beside the right field
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from planner_svc.read.spelling import closest, folded

FREE = ("_", "x-", "X-", "$")  # a field whose name begins so is the writer's own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Level:
    """One kind of object in a plan."""

    what: str  #: in a sentence
    fields: Mapping[str, Level | None]
    synonyms: Mapping[str, str] = field(default_factory=dict)  #: by the folded name
    foreign: frozenset[str] = frozenset()
    is_closed: bool = False  #: any other field is an error, and not only ignored: a limit with a typo would be none
    kinds: Mapping[str, Level] = field(default_factory=dict)  #: by the object's `type`, when it has several forms

    def right_names(self, name: str) -> tuple[str, ...]:
        """Returns what a name was to be: a field, or where it belongs. Nothing when it is near to none."""
        return _right_names(self, name)

    @property
    def plain(self) -> frozenset[str]:
        """The names that may stand in an object whatever else does."""
        return _plain(self)

    @property
    def below(self) -> tuple[tuple[str, Level], ...]:
        """The fields under which objects of another level lie."""
        return _below(self)

    def accepts(self, name: str, raw: Mapping[str, Any]) -> bool:
        """Tells whether a name that is none of the fields may stand in an object all the same."""
        if name.startswith(FREE):
            return True
        return folded(name) in _foreign(self) and self.synonyms.get(folded(name), name) not in self.fields.keys() - raw


@lru_cache(maxsize=4096)
def _right_names(level: Level, name: str) -> tuple[str, ...]:
    said = level.synonyms.get(folded(name))
    if said is not None:
        return (said,)
    return closest(name, level.fields) or tuple(_places_below(level, name))


def _places_below(level: Level, name: str) -> Iterator[str]:
    """Yields where a field belongs that stands one object too high, such as `criteria` beside `validation`."""
    for above, below in level.fields.items():
        if below is not None and not below.kinds and name in below.fields:
            yield f"{above}.{name}"


@lru_cache(maxsize=256)
def _plain(level: Level) -> frozenset[str]:
    return frozenset(level.fields) | {name for name in level.foreign if not level.right_names(name)}


@lru_cache(maxsize=256)
def _below(level: Level) -> tuple[tuple[str, Level], ...]:
    return tuple((name, below) for name, below in level.fields.items() if below is not None)


@lru_cache(maxsize=256)
def _foreign(level: Level) -> frozenset[str]:
    return frozenset(map(folded, level.foreign))


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _fields(text: str, **levels: Level) -> Mapping[str, Level | None]:
    return MappingProxyType({name: levels.get(name) for name in text.split()})


def _synonyms(**texts: str) -> Mapping[str, str]:
    """By the folded name, from each right name with its synonyms."""
    return _said(texts)


def _said(texts: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({folded(name): right for right, text in texts.items() for name in text.split()})


_REMARKS = _names("title comment comments note notes metadata meta")

# ---------------------------------------------------------------- who does it, and what it may cost

COMMAND = Level(
    what="a command",
    fields=_fields("argv memory_mib"),
    synonyms=_synonyms(
        argv="args arguments cmd command program run", memory_mib="memory memory_mb memory_limit max_memory"
    ),
    is_closed=True,
)
EXECUTOR = Level(
    what="an executor",
    fields=_fields(
        "name labels model escalation run_timeout idle_timeout outage_patience max_failures temperature max_tokens "
        "command",
        command=COMMAND,
    ),
    synonyms=_synonyms(
        name="type kind handler function agent tool",
        labels="tags selector",
        model="llm model_name",
        escalation="fallback fallbacks fallback_models",
        run_timeout="timeout timeout_seconds max_seconds deadline",
        max_failures="retries max_retries attempts max_attempts",
        max_tokens="max_output_tokens max_completion_tokens token_limit",
        command="cmd program run",
    ),
    is_closed=True,
)
BUDGET = Level(
    what="a budget",
    fields=_fields("tokens cost"),
    synonyms=_synonyms(tokens="max_tokens token_limit total_tokens", cost="max_cost usd dollars price money"),
    is_closed=True,
)

# ---------------------------------------------------------------- when it is good

JUDGE = Level(
    what="a judge",
    fields=_fields("model labels votes needed"),
    synonyms=_synonyms(
        model="llm model_name",
        labels="tags",
        votes="count samples judges",
        needed="threshold quorum min_votes majority",
    ),
    is_closed=True,
)
CANARY = Level(
    what="a canary",
    fields=_fields("candidate good"),
    synonyms=_synonyms(
        candidate="text content output answer body", good="is_good pass passes valid expected expect label"
    ),
    is_closed=True,
)


def _check(kind: str, fields: str = "", *, is_closed: bool = False, **synonyms: str) -> Level:
    return Level(
        what=f"a check of type {kind}",
        fields=_fields(f"type {fields}"),
        synonyms=_synonyms(**synonyms),
        foreign=_REMARKS | _names("id description criterion reason severity"),
        is_closed=is_closed,
    )


def _counted(kind: str, separator: str = "") -> Level:
    """A check that counts parts of a text; `separator` is a field of those that may be separated in another way."""
    return _check(
        kind,
        f"min_{kind} max_{kind} distinct {separator}",
        is_closed=True,
        **{
            f"min_{kind}": "min minimum min_count min_items at_least",
            f"max_{kind}": "max maximum max_count max_items at_most limit",
            "distinct": "unique",
            **({separator: "splitter divider delimiter"} if separator else {}),
        },
    )


_COMPARISON = "whole_words case_sensitive"
_COMPARED = MappingProxyType({"whole_words": "whole_word words_only", "case_sensitive": "case exact match_case"})


CHECKS: Mapping[str, Level] = MappingProxyType(
    {
        "json": _check("json"),
        "json_schema": _check(
            "json_schema", "schema lines", schema="json_schema jsonschema", lines="json_lines jsonl per_line"
        ),
        "required_keys": _check("required_keys", "keys", keys="required required_keys fields properties names"),
        "regex": _check(
            "regex",
            "pattern absent",
            pattern="regex regexp expression match",
            absent="not negate negated invert inverted must_not_match",
        ),
        "length": _check(
            "length",
            "min_chars max_chars visible",
            min_chars="min minimum min_length min_characters at_least",
            max_chars="max maximum max_length max_characters at_most limit",
            visible="without_spaces no_spaces ignore_spaces ignore_whitespace",
        ),
        "count": _check(
            "count",
            "path min_items max_items",
            path="field key pointer",
            min_items="min minimum min_count at_least",
            max_items="max maximum max_count at_most limit",
        ),
        "words": _check(
            "words",
            "min_words max_words",
            min_words="min minimum min_count min_length at_least",
            max_words="max maximum max_count max_length at_most limit",
        ),
        "language": _check("language", "code", code="language lang iso locale"),
        "citations": _check(
            "citations",
            "min_citations marks",
            min_citations="min minimum count min_count min_sources sources at_least",
            marks="mark styles style kinds",
        ),
        "command": _check(
            "command",
            "argv timeout",
            argv="command cmd args arguments program run",
            timeout="timeout_seconds run_timeout max_seconds",
        ),
        "function": _check("function", "name", name="function func handler callable"),
        **{
            kind: _counted(kind)
            for kind in (*("sentences", "bullets", "headings", "highlights", "placeholders", "uppercase_words"),)
        },
        **{kind: _counted(kind, "separator") for kind in ("paragraphs", "sections")},
        "contains": _check(
            "contains",
            f"phrases min_occurrences max_occurrences any {_COMPARISON}",
            is_closed=True,
            phrases="phrase text texts keywords keyword words values value",
            min_occurrences="min minimum min_count at_least",
            max_occurrences="max maximum max_count at_most limit",
            **_COMPARED,
        ),
        "starts_with": _check(
            "starts_with",
            f"phrase paragraph {_COMPARISON}",
            is_closed=True,
            phrase="text prefix value with",
            **_COMPARED,
        ),
        "ends_with": _check(
            "ends_with", f"phrase {_COMPARISON}", is_closed=True, phrase="text suffix value with", **_COMPARED
        ),
        "uppercase": _check("uppercase", is_closed=True),
        "lowercase": _check("lowercase", is_closed=True),
        "number": _check(
            "number",
            "path min max direction threshold",
            is_closed=True,
            path="field key pointer",
            min="minimum at_least least",
            max="maximum at_most most limit",
            direction="goal objective",
            threshold="target",
        ),
        "quoted": _check("quoted", is_closed=True),
        "title": _check("title", is_closed=True),
        "postscript": _check("postscript", "marker", is_closed=True, marker="text prefix"),
    }
)
CHECK = Level(what="a check", fields=_fields("type"), synonyms=_synonyms(type="kind check check_type"), kinds=CHECKS)

VALIDATION = Level(
    what="a validation",
    fields=_fields(
        "description criteria checks worded_checks judge human canaries", judge=JUDGE, checks=CHECK, canaries=CANARY
    ),
    synonyms=_synonyms(
        criteria="acceptance_criteria success_criteria requirements rules rubric criterions",
        checks="tests validators assertions",
        judge="reviewer evaluator grader",
        human="human_review approval needs_approval manual",
    ),
    foreign=_REMARKS | _names("optional_checks optionalChecks id name type status required passed"),
)

# ---------------------------------------------------------------- what is read and made

INPUT = Level(
    what="an input",
    fields=_fields("description artifacts parameters"),
    synonyms=_synonyms(artifacts="reads artifact_names", parameters="params args arguments kwargs variables"),
    foreign=_REMARKS | _names("id name type required optional example examples"),
)
OUTPUT = Level(
    what="an output",
    fields=_fields("description artifact format"),
    synonyms=_said(
        {
            "artifact": "name artifact_name produces",
            "format": "content_type mime_type media_type",
            "a check of type json_schema under validation": "schema json_schema",
        }
    ),
    foreign=_REMARKS | _names("id name type required optional example examples"),
)

# ---------------------------------------------------------------- tasks, and the plan

_OWN_TASKS = "tasks of their own under tasks, each with this one's id as its parent_id"
_PEOPLE = "assignee assignees owner owners author reporter team"
_TRACKED = (
    "stage status state priority type kind category tags labels level depth order index number project milestone "
    "epic epic_id sprint estimate estimated_hours story_points points effort complexity progress completed done passes "
    "resolved "
    "created created_at updated updated_at due due_date start start_date end end_date started_at finished_at closed_at "
    "url link links issue_type position color icon version rationale reasoning optional_checks optionalChecks"
)
_WHEN_IT_FAILS = (
    "on_error if_fails when_failed failure_policy failure_mode continue_on_error continue_on_failure fail_fast"
)
TASK = Level(
    what="a task",
    fields=_fields(
        "task_id description dependencies parent_id input output validation executor budget on_failure",
        input=INPUT,
        output=OUTPUT,
        validation=VALIDATION,
        executor=EXECUTOR,
        budget=BUDGET,
    ),
    synonyms=_said(
        {
            "task_id": "id key identifier uid uuid name task_name",
            "description": "desc details instructions instruction prompt objective goal summary content body text task",
            "dependencies": "depends_on depends dependency deps requires require needs prerequisites prereqs after "
            "blocked_by blockers predecessors upstream waits_for wait_for waiting_for dependencies_ids dependency_ids",
            "parent_id": "parent parent_task parent_task_id part_of belongs_to group_id",
            "input": "in reads consumes",
            "output": "out produces makes deliverable deliverables",
            "output.description": "expected_output",
            "validation": "validate verification acceptance",
            "validation.criteria": "acceptance_criteria success_criteria definition_of_done criterion",
            "validation.checks": "check",
            "executor": "worker executed_by",
            "executor.run_timeout": "timeout timeout_seconds",
            "executor.max_failures": "retries max_retries max_attempts",
            "on_failure": _WHEN_IT_FAILS,
            _OWN_TASKS: "subtasks sub_tasks children",
        }
    ),
    foreign=_REMARKS
    | _names(_PEOPLE)
    | _names(_TRACKED)
    | _names("id key identifier uid uuid name task_name details summary objective goal"),
)
PLAN = Level(
    what="a plan",
    fields=_fields("idea tasks on_failure"),
    synonyms=_said(
        {
            "idea": "goal objective topic mission",
            "tasks": "task_list steps nodes issues stories user_stories todos jobs work_items",
            "the dependencies of each task": "edges dependencies",
            "on_failure": _WHEN_IT_FAILS,
        }
    ),
    foreign=_REMARKS
    | _names("goal objective topic id plan_id name project description summary version schema_version author authors")
    | _names("created created_at updated updated_at status state stage stages tags labels language license model"),
)


def levels_of(level: Level = TASK) -> Iterator[Level]:
    """Yields a level and all below it, each once; the forms of an object one by one."""
    yield from level.kinds.values() or (level,)
    for below in level.fields.values():
        if below is not None:
            yield from levels_of(below)
