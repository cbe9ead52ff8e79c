"""Inputs of a plan: what a start takes, what tasks are given, and what is done again when one has changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from runner_svc.core.decide.inputs import given_inputs, inputs_of
from runner_svc.core.explain.preview import Work
from runner_svc.core.model import events
from runner_svc.core.model.inputs import GivenInput, InputFile, InputKind, fill_text
from runner_svc.core.model.values import NO_TASK, Content
from signoff.errors import InputsInvalid
from signoff.v1 import plan_pb2
from tests.support.rerunning import Reruns

FILE, FOLDER, TEXT, JSON = InputKind
NOTICED = pytest.mark.guard(name="a changed input is noticed")


def reading(plan: str = "a[x](data); b[y]; c[z](x, topic) <- a") -> Reruns:
    """A plan with a file, a text that c reads, and a text that the description of b has."""
    runs = Reruns(plan)
    runs.declare("data", FILE)
    runs.declare("topic")
    runs.declare("release", TEXT, "2.4")
    runs.edit("b", description="announce {{inputs.release}}")
    runs.give_files("data", {"a.csv": "1"})
    runs.give("topic", "mars")
    return runs


# ---------------------------------------------------------------- what is kept, and what is done again


@pytest.mark.parametrize(
    ("name", "value", "made", "kept"),
    [
        pytest.param("data", "2", ["a", "c"], ["b"], marks=NOTICED),
        pytest.param("topic", "venus", ["c"], ["a", "b"], marks=NOTICED),
        ("release", "2.5", ["b"], ["a", "c"]),
    ],
)
def test_only_what_reads_a_changed_input_is_done_again(name: str, value: str, made: list[str], kept: list[str]) -> None:
    runs = reading()
    assert sorted(runs.run().made) == ["a", "b", "c"]
    assert runs.run().made == []
    if name == "data":
        runs.give_files(name, {"a.csv": value})
    else:
        runs.give(name, value)
    previewed = runs.previewed()
    assert sorted(previewed.map.name(task.task) for task in previewed.tasks) == sorted(made)
    outcomes = runs.run()
    assert (sorted(outcomes.made), sorted(outcomes.kept)) == (sorted(made), sorted(kept))


def test_a_preview_names_the_input_that_has_changed() -> None:
    runs = reading()
    runs.run()
    runs.give_files("data", {"a.csv": "2"})
    changes = {runs.plan.name(task.task): task.changes for task in runs.previewed().tasks}
    assert changes == {"a": ("input data",), "c": ("what it reads is made again",)}


def test_a_value_that_only_a_criterion_has_is_judged_again_and_not_made_again() -> None:
    runs = Reruns("a")
    runs.declare("most", JSON, "300")
    runs.edit("a", criteria=["at most {{inputs.most}} words"])
    runs.run()
    runs.give("most", "200")
    (task,) = runs.previewed().tasks
    assert (task.work, task.changes) == (Work.JUDGE, ("criteria",))
    outcomes = runs.run()
    assert (outcomes.made, outcomes.judged, outcomes.kept_to_judge) == ([], ["a"], ["a"])


def test_the_name_of_a_single_file_makes_no_difference_and_its_bytes_do() -> None:
    runs = reading()
    runs.run()
    runs.give_files("data", {"other.csv": "1"})
    assert runs.run().made == []


def test_a_file_more_or_less_is_a_change() -> None:
    runs = reading()
    runs.give_files("data", {"a.csv": "1", "b.csv": "2"})
    assert runs.run().texts["a"] == "write a by m1 of (1, 2)"
    runs.give_files("data", {"a.csv": "1", "c.csv": "2"})
    assert set(runs.run().made) == {"a"}  # it makes the same, so that c is kept


def test_the_idea_has_places_too_and_all_tasks_are_done_for_it() -> None:
    runs = reading()
    runs._base = replace(runs._base, idea="tell of {{inputs.release}}")
    execution = runs.run().execution
    assert (execution.map.idea, execution.overview().idea) == ("tell of 2.4", "tell of 2.4")
    runs.give("release", "2.5")
    assert sorted(runs.run().made) == ["a", "b", "c"]


# ---------------------------------------------------------------- what a task is given


def test_a_task_is_given_a_file_by_the_inputs_name_and_several_by_their_paths() -> None:
    runs = Reruns("a(one, many, scans, topic)")
    for name, kind in (("one", FILE), ("many", FILE), ("scans", FOLDER), ("topic", TEXT)):
        runs.declare(name, kind)
    runs.give_files("one", {"x.csv": "1"})
    runs.give_files("many", {"a/x.csv": "1", "b/x.csv": "2"})
    runs.give_files("scans", {"p.png": "3"})
    runs.give("topic", "mars")
    execution = runs.run().execution
    inputs, omitted = inputs_of(execution, 0)
    assert omitted == ()
    assert [(name, maker) for name, maker, _ in inputs] == [
        (name, NO_TASK) for name in ("one", "many/a/x.csv", "many/b/x.csv", "scans/p.png", "topic")
    ]
    assert inputs[-1].content.media_type == "text/plain"


def test_a_task_that_names_nothing_is_given_no_input_of_the_plan() -> None:
    runs = reading("a[x](data); b[y]; c <- a")
    execution = runs.run().execution
    assert [name for name, _, _ in inputs_of(execution, 2)[0]] == ["x"]


def test_texts_and_json_are_stored_with_the_start() -> None:
    runs = Reruns("a(topic, options)")
    runs.declare("topic")
    runs.declare("options", JSON, '{"a":1}')
    runs.give("topic", "mars")
    runs.start()
    digest = hashlib.sha256(b"mars").hexdigest()
    created = next(entry.event for entry in runs.entries if isinstance(entry.event, events.ExecutionCreated))
    assert [(given.name, given.text, given.json) for given in created.inputs] == [
        ("topic", "mars", None),
        ("options", None, '{"a":1}'),
    ]
    assert created.inputs[0].files[0].content.digest == digest
    assert {b"mars", b'{"a":1}'} <= set(runs.todo.contents.values())


def test_a_value_takes_its_place_in_every_text_and_json_stays_json() -> None:
    runs = Reruns("a")
    runs.declare("t", TEXT, 'say "{{inputs.j}}"')
    runs.declare("j", JSON, '{"n":1.50}')
    spec = runs.specs["a"]
    spec.description = spec.input.description = spec.output.description = "x {{inputs.t}} {{ inputs.j }}"
    spec.input.parameters_json = '{"whole":"{{inputs.j}}","in":["a {{inputs.j}}","{{inputs.t}}"],"n":1.10}'
    spec.validation.description = "{{inputs.t}}"
    spec.validation.criteria.append("{{inputs.j}}")
    spec.validation.checks.add().contains.phrases.append("{{inputs.t}}")
    spec.validation.checks.add().starts_with.phrase = "{{inputs.t}}"
    runs.start()
    (execution,) = runs.machine.state.executions.values()
    filled = plan_pb2.TaskSpec.FromString(execution.map.specs[0])
    text = 'say "{{inputs.j}}"'
    assert filled.description == filled.input.description == filled.output.description == f'x {text} {{"n":1.50}}'
    assert filled.input.parameters_json == (
        '{"whole":{"n":1.50},"in":["a {\\"n\\":1.50}","say \\"{{inputs.j}}\\""],"n":1.10}'
    )
    assert (filled.validation.description, filled.validation.criteria[0]) == (text, '{"n":1.50}')
    assert filled.validation.checks[0].contains.phrases[0] == filled.validation.checks[1].starts_with.phrase == text


@pytest.mark.guard(name="a value is not filled in again")
def test_a_place_in_a_value_is_not_filled_in() -> None:
    given = {"a": GivenInput(name="a", text="{{inputs.a}} {{inputs.b}}\0\n"), "b": GivenInput(name="b", text="no")}
    assert fill_text("<{{inputs.a}}>", given) == "<{{inputs.a}} {{inputs.b}}\0\n>"


# ---------------------------------------------------------------- what a start refuses


def content(size: int = 1) -> Content:
    return Content(digest="0" * 64, size=size, media_type="text/plain")


def files(count: int, size: int = 1) -> tuple[InputFile, ...]:
    return tuple(InputFile(path=f"{number}", content=content(size)) for number in range(count))


def refusal(given: list[GivenInput], **kinds: Any) -> str:
    """Returns the words with which the inputs of a plan with these inputs are refused."""
    runs = Reruns("a")
    for name, kind in kinds.items():
        runs.declare(name, kind)
    with pytest.raises(InputsInvalid) as refused:
        given_inputs(runs.plan, given)
    return str(refused.value)


def test_an_input_that_is_not_set_is_named() -> None:
    assert refusal([], x=TEXT) == "expected the input x, a text, but it is not set"
    assert refusal([], x=FOLDER) == "expected the input x, a folder with files, but it is not set"


@pytest.mark.guard(name="an input that the plan does not declare is refused")
def test_an_input_that_the_plan_does_not_declare_is_refused() -> None:
    assert refusal([GivenInput(name="y", text="")], x=TEXT) == "expected one of the plan's inputs (x), but got 'y'"
    assert refusal([GivenInput(name="y", text="")]) == "expected no inputs, for the plan has none, but got 'y'"


@pytest.mark.parametrize(
    ("kind", "given", "got"),
    [
        (FILE, GivenInput(name="x", text="a"), "a text"),
        (FILE, GivenInput(name="x"), "nothing"),
        (FOLDER, GivenInput(name="x", json="1"), "JSON"),
        (TEXT, GivenInput(name="x", json="1"), "JSON"),
        (TEXT, GivenInput(name="x", text="a", files=files(2)), "2 files and a text"),
        (JSON, GivenInput(name="x", text="1"), "a text"),
    ],
)
def test_an_input_of_another_kind_is_refused(kind: InputKind, given: GivenInput, got: str) -> None:
    assert refusal([given], x=kind).endswith(f" as the input x, but got {got}")


@pytest.mark.parametrize("path", ["", "/a", "a//b", "../a", "a/..", "a\\b", "a\nb", "a" * 1025])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    given = GivenInput(name="x", files=(InputFile(path=path, content=content()),))
    assert refusal([given], x=FILE).startswith("input x: expected a path ")


def test_what_comes_twice_or_too_often_or_is_too_large_is_refused() -> None:
    assert "once, but got it twice" in refusal([GivenInput(name="x", text="")] * 2, x=TEXT)
    assert "each path once" in refusal([GivenInput(name="x", files=files(1) * 2)], x=FILE)
    assert "at most 1,000 files" in refusal([GivenInput(name="x", files=files(1001))], x=FILE)
    large = GivenInput(name="x", files=files(17, 64 << 20))
    assert "at most 1,073,741,824 bytes in all files" in refusal([large], x=FILE)
    texts = [GivenInput(name=name, text="é" * 120_000) for name in "abcde"]
    assert "at most 1,048,576 bytes of texts and JSON" in refusal(texts, **dict.fromkeys("abcde", TEXT))


def test_a_text_that_would_be_too_long_with_its_inputs_is_refused_by_the_name_of_its_task() -> None:
    runs = Reruns("a")
    runs.declare("x")
    runs.edit("a", description="{{inputs.x}}" * 11)
    with pytest.raises(InputsInvalid, match="expected at most 1,048,576 bytes in task a with the inputs"):
        given_inputs(runs.plan, [GivenInput(name="x", text="a" * 100_000)])


@pytest.mark.guard(name="a check compares with something")
@pytest.mark.parametrize("text", ["", " \n", "a" * 10_001])
def test_a_check_is_not_made_empty_by_an_input(text: str) -> None:
    runs = Reruns("a")
    runs.declare("x")
    runs.specs["a"].validation.checks.add().contains.phrases.append("{{inputs.x}}")
    with pytest.raises(InputsInvalid, match="which a check of task a compares with"):
        given_inputs(runs.plan, [GivenInput(name="x", text=text)])


def test_a_map_without_inputs_is_bound_to_itself() -> None:
    plan = Reruns("a").plan
    assert plan.bound(()) is plan
    assert plan.places == {}
