"""The vocabulary of plan.json: every object and the names in it, as one table.

Readers ask only for fields of this table, and every field of it is read: the tests of field names hold both.
`field_names.py` decides by this table about every other name in a plan.

    fields     the names that are read, each with the type of the objects under it
    synonyms   other names for a field: an error that names the right one, or the place where it belongs
    foreign    names in plans of other tools that mean nothing here: accepted. A synonym that is also listed here is
               accepted beside the right field
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from planner_svc.read.object_types import ObjectType
from planner_svc.read.spelling import folded


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _fields(text: str, **below: ObjectType) -> Mapping[str, ObjectType | None]:
    return MappingProxyType({name: below.get(name) for name in text.split()})


def _synonyms(**texts: str) -> Mapping[str, str]:
    """Makes the table of synonyms from each right name with its synonyms."""
    return _synonyms_of(texts)


def _synonyms_of(texts: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({folded(name): right for right, text in texts.items() for name in text.split()})


_REMARKS = _names("title comment comments note notes metadata meta")

# ---------------------------------------------------------------- executors and budgets

COMMAND = ObjectType(
    what="a command",
    fields=_fields("argv memory_mib"),
    synonyms=_synonyms(
        argv="args arguments cmd command program run", memory_mib="memory memory_mb memory_limit max_memory"
    ),
    is_closed=True,
)
EXECUTOR = ObjectType(
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
BUDGET = ObjectType(
    what="a budget",
    fields=_fields("tokens cost"),
    synonyms=_synonyms(tokens="max_tokens token_limit total_tokens", cost="max_cost usd dollars price money"),
    is_closed=True,
)

# ---------------------------------------------------------------- validation

JUDGE = ObjectType(
    what="a judge",
    fields=_fields("model labels votes needed images"),
    synonyms=_synonyms(
        model="llm model_name",
        labels="tags",
        votes="count samples judges",
        needed="threshold quorum min_votes majority",
        images="image pictures picture vision multimodal",
    ),
    is_closed=True,
)
CANARY = ObjectType(
    what="a canary",
    fields=_fields("candidate good"),
    synonyms=_synonyms(
        candidate="text content output answer body", good="is_good pass passes valid expected expect label"
    ),
    is_closed=True,
)


_FILE = "filename filepath file_of path_of_file entry"  # names that others have for `file`


def _check(kind: str, fields: str = "", *, is_closed: bool = False, **synonyms: str) -> ObjectType:
    """Makes a check that looks at bytes: at the main file of a candidate, or at the `file` that it names."""
    return _check_of_all(kind, f"{fields} file", {"file": _FILE, **synonyms}, is_closed=is_closed)


def _check_of_all(
    kind: str, fields: str, synonyms: Mapping[str, str], *, is_closed: bool = False, **below: ObjectType
) -> ObjectType:
    """Makes a check that has no `file`: it looks at all files of a candidate."""
    return ObjectType(
        what=f"a check of type {kind}",
        fields=_fields(f"type {fields}", **below),
        synonyms=_synonyms_of(synonyms),
        foreign=_REMARKS | _names("id description criterion reason severity"),
        is_closed=is_closed,
    )


def _counted(kind: str, separator: str = "") -> ObjectType:
    """Makes a check that counts parts of a text; `separator` is a field when the parts may be separated otherwise."""
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


COLUMN = ObjectType(
    what="a column",
    fields=_fields("name type may_be_empty unique min max sum"),
    synonyms=_synonyms(
        name="column header key title",
        type="kind dtype datatype format",
        may_be_empty="nullable optional allow_empty empty null missing",
        unique="distinct is_unique",
        min="minimum at_least least",
        max="maximum at_most most limit",
        sum="total",
    ),
    foreign=_names("description comment note notes"),
    is_closed=True,
)
_TABLE = _check_of_all(
    "table",
    "columns only_these min_rows max_rows file",
    {
        "file": _FILE,
        "columns": "column fields header",
        "only_these": "exact strict no_others no_other_columns",
        "min_rows": "min minimum min_count at_least",
        "max_rows": "max maximum max_count at_most limit",
    },
    is_closed=True,
    columns=COLUMN,
)


CHECKS: Mapping[str, ObjectType] = MappingProxyType(
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
        "command": _check_of_all(
            "command",
            "argv timeout",
            {
                "argv": "command cmd args arguments program run",
                "timeout": "timeout_seconds run_timeout max_seconds",
                "{candidate} in argv, the folder with all files": "file",
            },
        ),
        "function": _check_of_all(
            "function",
            "name",
            {
                "name": "function func handler callable",
                "files that the function chooses itself, for it gets all": "file",
            },
        ),
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
        "required_files": _check_of_all(
            "required_files", "files", {"files": "file paths path names patterns required"}, is_closed=True
        ),
        "file_size": _check(
            "file_size",
            "min_bytes max_bytes",
            is_closed=True,
            min_bytes="min minimum min_size at_least",
            max_bytes="max maximum max_size at_most limit",
        ),
        "media_type": _check(
            "media_type", "types", is_closed=True, types="media_type media_types mime mime_type content_type kind"
        ),
        "image": _check(
            "image",
            "min_width max_width min_height max_height may_be_blank",
            is_closed=True,
            may_be_blank="blank allow_blank can_be_blank",
        ),
        "table": _TABLE,
        "archive_safe": _check(
            "archive_safe",
            "max_members max_unpacked_bytes",
            is_closed=True,
            max_members="max_files max_entries members",
            max_unpacked_bytes="max_bytes max_size unpacked_bytes max_unpacked",
        ),
    }
)
CHECK = ObjectType(
    what="a check", fields=_fields("type"), synonyms=_synonyms(type="kind check check_type"), kinds=CHECKS
)

VALIDATION = ObjectType(
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

# ---------------------------------------------------------------- inputs and outputs

INPUT = ObjectType(
    what="an input",
    fields=_fields("description artifacts parameters"),
    synonyms=_synonyms(artifacts="reads artifact_names", parameters="params args arguments kwargs variables"),
    foreign=_REMARKS | _names("id name type required optional example examples"),
)
OUTPUT = ObjectType(
    what="an output",
    fields=_fields("description artifact format files"),
    synonyms=_synonyms_of(
        {
            "files": "file paths patterns filenames file_names",
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
TASK = ObjectType(
    what="a task",
    fields=_fields(
        "task_id description dependencies parent_id input output validation executor budget on_failure",
        input=INPUT,
        output=OUTPUT,
        validation=VALIDATION,
        executor=EXECUTOR,
        budget=BUDGET,
    ),
    synonyms=_synonyms_of(
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
#: Under `inputs` of the plan, by a name of the author's own.
PLAN_INPUT = ObjectType(
    what="an input of the plan",
    fields=_fields("file folder text json description"),
    synonyms=_synonyms(
        file="path files glob", folder="directory dir", text="string value", json="object data", description="desc"
    ),
    is_closed=True,
)
PLAN = ObjectType(
    what="a plan",
    fields=_fields("idea tasks on_failure inputs"),
    synonyms=_synonyms_of(
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


def object_types_below(object_type: ObjectType = TASK) -> Iterator[ObjectType]:
    """Yields an object type and all below it, each once; the forms of an object one by one."""
    yield from object_type.kinds.values() or (object_type,)
    for below in object_type.fields.values():
        if below is not None:
            yield from object_types_below(below)
