"""The place where a user's code failed, and the gist of the failure."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from signoff.app import Failed
from tests.support.work.functions import HeardLine, callee, job, outcome_of
from worker_svc.functions.calling import Callee
from worker_svc.functions.job import Broken
from worker_svc.functions.loading import callees_of

APP = """
import json
from pathlib import Path

from signoff.app import App, Context

from {package}.rows import first

app = App()


@app.executor
def raises() -> str:
    raise ValueError("bad row")


@app.executor
def reads_no_json() -> str:
    return json.loads("{{")


@app.executor
def deep() -> str:
    return first([])


@app.executor
def makes_nothing() -> str:
    return None
"""
ROWS = """
def first(rows):
    return rows[0]
"""


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Callee]]:
    """Writes an app into a package of the user's, in the current directory."""
    folder = tmp_path / "their_work"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "app.py").write_text(APP.format(package="their_work"))
    (folder / "rows.py").write_text(ROWS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield callees_of("their_work.app:app", judges=False)
    for name in [name for name in sys.modules if name.startswith("their_work")]:
        del sys.modules[name]


def broken(function: Callee) -> Broken:
    outcome = function.call(job(), HeardLine())
    assert isinstance(outcome, Broken)
    return outcome


def test_the_message_names_the_line_of_the_users_own_code_from_where_the_app_lies(
    functions: dict[str, Callee], tmp_path: Path
) -> None:
    lines = (tmp_path / "their_work" / "app.py").read_text().splitlines()
    raised = lines.index('    raise ValueError("bad row")') + 1
    assert broken(functions["raises"]).message == f"ValueError: bad row (their_work/app.py:{raised} in raises)"
    parsed = lines.index('    return json.loads("{")') + 1
    assert broken(functions["reads_no_json"]).message.endswith(f" (their_work/app.py:{parsed} in reads_no_json)")
    assert broken(functions["deep"]).message.endswith("(their_work/rows.py:3 in first)")
    assert str(tmp_path) not in broken(functions["deep"]).message


def test_the_line_is_named_although_the_working_directory_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follows_rules() -> str:
        exec(compile("first = [][0]", "rules/one.py", "exec"))
        return "done"

    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert broken(callee(follows_rules)).message.endswith("one.py:1 in <module>)")


def test_what_fails_in_the_same_way_has_the_same_gist_and_something_else_another(functions: dict[str, Callee]) -> None:
    gists = {name: broken(function).gist for name, function in functions.items()}
    assert all(gists.values())
    assert len(set(gists.values())) == len(gists)
    assert gists == {name: broken(function).gist for name, function in functions.items()}


class BadRow(Exception):
    """An exception of the user's own."""


class ServiceUnavailable(Exception):
    """An exception with a name from a library."""


def raised_from(cause: BaseException) -> Callable[[], str]:
    def fetch() -> str:
        try:
            raise cause
        except type(cause) as error:
            raise RuntimeError("it came to nothing") from error

    return fetch


def raising(error: BaseException) -> Callable[[], str]:
    def fetch() -> str:
        raise error

    return fetch


def gist(call: Callable[..., Any]) -> str:
    outcome = outcome_of(call, job())
    assert isinstance(outcome, Broken)
    return outcome.gist


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"),
        KeyError("topic"),
        BadRow("3"),
        RuntimeError("odd"),
        AssertionError(),
        SystemExit(1),
        FileNotFoundError(2, "No such file", "words.txt"),
        PermissionError(13, "Permission denied", "words.txt"),
        ExceptionGroup("some", [ValueError("bad")]),
    ],
)
def test_an_exception_about_the_work_comes_again(error: BaseException) -> None:
    assert gist(raising(error))


@pytest.mark.guard(name="what may pass has no gist")
@pytest.mark.parametrize(
    "call",
    [
        raising(ConnectionResetError(104, "reset by peer")),
        raising(TimeoutError()),
        raising(OSError(28, "No space left")),
        raising(MemoryError()),
        raising(asyncio.CancelledError()),
        raising(ServiceUnavailable("503")),
        raising(RuntimeError("the archive is temporarily closed")),
        raised_from(ConnectionRefusedError(111, "refused")),
        raising(ExceptionGroup("some", [ValueError("bad"), TimeoutError()])),
    ],
)
def test_what_tells_of_the_world_outside_may_go_better_by_itself(call: Callable[[], str]) -> None:
    assert gist(call) == ""


def test_a_failure_in_the_words_of_the_function_may_go_better_unless_it_says_otherwise() -> None:
    assert gist(raising(Failed("no words yet"))) == ""


def test_of_a_group_the_first_exception_is_told_with_its_line() -> None:
    async def one() -> None:
        json.loads("{")

    async def fetch() -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(one())
        return ""

    outcome = callee(fetch).call(job(), HeardLine())
    assert isinstance(outcome, Broken)
    assert "the first of them JSONDecodeError: " in outcome.message
    assert outcome.message.endswith(" in one)")
