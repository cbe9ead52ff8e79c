"""The rules that a plan must keep, one function each, which reports every place that breaks its rule.

A function leaves such places out of its result, so that the rules after it still find their own problems. Its docstring
begins with the codes that it reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner_svc.checks.kinds import JsonSchemaCheck
from planner_svc.diagnostics import Diagnostics, listed, quoted, shortened
from planner_svc.graph.nesting import NONE
from planner_svc.graph.tree import Tree
from planner_svc.ids import ROOT, is_numeric, parent_by_shape
from planner_svc.model import Plan, Task, Validation
from signoff.manifest.media_types import may_be_text
from signoff.plan.ids import ID_RULE, is_task_id
from signoff.plan.limits import MAX_NESTING


def usable_tasks(plan: Plan, diagnostics: Diagnostics) -> dict[str, Task]:
    """bad-id, duplicate-id: returns the tasks by their ids, in the order of the plan; of two with one id the first."""
    tasks: dict[str, Task] = {}
    for task in plan.tasks:
        if not is_task_id(task.task_id):
            _report_bad_id(task, diagnostics)
        elif (first := tasks.setdefault(task.task_id, task)) is not task:
            _report_duplicate(task, first, diagnostics)
    return tasks


def _report_bad_id(task: Task, diagnostics: Diagnostics) -> None:
    path = f"tasks[{task.position}].task_id"
    message = f"{path}: expected {ID_RULE}, but got {quoted(task.task_id)}"
    diagnostics.add("bad-id", message, path=path, position=task.position)


def _report_duplicate(task: Task, first: Task, diagnostics: Diagnostics) -> None:
    path = f"tasks[{task.position}].task_id"
    message = f"{path}: the id {task.task_id} is already taken by tasks[{first.position}]"
    diagnostics.add("duplicate-id", message, task_ids=[task.task_id], path=path, position=task.position)


def find_parents(tasks: Sequence[Task], index: dict[str, int], diagnostics: Diagnostics) -> list[int]:
    """missing-parent: returns the parent of each task, or the nearest ancestor by shape that the plan has."""
    return [_parent_of(task, tasks, index, diagnostics) for task in tasks]


def _parent_of(task: Task, tasks: Sequence[Task], index: dict[str, int], diagnostics: Diagnostics) -> int:
    wanted = task.parent_id or parent_by_shape(task.task_id)
    if wanted in index and (_may_be_parent(tasks[index[wanted]], task) or wanted == task.task_id):
        return index[wanted]
    above = (name for name in _ancestors_by_shape(wanted) if name in index and name != task.task_id)
    found = next((name for name in above if _may_be_parent(tasks[index[name]], task)), "")
    if wanted not in index and (task.parent_id not in ("", ROOT) or _is_hole(task, found)):
        _report_missing_parent(task, wanted, found, diagnostics)
    return index[found] if found else NONE


def _may_be_parent(other: Task, task: Task) -> bool:
    """Tells whether a task may lie below another one: always below a group, below an atomic task only if it says so.

    It says so by its parent_id, or by numbers such as 2 and 2_1. "research_review" beside an atomic "research" only
    looks nested, and an atomic "0" is the first task of a flat list.
    """
    # guard (2 lines): ids that only look nested -> return True
    if not other.is_atomic:
        return True
    return other.task_id != ROOT and (task.parent_id == other.task_id or is_numeric(task.task_id))


def _is_hole(task: Task, found: str) -> bool:
    """Tells whether a number between two others is missing. Numbers with nothing above them are a flat list."""
    return not task.parent_id and is_numeric(task.task_id) and found not in ("", ROOT)


def _report_missing_parent(task: Task, wanted: str, found: str, diagnostics: Diagnostics) -> None:
    instead = f"it is put below {found}" if found else "it is put at the top"
    message = f"the parent {quoted(wanted)} of {task.task_id} is not in the plan: {instead}"
    path = f"tasks[{task.position}].{'parent_id' if task.parent_id else 'task_id'}"
    diagnostics.add("missing-parent", message, task_ids=[task.task_id], path=path, position=task.position)


def _ancestors_by_shape(name: str) -> Iterator[str]:
    while is_task_id(name):
        name = parent_by_shape(name)
        yield name


def break_parent_cycles(tasks: Sequence[Task], parents: list[int], diagnostics: Diagnostics) -> list[int]:
    """parent-cycle: no task lies below itself. Puts one task of each cycle at the top."""
    walk = [0] * len(tasks)  # the number of the walk that came by; 0: none yet
    for start in range(len(tasks)):
        task = start
        while task != NONE and not walk[task]:
            walk[task] = start + 1
            task = parents[task]
        if task != NONE and walk[task] == start + 1:
            _report_parent_cycle(task, tasks, parents, diagnostics)
            parents[task] = NONE
    return parents


def _report_parent_cycle(task: int, tasks: Sequence[Task], parents: Sequence[int], diagnostics: Diagnostics) -> None:
    cycle, above = [task], parents[task]
    while above != task:
        cycle.append(above)
        above = parents[above]
    names = [tasks[member].task_id for member in cycle]
    message = f"{' -> '.join(shortened([*names, names[0]]))}: each of these is to lie below the next one"
    path, position = f"tasks[{tasks[task].position}].parent_id", tasks[task].position
    diagnostics.add("parent-cycle", message, task_ids=names, path=path, position=position)


def check_nesting(tree: Tree, diagnostics: Diagnostics) -> None:
    """nested-too-deep: reports the first task, in the order of the tree, that has too many tasks above it."""
    above = [0] * len(tree.tasks)
    deepest, first = 0, NONE
    for index in tree.preorder:
        parent = tree.parents[index]
        above[index] = above[parent] + 1 if parent != NONE else 0
        deepest = max(deepest, above[index])
        if above[index] > MAX_NESTING and first == NONE:
            first = index
    if first != NONE:
        _report_nesting(tree.tasks[first], deepest, diagnostics)


def _report_nesting(task: Task, deepest: int, diagnostics: Diagnostics) -> None:
    path = f"tasks[{task.position}].{'parent_id' if task.parent_id else 'task_id'}"
    message = f"{path}: expected at most {MAX_NESTING:,} tasks above each other, but got {deepest:,}"
    diagnostics.add("nested-too-deep", message, task_ids=[task.task_id], path=path, position=task.position)


def resolve_dependencies(tree: Tree, diagnostics: Diagnostics) -> list[tuple[int, ...]]:
    """unknown-dependency, own-ancestor, empty-dependency: returns the tasks that each task's own dependencies mean."""
    repeating: list[tuple[int, int]] = []  # a task, and the number of its dependency that repeats the tree
    found = [
        _resolved(index, tree, repeating, diagnostics) if task.dependencies else ()
        for index, task in enumerate(tree.tasks)
    ]
    _report_repeating(repeating, tree, diagnostics)
    return found


