"""Apps as users write them: decorators, names, versions, and the values that functions get and raise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from signoff.app import App, Cancelled, Context, Document, Failed, Task, Verdict


def test_a_function_is_registered_under_its_own_name_or_the_one_it_is_given() -> None:
    app = App()

    @app.executor
    def fetch() -> str:
        return "papers"

    @app.executor(name="fetch-all", version="2", process=True)
    async def fetch_all() -> str:
        return "all papers"

    @app.validator
    def complete(candidate: str) -> bool:
        return bool(candidate)

    assert list(app.executors) == ["fetch", "fetch-all"]
    assert list(app.validators) == ["complete"]
    assert (app.executors["fetch-all"].version, app.executors["fetch-all"].process) == ("2", True)
    assert (app.executors["fetch"].is_async, app.executors["fetch-all"].is_async) == (False, True)
    assert (app.executors["fetch"].judges, app.validators["complete"].judges) == (False, True)


def test_a_registered_function_can_be_called_as_before() -> None:
    app = App()

    @app.executor(name="other")
    def double(number: int) -> int:
        return 2 * number

    assert double(4) == 8


@pytest.mark.parametrize("name", ["model", "command", "judge", "two words", "a,b", "x" * 129, "line\n"])
def test_a_name_that_plans_cannot_ask_for_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected a name"):
        App().executor(name=name)(len)


def test_a_name_that_is_taken_is_refused() -> None:
    app = App()
    app.executor(name="size")(len)
    app.validator(name="size")(len)
    with pytest.raises(ValueError, match="'size' is registered twice"):
        app.executor(name="size")(len)


def test_a_name_in_the_place_of_the_function_is_blamed() -> None:
    with pytest.raises(TypeError, match="a name is given as name='fetch'"):
        App().executor("fetch")  # type: ignore[call-overload]


def test_the_version_follows_from_the_source_unless_it_is_given() -> None:
    app = App()

    def body(number: int) -> Callable[[], int]:
        return lambda: number

    def one() -> int:
        return 1

    def two() -> int:
        return 2

    calls: dict[str, Callable[..., Any]] = {"one": one, "same": one, "two": two, "builtin": len}
    for name, call in calls.items():
        app.executor(name=name)(call)
    app.executor(name="told", version="3")(body(3))
    versions = {name: function.version for name, function in app.executors.items()}
    assert versions["one"] == versions["same"] != versions["two"]
    assert len(versions["one"]) == 64
    assert (versions["builtin"], versions["told"]) == ("1", "3")


def test_a_test_may_make_a_context_of_its_own() -> None:
    context = Context(Task(id="1", parameters={"limit": 3}))
    context.progress("half")
    context.usage("writer", input_tokens=3)
    context.save({"pages": 3})
    context.raise_if_cancelled()
    assert (context.task.parameters, context.inputs, context.feedback, context.cancelled) == (
        {"limit": 3},
        (),
        None,
        False,
    )


def test_cancelled_passes_code_that_catches_exceptions() -> None:
    class Gone:
        cancelled = True

        def progress(self, text: str) -> None: ...

        def checkpoint(self, content: bytes) -> None: ...

        def usage(self, *_: Any) -> None: ...

    def works_on() -> None:
        with suppress(Exception):
            Context(Task(id="1"), reporter=Gone()).raise_if_cancelled()

    with pytest.raises(Cancelled):
        works_on()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (2, timedelta(seconds=2)),
        (0.5, timedelta(seconds=0.5)),
        (timedelta(hours=1), timedelta(hours=1)),
        (timedelta.max, timedelta(days=1)),
        (-3, timedelta(0)),
        (None, None),
    ],
)
def test_a_failure_may_name_the_time_until_the_next_attempt(
    given: float | timedelta | None, meant: timedelta | None
) -> None:
    assert Failed("busy", retry_after=given).retry_after == meant


@pytest.mark.parametrize("cost", [{"input_tokens": -1}, {"output_tokens": 1.5}, {"requests": None}])
def test_costs_that_are_no_whole_numbers_are_refused_where_they_are_told(cost: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected a whole number as \w+, but got"):
        Context(Task(id="1")).usage("writer", **cost)
    with pytest.raises(TypeError, match="expected a model's name, but got 3"):
        Context(Task(id="1")).usage(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan"), "\ud800", "x" * 65_535])
def test_what_is_no_json_or_too_much_is_refused_where_it_is_saved(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        Context(Task(id="1")).save(value)


def test_a_test_may_give_a_context_something_to_go_on_from() -> None:
    assert Context(Task(id="1"), checkpoint=[1, 2]).checkpoint == [1, 2]
    assert Context(Task(id="1")).checkpoint is None


def test_an_exception_may_be_the_reason_of_a_failure() -> None:
    assert Failed(ValueError("odd")).message == "odd"


def test_a_permanent_failure_and_a_verdict_say_what_they_are() -> None:
    failed = Failed.permanent("no such topic")
    assert (str(failed), failed.is_permanent, Failed("x").is_permanent) == ("no such topic", True, False)
    assert Verdict.passed() == Verdict(is_pass=True)
    assert Verdict.failed("too short", retry=False) == Verdict(is_pass=False, reason="too short", retry=False)


def test_a_document_is_bytes_text_and_json() -> None:
    document = Document(name="a", task_id="1", media_type="application/json", digest="", content=b'{"a": "\xc3\xa9"}')
    assert (document.text, document.json()) == ('{"a": "é"}', {"a": "é"})


def test_importing_it_brings_no_grpc() -> None:
    probe = "import sys, signoff.app; sys.exit(any(name.startswith(('grpc', 'google')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
