"""Parameters get their values by name, and a sentence says which value does not fit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from signoff.app import Artifact, Context, Document, Feedback, Parameter
from tests.support.work.functions import document, job, outcome_of
from worker_svc.functions.job import Broken, FunctionJob, Judged


class Topic(BaseModel):
    name: str
    year: int = 2026


@dataclass
class Place:
    city: str


def bound(call: Callable[..., Any], given: FunctionJob) -> Any:
    """Returns the arguments that a function is called with."""
    seen: list[Any] = []

    @functools.wraps(call)
    def remembers(**arguments: Any) -> str:
        seen.append(arguments)
        return "done"

    outcome = outcome_of(remembers, given)
    assert not isinstance(outcome, Broken), outcome
    return seen[0]


def refusal(call: Callable[..., Any], given: FunctionJob) -> str:
    outcome = outcome_of(call, given)
    assert isinstance(outcome, Broken)
    assert outcome.is_permanent
    assert not outcome.traceback
    return outcome.message


def test_artifacts_and_parameters_become_arguments_by_name() -> None:
    def fetch(topic: Topic, place: Place, limit: int, since: date, more: str = "more") -> None: ...

    inputs = document('{"name": "Mars"}'), document('{"city": "Rome"}', "place")
    given = job(*inputs, parameters={"limit": 7, "since": "2026-01-02", "unused": 1})
    assert bound(fetch, given) == {
        "topic": Topic(name="Mars"),
        "place": Place(city="Rome"),
        "limit": 7,
        "since": date(2026, 1, 2),
    }


def test_an_artifact_wins_over_a_parameter_of_the_same_name_unless_told_otherwise() -> None:
    def fetch(
        topic: str, told: Annotated[str, Parameter("topic")], made: Annotated[str, Artifact("topic")]
    ) -> None: ...

    given = job(document("of the artifact"), parameters={"topic": "of the plan"})
    assert bound(fetch, given) == {"topic": "of the artifact", "told": "of the plan", "made": "of the artifact"}


def test_names_that_are_no_identifiers_are_given_by_annotation() -> None:
    def fetch(
        config: Annotated[Topic, Artifact("search-config")], most: Annotated[int, Parameter("max-items")]
    ) -> None: ...

    given = job(document('{"name": "Mars"}', "search-config"), parameters={"max-items": 3})
    assert bound(fetch, given) == {"config": Topic(name="Mars"), "most": 3}


def test_an_artifact_can_be_named_by_the_task_that_made_it() -> None:
    def join(left: Annotated[str, Artifact("1_1")], right: Annotated[str, Artifact("1_2")]) -> None: ...

    inputs = document("a", "", "1_1"), document("b", "same", "1_2"), document("c", "same", "1_3")
    assert bound(join, job(*inputs)) == {"left": "a", "right": "b"}


def test_raw_types_get_the_content_as_it_is() -> None:
    def fetch(
        raw: bytes, text: str, whole: Document, short: Annotated[str, Field(max_length=9)] | None = None
    ) -> None: ...

    inputs = [document('"é"', name) for name in ("raw", "text", "whole", "short")]
    assert bound(fetch, job(*inputs)) == {"raw": '"é"'.encode(), "text": '"é"', "whole": inputs[2], "short": '"é"'}


@pytest.mark.parametrize(
    ("content", "media_type", "value"),
    [
        (b'{"a": 1}', "application/json; charset=utf-8", {"a": 1}),
        (b'{"a": 1}', "text/plain", '{"a": 1}'),
        (b"\xff", "application/octet-stream", b"\xff"),
    ],
)
def test_without_a_type_the_media_type_decides(content: bytes, media_type: str, value: object) -> None:
    def fetch(topic) -> None: ...  # type: ignore[no-untyped-def]

    assert bound(fetch, job(document(content, media_type=media_type))) == {"topic": value}


def test_null_is_a_value_and_an_absent_parameter_takes_its_default() -> None:
    def fetch(topic: str | None = "default", limit: int = 3) -> None: ...

    assert bound(fetch, job(parameters={"topic": None})) == {"topic": None}


def test_the_context_tells_of_the_call() -> None:
    seen: list[Context] = []

    def fetch(ctx: Context) -> str:
        seen.append(ctx)
        return "done"

    feedback = Feedback(summary="too short", reasons=("length: 3",), candidate=document("old"))
    given = job(document("a"), parameters=[1], feedback=feedback)
    outcome_of(fetch, given)
    assert (seen[0].task, seen[0].inputs, seen[0].feedback) == (given.task, given.inputs, feedback)


# ---------------------------------------------------------------- what does not fit


def test_a_missing_value_names_the_parameter_what_was_expected_and_what_there_is() -> None:
    def fetch(topic: Topic) -> None: ...

    assert refusal(fetch, job()) == (
        "parameter topic (Topic) of fetch: expected an input artifact topic, or topic in input.parameters, "
        "but task 2 has no artifacts and no parameters"
    )
    given = job(
        document("a", "papers"), document("b", "", "1_3"), parameters={"limit": 1}, omitted=("topic (too large)",)
    )
    assert refusal(fetch, given).endswith(
        "but task 2 has the artifacts papers, 1_3 and the parameters limit; it does not get topic (too large)"
    )


def test_a_missing_value_of_a_kind_says_which_kind() -> None:
    def fetch(topic: Annotated[str, Artifact("search-config")]) -> None: ...

    def limited(limit: Annotated[int, Parameter("max-items")]) -> None: ...

    assert "expected an input artifact search-config, but" in refusal(fetch, job(parameters={"search-config": 1}))
    assert "expected max-items in input.parameters, but" in refusal(limited, job(document("3", "max-items")))


def test_a_list_of_very_many_names_is_cut_short() -> None:
    def fetch(topic: Topic) -> None: ...

    given = job(parameters={f"p{number}": 0 for number in range(30)})
    assert refusal(fetch, given).endswith("p18, p19, …")


def test_an_artifact_of_the_wrong_shape_is_named_with_each_problem_on_a_line() -> None:
    def fetch(topic: Topic) -> None: ...

    assert refusal(fetch, job(document('{"year": "soon"}'))) == (
        "artifact topic (made by 1_1): expected Topic: name: Field required\n"
        "year: Input should be a valid integer, unable to parse string as an integer"
    )
    assert refusal(fetch, job(document("# Mars"))).startswith(
        "artifact topic (made by 1_1): expected Topic: Invalid JSON: expected value at line 1 column 1"
    )


def test_of_many_problems_the_first_few_are_told() -> None:
    def fetch(topic: list[int]) -> None: ...

    lines = refusal(fetch, job(document('["a", "b", "c", "d", "e", "f", "g"]'))).splitlines()
    assert len(lines) == 6
    assert lines[-1] == "and 2 more"


def test_bytes_that_are_no_text_and_parameters_of_another_type_are_blamed() -> None:
    def fetch(topic: str) -> None: ...

    assert refusal(fetch, job(document(b"\xff"))).startswith(
        "artifact topic (made by 1_1): expected str: 'utf-8' codec"
    )
    assert refusal(fetch, job(parameters={"topic": 3})) == (
        "input.parameters.topic: expected str: Input should be a valid string"
    )


def test_a_whole_document_cannot_come_from_the_plans_parameters() -> None:
    def fetch(topic: Document) -> None: ...

    assert refusal(fetch, job(parameters={"topic": "Mars"})) == (
        "parameter topic: expected an artifact, but input.parameters has that name"
    )


def test_two_artifacts_of_one_name_ask_for_the_task_to_be_named() -> None:
    def fetch(topic: str) -> None: ...

    assert refusal(fetch, job(document("a"), document("b", task_id="1_2"))) == (
        "expected one input artifact topic, but 1_1 and 1_2 made one each: "
        'name the task instead, as in Annotated[…, Artifact("1_1")]'
    )


def test_a_candidate_of_the_wrong_shape_fails_and_an_input_of_the_wrong_shape_breaks_the_check() -> None:
    def complete(papers: Topic, limit: int) -> None: ...

    failed = outcome_of(complete, job(candidate="{}", parameters={"limit": 3}), judges=True)
    assert failed == Judged(is_pass=False, reason="expected Topic: name: Field required")
    broken = outcome_of(complete, job(candidate='{"name": "Mars"}', parameters={"limit": "x"}), judges=True)
    assert isinstance(broken, Broken)
    assert broken.message.startswith("input.parameters.limit: expected int")


def of_plan(content: str | bytes, name: str) -> Document:
    body = content if isinstance(content, bytes) else content.encode()
    return Document(name=name, task_id="", media_type="text/csv", digest="", content=body)


def test_several_files_of_an_input_are_a_mapping_by_their_paths() -> None:
    def read(scans: dict[str, bytes], texts: dict[str, str], both: Any) -> None: ...

    files = of_plan("1", "scans/a.csv"), of_plan(b"\xff", "scans/sub/b.bin"), of_plan("é", "texts/c.txt")
    given = job(*files, of_plan("2", "both/x"), of_plan(b"\xff", "both/y"))
    assert bound(read, given) == {
        "scans": {"a.csv": b"1", "sub/b.bin": b"\xff"},
        "texts": {"c.txt": "é"},
        "both": {"x": "2", "y": b"\xff"},
    }


def test_several_files_for_one_text_and_bytes_for_texts_are_told() -> None:
    def read(scans: str) -> None: ...
    def read_all(scans: dict[str, str]) -> None: ...

    files = of_plan("1", "scans/a.csv"), of_plan(b"\xff", "scans/b.bin")
    assert refusal(read, job(*files)) == (
        "input scans has 2 files, and scans (str) takes one: take them as dict[str, bytes], by their paths"
    )
    assert "input scans: expected dict[str, str]: b.bin: " in refusal(read_all, job(*files))


def test_a_single_file_of_an_input_is_bound_as_an_artifact_is() -> None:
    def read(data: bytes, topic: str) -> None: ...

    assert bound(read, job(of_plan(b"\xff", "data"), of_plan("mars", "topic"))) == {"data": b"\xff", "topic": "mars"}
    assert "artifact topic (an input of the plan): expected str" in refusal(
        read, job(of_plan("1", "data"), of_plan(b"\xff", "topic"))
    )
