"""An app is found by module and attribute; a problem is one line that says where it is."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.work.functions import SAMPLE
from worker_svc.functions.loading import AppBroken, functions_of, load

Write = Callable[[str], str]

HEAD = "from signoff.app import App\napp = App()\n"
_numbers = itertools.count(1)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module into the current directory, and returns its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    written: list[str] = []

    def write(source: str) -> str:
        written.append(f"written_{next(_numbers)}")
        (tmp_path / f"{written[-1]}.py").write_text(source)
        return written[-1]

    yield write
    for name in written:
        sys.modules.pop(name, None)


def refusal(*apps: str) -> str:
    with pytest.raises(AppBroken) as refused:
        functions_of(apps)
    said = str(refused.value)
    assert said.startswith(f"--app {apps[-1]}")
    assert "\n" not in said
    return said.removeprefix(f"--app {apps[-1]}").lstrip(": ")


def test_an_app_in_the_current_directory_is_found(write: Write) -> None:
    name = write(f"{HEAD}\n@app.executor\ndef fetch(topic: str) -> str:\n    return topic\n")
    functions = functions_of([f"{name}:app"])
    assert (list(functions.executors), list(functions.validators)) == (["fetch"], [])
    assert functions.executors["fetch"].app == f"{name}:app"


def test_an_app_may_be_an_attribute_of_an_attribute(write: Write) -> None:
    name = write(f"{HEAD}\napp.executor(len)\nclass Apps:\n    mine = app\n")
    assert list(load(f"{name}:Apps.mine").executors) == ["len"]


def test_several_apps_are_one_and_share_no_name(write: Write) -> None:
    name = write(f"{HEAD}\n@app.executor\ndef fetch(topic: str) -> str:\n    return topic\n")
    other = write(f"{HEAD}\n@app.validator\ndef fetch(text: str) -> bool:\n    return True\n")
    functions = functions_of([f"{name}:app", f"{other}:app"])
    assert (list(functions.executors), list(functions.validators)) == (["fetch"], ["fetch"])
    assert refusal(SAMPLE, f"{name}:app") == f"expected each name once, but {SAMPLE} has 'fetch' too"


@pytest.mark.parametrize("app", ["my_worker", ":app", "my_worker:"])
def test_an_app_without_module_or_attribute_is_refused(app: str) -> None:
    assert refusal(app) == "expected MODULE:ATTRIBUTE, such as my_worker:app"


def test_a_module_that_is_not_there_is_named_with_where_it_was_looked_for(write: Write, tmp_path: Path) -> None:
    assert refusal("nowhere:app") == (
        f"expected a module nowhere, but there is none, neither in {tmp_path} nor installed"
    )
    assert refusal("json.nowhere:app").startswith("expected a module json.nowhere, but there is none")


def test_an_import_of_the_users_that_fails_comes_with_its_line(write: Write, tmp_path: Path) -> None:
    name = write("import os\n\n\nimport nowhere_at_all\n")
    where = f"at {tmp_path}/{name}.py, line 4: import nowhere_at_all"
    assert refusal(f"{name}:app") == (
        f"cannot be imported: ModuleNotFoundError: No module named 'nowhere_at_all' {where}"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0\n", "cannot be imported: ZeroDivisionError: division by zero at "),
        ("def broken(:\n", "cannot be imported: File "),
        ("raise SystemExit(3)\n", "cannot be imported: SystemExit: 3 at "),
        (f"{HEAD}\napp.executor('fetch')\n", "cannot be imported: TypeError: expected a function to register, but got"),
    ],
)
def test_whatever_goes_wrong_while_it_is_imported_is_one_line(source: str, said: str, write: Write) -> None:
    assert refusal(f"{write(source)}:app").startswith(said)


def test_what_is_no_app_or_an_empty_one_is_refused(write: Write) -> None:
    name = write(f"{HEAD}\nnumber = 3\n")
    assert refusal(f"{name}:other") == f"expected other in {name}, but it has none"
    assert refusal(f"{name}:number") == "expected an App, but got int"
    assert refusal(f"{name}:app") == "expected an App with functions, but nothing is registered in it"


def test_a_function_that_no_task_could_call_is_refused_by_name(write: Write) -> None:
    name = write(f"{HEAD}\n@app.executor\ndef fetch(*topics: str) -> str:\n    return ''\n")
    assert refusal(f"{name}:app").startswith("fetch: parameter *topics: str takes any number of values")