def _resolved(index: int, tree: Tree, repeating: list[tuple[int, int]], diagnostics: Diagnostics) -> tuple[int, ...]:
    task = tree.tasks[index]
    found: dict[int, None] = {}  # an ordered set
    for n, name in enumerate(task.dependencies):
        if _repeats_the_tree(index, name, tree):
            if name != ROOT:
                repeating.append((index, n))
            continue
        problem = _dependency_problem(index, name, tree)
        if problem is None:
            found[tree.index[name]] = None
            continue
        code, message = problem
        path = f"tasks[{task.position}].dependencies[{n}]"
        task_ids = [task.task_id, name] if is_task_id(name) else [task.task_id]
        diagnostics.add(code, message, task_ids=task_ids, path=path, position=task.position)
    return tuple(found)


def _dependency_problem(index: int, name: str, tree: Tree) -> tuple[str, str] | None:
    """Returns the code and the sentence for a dependency without a meaning; None when it has one."""
    task_id, other = tree.tasks[index].task_id, tree.index.get(name)
    if other is None:
        return "unknown-dependency", f"{task_id} depends on {quoted(name)}, which is not in the plan"
    if tree.has_atomic and not tree.tasks[other].is_atomic and not tree.atomic_below[other]:
        return (
            "empty-dependency",
            f"{task_id} depends on {name}, which has no atomic task: there is nothing to wait for",
        )
    return None


def _repeats_the_tree(index: int, name: str, tree: Tree) -> bool:
    """Tells whether a dependency only says that a group lies above its own members. An atomic task is waited for."""
    other = tree.index.get(name)
    if other is None:
        return name == ROOT and is_numeric(tree.tasks[index].task_id)
    if other == index or not tree.related(index, other):
        return False
    above = other if tree.is_below(index, other) else index
    # guard: an atomic task is waited for -> return True
    return not tree.tasks[above].is_atomic


def _report_repeating(repeating: Sequence[tuple[int, int]], tree: Tree, diagnostics: Diagnostics) -> None:
    """own-ancestor: reports once for the whole plan, because models that write plans often repeat it at every task."""
    if not repeating or not tree.has_atomic:
        return
    index, n = repeating[0]
    task, names = tree.tasks[index], list(dict.fromkeys(tree.tasks[index].task_id for index, _ in repeating))
    name = task.dependencies[n]
    place = "above" if tree.is_below(index, tree.index[name]) else "below"
    more = f" (and {listed(names[1:])} on such tasks)" if names[1:] else ""
    message = f"{task.task_id} depends on {name}, which lies {place} it{more}: ignored, it repeats the tree"
    path = f"tasks[{task.position}].dependencies[{n}]"
    task_ids = names if more else [task.task_id, name]
    diagnostics.add("own-ancestor", message, task_ids=task_ids, path=path, position=task.position)


