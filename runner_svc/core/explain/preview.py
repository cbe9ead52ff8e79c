"""Previews of a start: the work that it would keep of earlier executions, judge again, or do.

It is found as the start would find it, with what it would keep as the inputs of what follows. What follows from a task
that is to be done is to be done as well, as far as can be told before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum, unique

from runner_svc.core.decide.inputs import given_inputs, inputs_of, make_parts
from runner_svc.core.decide.reuse import is_judged_alike, is_made_alike
from runner_svc.core.decide.turn import State
from runner_svc.core.fleet.alike import Alike
from runner_svc.core.model.earlier import EarlierResult, EarlierResults, LastResult
from runner_svc.core.model.inputs import GivenInput
from runner_svc.core.model.keys import SpecParts, changed_parts, key_of
from runner_svc.core.model.map import Map
from runner_svc.core.model.selection import check_names, fresh_tasks, wanted_tasks
from runner_svc.core.model.values import ExecutionId, Role, Settings
from runner_svc.core.state.overview import EarlierUnknown
from runner_svc.core.state.task_record import TaskRecord

ASKED_FOR = "asked for anew"
AFTER_OTHERS = "what it reads is made again"
FILES = "files of its program, if they have changed"


@unique
class Work(IntEnum):
    """The work that a task would be. A task that is kept is none."""

    JUDGE = 1
    MAKE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedTask:
    """A task that would not be kept."""

    task: int
    work: Work
    changes: tuple[str, ...]  #: what differs from its last result; empty: there is none
    execution: ExecutionId | None  #: which made that one


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that a preview depends on. It changes nothing, so it can be answered in another thread."""

    map: Map
    settings: Settings
    earlier: EarlierResults
    alike: Alike


def question_of(state: State, plan: Map, settings: Settings, given: Iterable[GivenInput] = ()) -> Question:
    """Returns the question about a plan as of now. Raises EarlierUnknown, or InputsInvalid."""
    plan = plan.bound(given_inputs(plan, given)[0])
    earlier = state.earlier.get(plan.plan_id)
    if earlier is None or earlier.last is None:
        raise EarlierUnknown(plan.plan_id, with_parts=True)
    return Question(map=plan, settings=settings, earlier=earlier, alike=Alike(dict(state.roster.sessions)))


@dataclass(slots=True)
class Preview:
    """The artifacts that the tasks of a map would have, as far as they are known before. An inputs.HasArtifacts."""

    map: Map
    records: dict[int, TaskRecord] = field(default_factory=dict)
    kept: int = 0
    with_other_prompts: int = 0  #: of those that are kept
    tasks: list[PreviewedTask] = field(default_factory=list)  #: those that would not be kept, in natural order

    def count(self, work: Work) -> int:
        return sum(task.work is work for task in self.tasks)


def preview(question: Question) -> Preview:
    """Returns what a start would do. Raises TaskNotFound for a name in the settings that is none."""
    plan, found = question.map, Preview(question.map)
    check_names(plan, question.settings)
    fresh = fresh_tasks(plan, question.settings) if question.settings.reuse else frozenset(range(plan.task_count))
    wanted = wanted_tasks(plan, question.settings)
    for task in sorted(range(plan.task_count) if wanted is None else wanted, key=plan.stages.__getitem__):
        _look_at(question, found, task, is_fresh=task in fresh)
    found.tasks.sort(key=lambda previewed: previewed.task)
    return found


def _look_at(question: Question, found: Preview, task: int, *, is_fresh: bool) -> None:
    plan, settings = question.map, question.settings
    spec, last = plan.parts(task), (question.earlier.last or {}).get(plan.name(task))
    if is_fresh:
        return _add(found, task, Work.MAKE, (ASKED_FOR,), last)
    try:
        made = make_parts(plan, spec, *inputs_of(found, task))
    except KeyError:  # one of them is not known yet
        return _add(found, task, Work.MAKE, (*_changes_of_spec(last, spec, plan.idea), AFTER_OTHERS), last)
    earlier = question.earlier.by_make_key.get(key_of(made))
    if earlier is None:
        return _add(found, task, Work.MAKE, changed_parts(last.make, made) if last is not None else (), last)
    if spec.runs_files[0]:
        return _add(found, task, Work.MAKE, (FILES,), last)
    if _can_do(question, task) and not is_made_alike(question.alike, plan, settings, task, earlier):
        return _add(found, task, Work.MAKE, _changes_of_maker(question, task, last), last)
    found.records[task] = TaskRecord(artifact=earlier.content)
    if not is_judged_alike(question.alike, plan, settings, task, earlier, spec):
        return _add(found, task, Work.JUDGE, _changes_of_sign_off(last, spec), last)
    found.kept += 1
    found.with_other_prompts += _has_other_prompts(question, task, earlier, spec)
    return None


def _has_other_prompts(question: Question, task: int, earlier: EarlierResult, spec: SpecParts) -> bool:
    """Tells whether a result that is kept would not be, if versions of prompts counted."""
    alike, plan = question.alike, question.map
    counting = replace(question.settings, fresh_prompts=True)
    made_alike = not _can_do(question, task) or is_made_alike(alike, plan, counting, task, earlier)
    return not made_alike or not is_judged_alike(alike, plan, counting, task, earlier, spec)


def _add(found: Preview, task: int, work: Work, changes: tuple[str, ...], last: LastResult | None) -> None:
    told = changes if last is not None else ()
    execution = last.execution if last is not None else None
    found.tasks.append(PreviewedTask(task=task, work=work, changes=told, execution=execution))


def _can_do(question: Question, task: int) -> bool:
    return any(map(question.alike.can_do, question.map.requirements_of(task).executors))


def _changes_of_spec(last: LastResult | None, spec: SpecParts, idea: str) -> tuple[str, ...]:
    if last is None:
        return ()
    before = tuple(part for part in last.make if not part[0].startswith("input "))
    return changed_parts(before, (*spec.make, ("idea", idea)))


def _changes_of_maker(question: Question, task: int, last: LastResult | None) -> tuple[str, ...]:
    """Names the parts of the maker in which the present workers differ from the last one."""
    before = last.result.content.made_by if last is not None else None
    now = question.alike.makers_of(question.map.requirements_of(task).requirement(Role.EXECUTOR, 0))
    if before is None or not now:
        return ("what makes it",)
    return before.differences(now[0], prompts_count=question.settings.fresh_prompts) or ("what makes it",)


def _changes_of_sign_off(last: LastResult | None, spec: SpecParts) -> tuple[str, ...]:
    return changed_parts(last.sign_off if last is not None else (), spec.sign_off) or ("what judges it",)
