"""An execution keeps what earlier ones have signed off, where the work would be the same."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings as how
from hypothesis import strategies as st

from runner_svc.codec.checkpoints import execution_to_proto, overview_from_proto
from runner_svc.core.decide.reuse import LOOK_UPS_A_TURN
from runner_svc.core.explain.preview import Preview, Work
from runner_svc.core.explain.why_waiting import WaitingFor, waiting_of
from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.map import Map
from runner_svc.core.model.states import DOING, DONE, VALIDATING, ExecutionState
from runner_svc.core.model.values import ExecutionId, Outcome, Role, Settings, VerdictBy
from runner_svc.core.state.execution import Execution
from signoff.display.progress import describe_counts
from signoff.errors import TaskNotFound, WrongState
from signoff.v1 import plan_pb2
from tests.support.rerunning import Outcomes, Reruns

TREE = "a; b <- a; c <- a; d <- b, c"


def once(text: str = TREE) -> Reruns:
    runs = Reruns(text)
    runs.run()
    return runs


def test_an_unchanged_plan_is_kept_whole_and_costs_nothing() -> None:
    again = once().run()
    assert (again.made, again.judged, sorted(again.kept)) == ([], [], ["a", "b", "c", "d"])
    assert again.execution.state is ExecutionState.SUCCEEDED


def test_one_changed_task_is_done_with_what_reads_it() -> None:
    runs = once()
    runs.edit("b", description="something else")
    again = runs.run()
    assert (again.made, sorted(again.kept)) == (["b", "d"], ["a", "c"])
    assert "something else" in again.texts["d"]


def test_what_reads_a_result_that_came_out_the_same_is_kept() -> None:
    runs = Reruns(TREE, say=lambda description, read, _: f"{description[:5]} of {read}")
    runs.run()
    runs.edit("a", description="write a, in other words")
    again = runs.run()
    assert (again.made, sorted(again.kept)) == (["a"], ["b", "c", "d"])


def test_other_criteria_are_judged_and_nothing_is_made() -> None:
    runs = once()
    runs.edit("b", criteria=["is short"])
    again = runs.run()
    assert (again.made, again.judged, again.kept_to_judge) == ([], ["b"], ["b"])
    assert sorted(again.kept) == ["a", "c", "d"]
    assert runs.run().judged == []


@pytest.mark.guard(name="other criteria judge again")
def test_a_result_that_is_judged_again_is_no_artifact_before() -> None:
    runs = once("a")
    runs.edit("a", criteria=["is short"])
    execution = runs.machine.state.executions[runs.start()]
    assert execution.status[0] == VALIDATING
    assert execution.records[0].artifact is None
    assert execution.records[0].candidate is not None
    assert execution.records[0].candidate.signed_off_by is None


def test_the_evidence_is_that_of_the_execution_that_made_it() -> None:
    runs = Reruns("a")
    first = runs.run().execution
    runs.run()
    third = runs.run().execution
    artifact, made = third.records[0].artifact, first.records[0].artifact
    assert artifact is not None
    assert made is not None
    assert artifact.signed_off_by == VerdictBy("judge", is_person=False) == made.signed_off_by
    assert artifact.kept_from is not None
    assert (artifact.kept_from.execution, artifact.kept_from.attempt) == (first.id, 1)
    assert artifact.kept_from.signed_off_at == made.signed_off_at
    assert third.records[0].results == first.records[0].results != ()


# ---------------------------------------------------------------- who makes it, and who judges


@pytest.mark.guard(name="the maker is compared")
def test_another_model_makes_everything_anew() -> None:
    runs = once()
    runs.workers("m2", "j1")
    again = runs.run()
    assert (sorted(again.made), again.kept) == (["a", "b", "c", "d"], [])


def test_another_judge_judges_what_there_is() -> None:
    runs = once()
    runs.workers("m1", "j2")
    again = runs.run()
    assert (again.made, sorted(again.judged)) == ([], ["a", "b", "c", "d"])


def test_another_prompt_changes_nothing_unless_it_is_asked_for() -> None:
    runs = once("a")
    runs.workers("m1", "j1", prompts="p2")
    assert runs.run().kept == ["a"]
    assert runs.run(Settings(fresh_prompts=True)).made == ["a"]
    assert runs.run(Settings(fresh_prompts=True)).made == []


def test_of_workers_that_say_no_parts_the_digest_must_be_the_same() -> None:
    runs = Reruns("a")
    runs.workers("m1", "j1", say_parts=False)
    runs.run()
    assert runs.run().kept == ["a"]
    runs.workers("m1", "j1", prompts="p2", say_parts=False)
    assert runs.run().made == ["a"]


def test_what_no_worker_could_do_is_looked_up_when_one_joins() -> None:
    runs = once("a; b <- a")
    runs.leave()
    execution = runs.machine.state.executions[runs.start()]
    assert execution.counts[DONE] == 0
    runs.workers("m1", "j1")
    assert execution.counts[DONE] == 2


def test_a_program_is_run_again_when_a_file_that_it_names_has_changed() -> None:
    runs = with_programs()
    runs.files = "v2"
    again = runs.run()
    assert (again.made, again.kept) == (["a", "c"], ["b"])


@pytest.mark.guard(name="a worker looks at the files of programs")
def test_a_program_whose_files_are_as_before_is_not_run_again() -> None:
    runs = with_programs()
    again = runs.run()
    assert (again.made, sorted(again.kept), again.judged) == ([], ["a", "b", "c"], [])
    returned = [entry.event for entry in runs.entries if isinstance(entry.event, events.LeaseReturned)]
    assert [event.reason for event in returned] == ["what it works with is unchanged since an earlier execution"]
    assert sorted(runs.run().kept) == ["a", "b", "c"], "also from the execution that has kept it"


def test_a_program_whose_files_are_as_before_is_judged_again_under_other_criteria() -> None:
    runs = with_programs()
    runs.edit("a", criteria=["is long"])
    again = runs.run()
    assert (again.made, again.judged, again.kept_to_judge) == ([], ["a"], ["a"])


@pytest.mark.guard(name="what is unchanged is what was asked about")
def test_a_worker_that_finds_something_unchanged_which_it_was_not_asked_about_does_it() -> None:
    runs = with_programs()
    execution = runs.machine.state.executions[runs.start()]
    (assign,) = [command for command in runs.todo.commands if isinstance(command, commands.Assign)]
    unchanged = signals.WorkUnchanged(at=runs.at, session=assign.session, lease=assign.lease, maker="something else")
    orders = runs.machine.turn([unchanged]).commands
    (again,) = [order for order in orders if isinstance(order, commands.Assign)]
    assert (execution.task_status(0), again.unless_maker) == (DOING, "")


def test_a_program_is_not_compared_with_what_it_made_of_other_inputs() -> None:
    runs = Reruns("a; b <- a")
    runs.specs["b"].executor.command.argv.extend(["python3", "/srv/clean.py"])
    runs.run()
    name = runs.start()
    assert [order.unless_maker for order in assigned(runs)] == ["program with v1"]
    runs._say = lambda description, read, _: f"{description}, otherwise, of {read}"
    runs.retry(name, "a")
    again = runs.finish(name)
    assert again.made == ["a", "b"]
    assert again.texts["a"] in again.texts["b"]


def test_a_program_that_is_given_out_again_is_compared_again() -> None:
    runs = with_programs()
    runs.start()
    (assign,) = assigned(runs)
    declined = signals.LeaseGivenBack(at=runs.at, session=assign.session, lease=assign.lease, reason="no room")
    runs.todo = runs._turn([declined])
    assert [order.unless_maker for order in assigned(runs)] == [assign.unless_maker]


def assigned(runs: Reruns) -> list[commands.Assign]:
    return [command for command in runs.todo.commands if isinstance(command, commands.Assign)]


def with_programs() -> Reruns:
    """Returns a plan that was run: a names a file, b reads nothing but what a has made, and c reads both."""
    runs = Reruns("a; b; c <- a, b")
    runs.specs["a"].executor.command.argv.extend(["python3", "/srv/clean.py"])
    runs.run()
    return runs


# ---------------------------------------------------------------- what is asked for


def test_all_can_be_done_anew() -> None:
    assert sorted(once().run(Settings(reuse=False)).made) == ["a", "b", "c", "d"]


def test_a_task_or_a_group_can_be_done_anew() -> None:
    runs = once("a; g/b <- a; g/c; d <- g")
    assert runs.run(Settings(fresh_tasks=("a",))).made == ["a"]  # it came out the same: nothing follows
    assert sorted(runs.run(Settings(fresh_tasks=("g",))).made) == ["b", "c"]


def test_a_name_that_is_no_task_is_refused() -> None:
    runs = once("a")
    signal = signals.StartExecution(
        at=runs.at, request_id="", execution=ExecutionId("x"), plan_id="", settings=Settings(fresh_tasks=("z",))
    )
    replies = runs.machine.turn([signal]).replies
    assert [type(reply) for reply in replies] == [TaskNotFound]


def test_from_a_task_on_all_is_done_anew() -> None:
    again = once().run(Settings(from_tasks=("b",)))
    assert (sorted(again.made), sorted(again.kept)) == (["b", "d"], ["a", "c"])


@pytest.mark.guard(name="only what is asked for is done")
def test_until_a_task_nothing_else_is_done() -> None:
    runs = Reruns("a; b <- a; c <- b; x")
    first = runs.run(Settings(until_tasks=("b",)))
    assert (sorted(first.made), first.execution.state) == (["a", "b"], ExecutionState.SUCCEEDED)
    waiting = waiting_of(runs.machine.state, first.execution, first.execution.map.numbers["c"], runs.at)
    assert waiting is not None
    assert waiting.what is WaitingFor.NOTHING_ASKED
    shown = execution_to_proto(first.execution.overview(), settled=False)
    assert (describe_counts(shown.execution), shown.execution.counts.undone) == (
        "2 of 2 signed off, 2 not asked for",
        0,
    )
    assert overview_from_proto(shown) == first.execution.overview()
    rest = runs.run()
    assert (sorted(rest.made), sorted(rest.kept)) == (["c", "x"], ["a", "b"])


def test_until_a_group_all_of_it_is_done() -> None:
    runs = Reruns("a; g/b <- a; g/c; d <- g")
    assert sorted(runs.run(Settings(until_tasks=("g",))).made) == ["a", "b", "c"]


def test_a_task_that_was_not_asked_for_is_not_retried() -> None:
    runs = Reruns("a; b <- a")
    execution = runs.run(Settings(until_tasks=("a",))).execution
    retry = signals.RetryTask(at=runs.at, request_id="", execution=execution.id, task_id="b")
    assert [type(reply) for reply in runs.machine.turn([retry]).replies] == [WrongState]


# ---------------------------------------------------------------- rollbacks and retries


@pytest.mark.guard(name="what was begun is not looked up again")
def test_a_retried_task_is_made_and_not_kept() -> None:
    runs = once("a; b <- a")
    execution = runs.run().execution
    runs.todo = runs._turn([signals.RetryTask(at=runs.at, request_id="", execution=execution.id, task_id="a")])
    again = runs.finish(execution.id)
    assert again.made == ["a"]
    assert execution.state is ExecutionState.SUCCEEDED
    kept = [entry.event for entry in runs.entries if isinstance(entry.event, events.ArtifactKept)]
    assert [execution.map.name(event.task) for event in kept] == ["b"]
    assert execution.records[execution.map.numbers["b"]].results != ()


def test_a_rejected_result_is_made_again_with_the_reasons() -> None:
    runs = once("a")
    runs.edit("a", criteria=["is short"])
    execution = runs.machine.state.executions[runs.start()]
    lease = execution.records[0].lease
    assert lease is not None
    fail = signals.VerdictGiven(
        at=runs.at,
        session=runs._sessions[Role.VALIDATOR],
        lease=lease.id,
        outcome=Outcome.FAIL,
        feedback="too long",
    )
    runs._turn([fail])
    record = execution.records[0]
    assert (record.failures, record.feedback, record.attempt) == (1, "too long", 1)


# ---------------------------------------------------------------- any history


EDITS = st.one_of(
    st.tuples(st.just("description"), st.sampled_from("abcdef"), st.sampled_from(["one", "two", "one, again"])),
    st.tuples(st.just("criteria"), st.sampled_from("abcdef"), st.sampled_from(["short", "long"])),
    st.tuples(st.just("model"), st.sampled_from(["m1", "m2"]), st.just("")),
    st.tuples(st.just("judge"), st.sampled_from(["j1", "j2"]), st.just("")),
    st.tuples(st.just("run"), st.sampled_from(["", "a", "d"]), st.just("")),
    st.tuples(st.just("from"), st.sampled_from("abcdef"), st.just("")),
    st.tuples(st.just("until"), st.sampled_from("abcdef"), st.just("")),
)
WAITS = st.lists(st.lists(st.integers(0, 4), max_size=2), min_size=6, max_size=6)


def lines_of(waits: list[list[int]]) -> list[str]:
    """Returns the lines of a plan of six tasks, each of which waits for some of those before it."""
    names = "abcdef"
    return [
        f"{name} <- {', '.join(sorted({names[n] for n in above if n < place}))}".removesuffix(" <- ")
        for place, (name, above) in enumerate(zip(names, waits, strict=True))
    ]


def expected(runs: Reruns, outcomes: Outcomes) -> dict[str, str]:
    """Returns what a fresh run would have made of each task."""
    execution: Execution = outcomes.execution
    plan, texts = execution.map, dict[str, str]()
    for task in sorted(range(plan.task_count), key=plan.stages.__getitem__):
        description = plan_pb2.TaskSpec.FromString(plan.specs[task]).description
        read = [texts[plan.name(maker)] for maker in plan.producers(task)]
        texts[plan.name(task)] = say(description, read, runs.model)
    return texts


def above(plan: Map, name: str) -> set[str]:
    """Returns a task with all that it needs."""
    found, pending = {plan.numbers[name]}, [plan.numbers[name]]
    while pending:
        new = {node for node in plan.waits_for[pending.pop()] if node not in found}
        found |= new
        pending += new
    return {plan.name(task) for task in found}


def assert_previewed(told: Preview, outcomes: Outcomes) -> None:
    """Checks that a preview promised no more than came true: what it says is done may turn out to be kept."""
    work = {told.map.name(task.task): task.work for task in told.tasks}
    assert told.kept + len(told.tasks) == outcomes.execution.wanted_count
    assert set(outcomes.made) <= {task for task, kind in work.items() if kind is Work.MAKE}
    assert {task for task, kind in work.items() if kind is Work.JUDGE} <= set(outcomes.kept_to_judge)
    wanted = {told.map.name(task) for task in range(told.map.task_count) if outcomes.execution.is_wanted(task)}
    assert wanted - work.keys() <= set(outcomes.kept)


def say(description: str, read: list[str], model: str) -> str:
    """Says the same of some descriptions, so that what follows may be kept."""
    return f"{description.partition(',')[0]} by {model} of {read}"


@how(max_examples=150, deadline=None)
@for_all(waits=WAITS, history=st.lists(EDITS, max_size=12))
def test_after_any_history_of_edits_what_is_kept_is_what_a_fresh_run_would_have(
    waits: list[list[int]], history: list[tuple[str, str, str]]
) -> None:
    names = "abcdef"
    runs, model, judge = Reruns("; ".join(lines_of(waits)), say=say), "m1", "j1"
    for kind, what, value in [*history, ("run", "", "")]:
        if kind == "description":
            runs.edit(what, description=value)
        elif kind == "criteria":
            runs.edit(what, criteria=[value])
        elif kind in ("run", "from", "until"):
            field = {"run": "fresh_tasks", "from": "from_tasks", "until": "until_tasks"}[kind]
            chosen: dict[str, Any] = {field: (what,) if what else ()}
            settings = replace(Settings(), **chosen)
            told = runs.previewed(settings)
            outcomes = runs.run(settings)
            assert_previewed(told, outcomes)
            wanted = above(runs.plan, what) if kind == "until" else set(names)
            fresh = expected(runs, outcomes)
            assert outcomes.texts == {task: text for task, text in fresh.items() if task in wanted}
            assert {*outcomes.made, *outcomes.kept, *outcomes.kept_to_judge} == wanted
            assert outcomes.execution.state is ExecutionState.SUCCEEDED
        else:
            model, judge = (what, judge) if kind == "model" else (model, what)
            runs.workers(model, judge)
    again = runs.run()
    assert (again.made, again.judged, sorted(again.kept)) == ([], [], list(names))


PROGRAMS = st.lists(
    st.one_of(
        st.tuples(st.just("description"), st.sampled_from("abcdef")),
        st.tuples(st.just("files"), st.sampled_from(["v1", "v2"])),
        st.tuples(st.just("run"), st.just("")),
        st.tuples(st.just("advance"), st.just("")),
        st.tuples(st.just("retry"), st.sampled_from("abcdef")),
    ),
    max_size=16,
)


@how(max_examples=150, deadline=None)
@for_all(waits=WAITS, programs=st.sets(st.sampled_from("abcdef")), history=PROGRAMS)
def test_after_any_history_of_retries_each_result_is_made_from_what_it_reads(
    waits: list[list[int]], programs: set[str], history: list[tuple[str, str]]
) -> None:
    made: list[str] = []

    def say_another(description: str, read: list[str], _: str) -> str:
        """Says something that was not said before, as models do."""
        made.append(f"{description} of {read}")
        return f"{made[-1]} #{len(made)}"

    runs = Reruns("; ".join(lines_of(waits)), say=say_another)
    for task in programs:
        runs.specs[task].executor.command.argv.extend(["python3", "/srv/clean.py"])
    outcomes = runs.run()
    for kind, what in [*history, ("run", "")]:
        if kind == "description":
            runs.edit(what, description=f"{runs.specs[what].description}, edited")
        elif kind == "files":
            runs.files = what
        elif kind == "advance":
            runs.advance(outcomes)
        elif kind == "retry":
            runs.retry(outcomes.execution.id, what)
        else:
            runs.finish(outcomes.execution.id)
            outcomes = Outcomes(runs.machine.state.executions[runs.start()])
    assert_made_of_what_it_reads(runs.finish(outcomes.execution.id), programs)


def assert_made_of_what_it_reads(outcomes: Outcomes, programs: set[str]) -> None:
    plan = outcomes.execution.map
    for task, text in outcomes.texts.items():
        number = plan.numbers[task]
        description = plan_pb2.TaskSpec.FromString(plan.specs[number]).description
        read = [outcomes.texts[plan.name(maker)] for maker in plan.producers(number)]
        by = r" with v\d" if task in programs else ""
        assert re.fullmatch(rf"{re.escape(description)}{by} of {re.escape(str(read))} #\d+", text)


@pytest.mark.guard(name="a turn looks up a bounded number of tasks")
def test_a_large_plan_is_looked_up_in_several_steps() -> None:
    names = [f"t{n}" for n in range(2 * LOOK_UPS_A_TURN + 1)]
    runs = once("; ".join(names))
    runs.steps.clear()
    again = runs.run()
    assert sorted(again.kept) == sorted(names)
    assert max(runs.steps) <= LOOK_UPS_A_TURN + 5  # and the events of the execution itself