def check_leaves(tree: Tree, diagnostics: Diagnostics) -> None:
    """cannot-run, never-runs, executor-on-group, on-failure-on-group: only tasks with input and output are run."""
    for index, task in enumerate(tree.tasks):
        if task.is_atomic:
            continue
        if tree.leave[index] - tree.enter[index] == 1:
            _report_leaf(task, tree, diagnostics)
            continue
        for field in ("executor", "on_failure"):
            if getattr(task, field) is not None:
                _report_on_group(task, field, diagnostics)


def _report_on_group(task: Task, field: str, diagnostics: Diagnostics) -> None:
    path = f"tasks[{task.position}].{field}"
    message = f"{path}: a group has no {field}: it is ignored, put it on the atomic tasks"
    code = f"{field.replace('_', '-')}-on-group"
    diagnostics.add(code, message, task_ids=[task.task_id], path=path, position=task.position)


def _report_leaf(task: Task, tree: Tree, diagnostics: Diagnostics) -> None:
    """Reports a task that is no group and cannot run. It is an error when the task says how, or with what outcome."""
    has = [name for name in ("executor", "output", "validation") if getattr(task, name) is not None]
    # guard: a task that is meant to run can run -> code = "never-runs"
    code = "cannot-run" if has else "never-runs"
    if not (has or tree.has_atomic) or diagnostics.left_out(code):
        return
    lacking = listed([name for name in ("input", "output") if getattr(task, name) is None])
    although = f"{task.task_id} has {_with_articles(has)}, but can" if has else f"{task.task_id} can"
    message = f"{although} never run: it has no {lacking} and no tasks below it"
    diagnostics.add(code, message, task_ids=[task.task_id], path=f"tasks[{task.position}]", position=task.position)


def _with_articles(names: Sequence[str]) -> str:
    return listed([f"a{'n' if name[0] in 'aeiou' else ''} {name}" for name in names])


def check_some_atomic(tree: Tree, diagnostics: Diagnostics) -> None:
    """no-atomic-task: a plan needs at least one task that can be run."""
    if not tree.has_atomic:
        diagnostics.add(
            "no-atomic-task", "no task has both an input and an output: there is nothing to run", path="tasks"
        )


def check_criteria(tree: Tree, diagnostics: Diagnostics) -> None:
    """no-criteria: every atomic task should say when its output is good. Reports once for the whole plan."""
    found = [task for task in tree.tasks if task.is_atomic and not _is_judged(task.validation or Validation())]
    if not found:
        return
    names, path = [task.task_id for task in found], f"tasks[{found[0].position}].validation"
    one, its = ("has", "its output description is") if not names[1:] else ("have", "their output descriptions are")
    message = f"{listed(names)} {one} no validation criteria and no checks: only {its} checked"
    diagnostics.add("no-criteria", message, task_ids=names, path=path, position=found[0].position)


def check_seen_files(tree: Tree, diagnostics: Diagnostics) -> None:
    """unseen-files: a judge reads texts, and pictures when it is allowed to; of other files it is told only facts."""
    for task in tree.tasks:
        if not task.is_atomic or task.output is None or not task.output.files:
            continue
        wanted = task.validation or Validation()
        if wanted.human or (wanted.judge is not None and wanted.judge.images) or not _asks_a_judge(wanted):
            continue
        if not any(map(may_be_text, task.output.files)):
            path = f"tasks[{task.position}].validation"
            message = (
                f"{path}: no judge can read files such as {quoted(task.output.files[0])}: use checks, "
                '"judge": {"images": true} for pictures, or "human": true'
            )
            diagnostics.add("unseen-files", message, task_ids=[task.task_id], path=path, position=task.position)


def _asks_a_judge(wanted: Validation) -> bool:
    """Tells whether some criterion is left to a judge."""
    if wanted.criteria:
        decided = {check.criterion for check in wanted.checks}
        return any(number not in decided for number, _ in enumerate(wanted.criteria, 1))
    return bool(wanted.description) or not wanted.checks


def _is_judged(wanted: Validation) -> bool:
    stated = [check for check in wanted.checks if not (isinstance(check, JsonSchemaCheck) and check.from_format)]
    return bool(wanted.criteria or stated or wanted.human)
