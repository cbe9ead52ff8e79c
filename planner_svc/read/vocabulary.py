"""The vocabulary of plan.json: every object and the names in it, as one table. Checks are in check_vocabulary.py.

Readers ask only for fields of this table, and every field of it is read: the tests of field names hold both.
`field_names.py` decides by this table about every other name in a plan.

    fields     the names that are read, each with the type of the objects under it
    synonyms   other names for a field: an error that names the right one, or the place where it belongs
    foreign    names in plans of other tools that mean nothing here: accepted. A synonym that is also listed here is
               accepted beside the right field
"""

from __future__ import annotations

from collections.abc import Iterator

from planner_svc.read.check_vocabulary import CHECK, REMARKS
from planner_svc.read.object_types import ObjectType
from planner_svc.read.object_types import field_table as _fields
from planner_svc.read.object_types import synonym_table as _synonyms
from planner_svc.read.object_types import synonym_table_of as _synonyms_of
from planner_svc.read.object_types import words as _names

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
    foreign=REMARKS | _names("optional_checks optionalChecks id name type status required passed"),
)

# ---------------------------------------------------------------- inputs and outputs

INPUT = ObjectType(
    what="an input",
    fields=_fields("description artifacts parameters"),
    synonyms=_synonyms(artifacts="reads artifact_names", parameters="params args arguments kwargs variables"),
    foreign=REMARKS | _names("id name type required optional example examples"),
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
    foreign=REMARKS | _names("id name type required optional example examples"),
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
    foreign=REMARKS
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
    foreign=REMARKS
    | _names("goal objective topic id plan_id name project description summary version schema_version author authors")
    | _names("created created_at updated updated_at status state stage stages tags labels language license model"),
)


def object_types_below(object_type: ObjectType = TASK) -> Iterator[ObjectType]:
    """Yields an object type and all below it, each once; the forms of an object one by one."""
    for form in object_type.kinds.values() or (object_type,):
        yield form
        for below in form.fields.values():
            if below is not None:
                yield from object_types_below(below)
