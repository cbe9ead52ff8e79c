"""The version of a prompt follows from its words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from signoff.v1 import plan_pb2
from worker_svc.prompts import blocks, shares
from worker_svc.prompts import excerpts as shown
from worker_svc.prompts import messages as prompts
from worker_svc.prompts import version as prompt_version
from worker_svc.prompts.messages import execute_messages
from worker_svc.prompts.version import bare, crowded, execute_version, full, judge_version


@pytest.fixture
def version() -> Iterator[Callable[[], str]]:
    """Computes the version of the executor's prompt anew."""

    def anew() -> str:
        execute_version.cache_clear()
        return execute_version()

    yield anew
    execute_version.cache_clear()


@pytest.fixture
def judges() -> Iterator[Callable[[], str]]:
    """Computes the version of the judge's prompt anew."""

    def anew() -> str:
        judge_version.cache_clear()
        return judge_version()

    yield anew
    judge_version.cache_clear()


def test_the_same_words_have_the_same_version(version: Callable[[], str]) -> None:
    assert version() == version()
    assert version().startswith("execute-")


@pytest.mark.parametrize("name", ["_EXECUTE_SYSTEM", "MAX_ARTIFACT_CHARS", "MAX_TOTAL_CHARS"])
def test_other_words_and_other_limits_have_another_version(
    name: str, version: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, value = version(), getattr(prompts, name)
    monkeypatch.setattr(prompts, name, value[:-1] if isinstance(value, str) else value // 2)
    assert version() != before


@pytest.mark.parametrize(
    "part", ["_purpose", "_input_lines", "_output_lines", "_requirement_lines", "_feedback_lines", "describe_check"]
)
def test_every_part_of_the_prompt_counts(
    part: str, version: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = version(), getattr(prompts, part)

    def other(*given: object) -> object:
        written = write(*given)
        return written + "!" if isinstance(written, str) else [*written, "another line"]

    monkeypatch.setattr(prompts, part, other)
    assert version() != before


def test_the_sample_has_every_part_there_is() -> None:
    prompt = execute_messages(full())[1].content
    for part in (
        "# The plan is for",
        "# The task (1)",
        "Parameters:",
        "Only the first",
        "Not available: omitted (reason)",
        "Format: format",
        "# The output will be rejected unless",
        "# A previous attempt was rejected",
        "It was:",
    ):
        assert part in prompt
    assert "No artifacts of other tasks." in execute_messages(bare())[1].content


@pytest.mark.parametrize(("module", "name"), [(shares, "LEAST_SHARE"), (shown, "MAX_NAMED_CHARS")])
def test_how_the_space_is_divided_counts_for_executors_and_judges(
    module: ModuleType,
    name: str,
    version: Callable[[], str],
    judges: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = version(), judges()
    monkeypatch.setattr(module, name, getattr(module, name) // 2)
    assert version() != before[0]
    assert judges() != before[1]


def test_what_is_said_of_inputs_that_are_not_shown_is_in_a_sample() -> None:
    prompt = execute_messages(crowded())[1].content
    assert "Not shown, for there is no room: more " in prompt
    assert "more inputs" in prompt


def test_what_is_said_of_what_the_author_was_not_shown_counts(
    judges: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = judges(), prompts._unread_lines
    monkeypatch.setattr(prompts, "_unread_lines", lambda *given: [*write(*given), "another line"])
    assert judges() != before


def test_the_sample_has_every_kind_of_check() -> None:
    kinds = {field.name for field in plan_pb2.Check.DESCRIPTOR.oneofs_by_name["kind"].fields}
    assert {check.WhichOneof("kind") for check in full().task.validation.checks} == kinds


def test_the_judges_words_do_not_count(version: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    before = version()
    monkeypatch.setattr(prompts, "_JUDGE_SYSTEM", "Judge.")
    assert version() == before


def test_the_same_judge_has_the_same_version(judges: Callable[[], str]) -> None:
    assert judges() == judges()
    assert judges().startswith("judge-")


@pytest.mark.parametrize("name", ["_JUDGE_SYSTEM", "MAX_ARTIFACT_CHARS", "MAX_TOTAL_CHARS"])
def test_other_words_and_other_limits_make_another_judge(
    name: str, judges: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, value = judges(), getattr(prompts, name)
    monkeypatch.setattr(prompts, name, value[:-1] if isinstance(value, str) else value // 2)
    assert judges() != before


@pytest.mark.parametrize("part", ["_purpose", "_input_lines", "_output_lines", "_block"])
def test_every_part_of_the_judges_prompt_counts(
    part: str, judges: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = judges(), getattr(prompts, part)
    monkeypatch.setattr(prompts, part, lambda *given, **named: [*write(*given, **named), "another line"])
    assert judges() != before


def test_how_the_unseen_is_shown_counts(judges: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    before = judges()
    monkeypatch.setattr(blocks, "made_visible", lambda text: text)
    assert judges() != before


def test_the_form_of_the_judges_answer_counts(judges: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    before = judges()
    monkeypatch.setattr(prompt_version, "judge_schema", lambda count: {"type": "object"})
    assert judges() != before


def test_the_executors_words_do_not_count_for_the_judge(
    judges: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = judges()
    monkeypatch.setattr(prompts, "_EXECUTE_SYSTEM", "Work.")
    assert judges() == before
