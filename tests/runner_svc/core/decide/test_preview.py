"""A preview tells what a start would do, and which part of a task has changed."""

from __future__ import annotations

from typing import Any

from runner_svc.core.explain.preview import Work
from runner_svc.core.model.values import Settings
from tests.support.rerunning import Reruns

TREE = "a; b <- a; c <- b"
Told = dict[str, tuple[Work, tuple[str, ...]]]


def told(runs: Reruns, settings: Settings | None = None) -> Told:
    found = runs.previewed(settings)
    return {found.map.name(task.task): (task.work, task.changes) for task in found.tasks}


def once(text: str = TREE) -> Reruns:
    runs = Reruns(text)
    runs.run()
    return runs


def edited(task: str, **fields: Any) -> Told:
    runs = once()
    runs.edit(task, **fields)
    return told(runs)


def test_a_plan_that_was_never_run_is_new() -> None:
    runs = Reruns(TREE)
    assert told(runs) == {
        "a": (Work.MAKE, ()),
        "b": (Work.MAKE, ()),
        "c": (Work.MAKE, ()),
    }
    assert {task.execution for task in runs.previewed().tasks} == {None}


def test_an_unchanged_plan_has_nothing_to_do() -> None:
    found = once().previewed()
    assert (found.kept, found.tasks) == (3, [])


def test_a_changed_part_is_named_and_what_follows_says_so() -> None:
    assert edited("b", description="another") == {
        "b": (Work.MAKE, ("description",)),
        "c": (Work.MAKE, ("what it reads is made again",)),
    }


def test_what_is_only_judged_again_lets_the_rest_be_kept() -> None:
    assert edited("b", criteria=["is short"]) == {"b": (Work.JUDGE, ("criteria",))}


def test_another_model_and_another_judge_are_named() -> None:
    runs = once("a")
    runs.workers("m2", "j1")
    assert told(runs) == {"a": (Work.MAKE, ("model",))}
    runs.workers("m1", "j2")
    assert told(runs) == {"a": (Work.JUDGE, ("what judges it",))}
    assert runs.previewed().with_other_prompts == 0
    runs.workers("m1", "j1", prompts="p2")
    assert told(runs) == {}
    assert runs.previewed().with_other_prompts == 1
    assert told(runs, Settings(fresh_prompts=True)) == {"a": (Work.MAKE, ("prompts",))}


def test_without_workers_the_next_ones_are_taken_to_be_as_before() -> None:
    runs = once()
    runs.leave()
    assert told(runs) == {}


def test_what_is_asked_for_anew_is_done() -> None:
    runs = once()
    asked = (Work.MAKE, ("asked for anew",))
    after = (Work.MAKE, ("what it reads is made again",))
    assert told(runs, Settings(fresh_tasks=("b",))) == {"b": asked, "c": after}
    assert told(runs, Settings(reuse=False)) == {"a": asked, "b": asked, "c": asked}


def test_of_a_program_with_files_only_its_worker_can_tell() -> None:
    runs = Reruns("a")
    runs.specs["a"].executor.command.argv.extend(["python3", "/srv/clean.py"])
    runs.run()
    assert told(runs) == {"a": (Work.MAKE, ("files of its program, if they have changed",))}


def test_the_execution_that_the_last_result_is_from_is_named() -> None:
    runs = Reruns("a")
    first = runs.run().execution.id
    runs.edit("a", description="another")
    assert [task.execution for task in runs.previewed().tasks] == [first]
