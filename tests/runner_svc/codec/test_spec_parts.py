"""The keys of a task are made of named fields, and stay what they are from version to version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import pytest
from google.protobuf import duration_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from runner_svc.codec.spec_parts import spec_parts
from runner_svc.core.model.keys import SpecParts, changed_parts, key_of
from signoff.v1 import plan_pb2 as pb

OTHER_FILES = pytest.mark.guard(name="other files are other work")
PICTURES = pytest.mark.guard(name="who sees pictures judges otherwise")

TASK = pb.TaskSpec(
    task_id="1_2",
    description="Write about it",
    input=pb.TaskInput(description="the notes", artifacts=["notes"], parameters_json='{"words": 100}'),
    output=pb.TaskOutput(description="a report", artifact="report", format="Markdown"),
    executor=pb.ExecutorSpec(model="gpt-5-mini", temperature=0.2, max_tokens=900),
    validation=pb.Validation(
        description="It is a report",
        criteria=["It is short", "It names its sources"],
        checks=[pb.Check(length=pb.LengthCheck(max_chars=900)), pb.Check(function=pb.FunctionCheck(name="spell"))],
        judge=pb.JudgeSpec(model="gpt-5", labels={"pool": "b"}, votes=3, needed=2),
        human=True,
    ),
)


def parts(change: Callable[[pb.TaskSpec], object] = lambda _: None) -> SpecParts:
    task = pb.TaskSpec()
    task.CopyFrom(TASK)
    change(task)
    return spec_parts(task.SerializeToString())


def test_the_keys_are_those_of_the_version_that_introduced_them() -> None:
    """A change here means that people pay for everything again: make it on purpose only."""
    found = parts()
    assert found.make == (
        ("id", "1_2"),
        ("description", "Write about it"),
        ("input", "the notes"),
        ("parameters", '{"words": 100}'),
        ("output", "a report"),
        ("artifact", "report"),
        ("format", "Markdown"),
        ("executor", "model"),
        ("model", "gpt-5-mini"),
        ("temperature", "0.2"),
        ("max_tokens", "900"),
    )
    assert found.sign_off == (
        ("validation", "It is a report"),
        ("criteria", '["It is short", "It names its sources"]'),
        ("checks", r'["{\"length\": {\"max_chars\": \"900\"}}", "{\"function\": {\"name\": \"spell\"}}"]'),
        ("judge", "gpt-5"),
        ("judge's labels", '[["pool", "b"]]'),
        ("votes", "3"),
        ("votes needed", "2"),
        ("person", "asked"),
    )
    assert key_of(found.make) == "7917dc89b277b6b0e7438e9212963249b7206359ae375faf48a8baea0c935161"
    assert key_of(found.sign_off) == "a37bfadac5c366bd4cc20e0f63275349a6c8060c931a5fa50bc920c8d03ff470"


def test_an_empty_spec_has_few_parts() -> None:
    assert spec_parts(b"") == SpecParts(make=(("executor", "model"),), sign_off=())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("description", lambda task: setattr(task, "description", "Write")),
        ("input", lambda task: setattr(task.input, "description", "none")),
        ("parameters", lambda task: setattr(task.input, "parameters_json", "{}")),
        ("output", lambda task: setattr(task.output, "description", "a page")),
        ("artifact", lambda task: setattr(task.output, "artifact", "page")),
        ("format", lambda task: setattr(task.output, "format", "JSON")),
        pytest.param("files", lambda task: task.output.files.append("*.md"), marks=OTHER_FILES),
        ("executor", lambda task: setattr(task.executor, "name", "fetch")),
        ("command", lambda task: task.executor.command.argv.append("sort")),
        ("model", lambda task: setattr(task.executor, "model", "gpt-5")),
        ("temperature", lambda task: setattr(task.executor, "temperature", 0.0)),
        ("max_tokens", lambda task: setattr(task.executor, "max_tokens", 1)),
    ],
)
def test_each_part_that_reaches_the_executor_changes_the_make_key_alone(
    name: str, change: Callable[[pb.TaskSpec], object]
) -> None:
    before, after = parts(), parts(change)
    assert name in changed_parts(before.make, after.make)
    assert before.sign_off == after.sign_off


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("validation", lambda task: setattr(task.validation, "description", "It is good")),
        ("criteria", lambda task: task.validation.criteria.append("It is long")),
        ("checks", lambda task: setattr(task.validation.checks[0].length, "max_chars", 1)),
        ("judge", lambda task: setattr(task.validation.judge, "model", "gpt-5-mini")),
        ("judge's labels", lambda task: task.validation.judge.labels.update(pool="c")),
        ("votes", lambda task: setattr(task.validation.judge, "votes", 5)),
        ("votes needed", lambda task: setattr(task.validation.judge, "needed", 3)),
        ("person", lambda task: setattr(task.validation, "human", False)),
        pytest.param("pictures", lambda task: setattr(task.validation.judge, "images", True), marks=PICTURES),
    ],
)
def test_each_part_that_judges_changes_the_sign_off_key_alone(
    name: str, change: Callable[[pb.TaskSpec], object]
) -> None:
    before, after = parts(), parts(change)
    assert changed_parts(before.sign_off, after.sign_off) == (name,)
    assert before.make == after.make


#: Fields that change neither what a task makes nor how it is judged.
OF_NO_KEY = {
    "input.artifacts",  # what is read is in the make key, by the names it is read by
    "input.with_dependencies",
    "executor.labels",
    "executor.escalation",
    "executor.run_timeout",
    "executor.idle_timeout",
    "executor.outage_patience",
    "executor.max_failures",
    "validation.canaries",
    "budget.tokens",
    "budget.cost_nanos",
    "on_failure",
}


@pytest.mark.guard(name="other files are other work")
@pytest.mark.guard(name="who sees pictures judges otherwise")
def test_every_field_of_a_spec_changes_a_key_or_is_known_to_change_none() -> None:
    unchanged = {path for path, change in changes_in(pb.TaskSpec) if parts(change) == parts()}
    assert unchanged == OF_NO_KEY


def changes_in(kind: type[Message], at: tuple[str, ...] = ()) -> Iterator[tuple[str, Callable[[pb.TaskSpec], object]]]:
    """Yields, for each field of a spec, its path and a function that changes it. Checks count as a whole."""
    for one in cast(Descriptor, kind.DESCRIPTOR).fields:
        path = (*at, one.name)
        is_part = one.message_type is not None and one.message_type.file.name == pb.DESCRIPTOR.name
        if is_part and not one.is_repeated:
            yield from changes_in(GetMessageClass(cast(Descriptor, one.message_type)), path)
        else:
            yield ".".join(path), partial(changed, path=at, one=one)


def changed(task: pb.TaskSpec, *, path: tuple[str, ...], one: FieldDescriptor) -> None:
    holder: Any = task
    for name in path:
        holder = getattr(holder, name)
    if one.message_type is not None and one.message_type.GetOptions().map_entry:
        getattr(holder, one.name)["other"] = "value"
    elif one.message_type is not None:
        (getattr(holder, one.name).add() if one.is_repeated else getattr(holder, one.name)).SetInParent()
    elif one.is_repeated:
        getattr(holder, one.name).append("other")
    elif one.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        setattr(holder, one.name, "other")
    elif one.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        setattr(holder, one.name, not getattr(holder, one.name))
    else:
        setattr(holder, one.name, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda task: task.executor.run_timeout.CopyFrom(duration_pb2.Duration(seconds=5)),
        lambda task: task.executor.labels.update(gpu="a100"),
        lambda task: task.executor.escalation.append("gpt-5"),
        lambda task: setattr(task.executor, "max_failures", 5),
        lambda task: setattr(task.budget, "tokens", 5),
        lambda task: setattr(task, "on_failure", pb.ON_FAILURE_STOP),
        lambda task: task.validation.canaries.add(candidate="bad"),
    ],
)
def test_what_changes_no_result_changes_no_key(change: Callable[[pb.TaskSpec], object]) -> None:
    assert parts(change) == parts()


@pytest.mark.parametrize(
    ("argv", "names_files"),
    [
        (["sort", "-u"], False),
        (["./run"], False),  # in its own folder, where nothing is
        (["python3", "/srv/clean.py"], True),
        (["cat", "{input:a/b}"], False),
        (["python3", "-c", "print(open('/etc/hosts').read())"], True),
    ],
)
def test_a_program_with_a_path_depends_on_files(argv: list[str], names_files: bool) -> None:
    assert parts(lambda task: task.executor.command.argv.extend(argv)).runs_files == (names_files, False)
    check = pb.Check(command=pb.CommandCheck(argv=argv))
    assert parts(lambda task: task.validation.checks.append(check)).runs_files == (False, names_files)


def test_parts_that_are_gone_or_new_are_changes_too() -> None:
    assert changed_parts((("a", "1"), ("b", "2")), (("b", "2"), ("c", "3"))) == ("a", "c")
