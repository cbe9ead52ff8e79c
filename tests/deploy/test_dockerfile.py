"""The Dockerfile, without an engine to build it: its lint, and the files of a wheel in its context."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from typing import Any

import pytest

from tests.deploy.files import ROOT, program


def instructions() -> list[tuple[str, str]]:
    """Returns every instruction with its arguments, continued lines joined, without comments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


def arguments_of(name: str) -> list[str]:
    return [arguments for instruction, arguments in instructions() if instruction == name]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def is_sent_to_the_engine(path: str) -> bool:
    """Tells whether .dockerignore lets a path through; the last pattern that matches decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!").removeprefix("**/")
            parts = path.split("/")
            candidates = [path, *parts] if "**/" in line else [path, parts[0]]
            if any(fnmatch.fnmatchcase(candidate, pattern) for candidate in candidates):
                sent = line.startswith("!")
    return sent


def test_hadolint_has_nothing_to_say() -> None:
    linted = program("hadolint", "--no-color", "Dockerfile")
    assert (linted.returncode, linted.stdout) == (0, "")


def test_both_stages_stand_on_one_pinned_slim_image_of_a_python_that_is_supported() -> None:
    first, second = (image.split()[0] for image in arguments_of("FROM"))
    assert first == second
    match = re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-\w+", first)
    assert match is not None
    assert f">={match[1]}" == pyproject()["project"]["requires-python"]


def test_it_does_not_run_as_root() -> None:
    users = arguments_of("USER")
    assert [user.isdecimal() for user in users[-1].split(":")] == [True, True]
    assert "0" not in users[-1].split(":")
    names = [name for name, _ in instructions()]
    assert "RUN" not in names[names.index("USER") :], "something is installed by the user who runs it"


def test_the_last_stage_installs_without_a_network() -> None:
    last = [arguments for name, arguments in instructions()[-8:] if name == "RUN" and "pip" in arguments]
    assert len(last) == 1
    assert "--no-index" in last[0]


def test_data_lies_where_compose_mounts_it() -> None:
    assert arguments_of("VOLUME") == ["/data"]
    assert arguments_of("WORKDIR")[-1] == "/data"


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "hatch_build.py",
        "protos/signoff/v1/plan.proto",
        "signoff/errors.py",
        "runner_svc/store/migrations/0001_journal.sql",
        "runner_svc/store/migrations_postgres/0002_journal.sql",
    ],
)
def test_what_the_wheel_is_made_of_is_sent_to_the_engine(path: str) -> None:
    assert (ROOT / path).is_file()
    assert is_sent_to_the_engine(path)


def test_everything_that_pyproject_names_is_sent_to_the_engine() -> None:
    project = pyproject()
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    named = [project["project"]["readme"], *project["project"]["license-files"], *packages]
    assert [path for path in named if not is_sent_to_the_engine(path)] == []


@pytest.mark.parametrize(
    "path",
    [".git/config", ".venv/bin/python", "db/p/plan.json", ".env", "tests/test_project.py", "docs/how-to/models.md"],
)
def test_nothing_else_is(path: str) -> None:
    assert not is_sent_to_the_engine(path)


@pytest.mark.parametrize("path", ["signoff/v1/plan_pb2.py", "signoff/v1/plan_pb2.pyi", "signoff/__pycache__/x.pyc"])
def test_what_was_generated_here_is_not_taken_for_the_source(path: str) -> None:
    assert not is_sent_to_the_engine(path)
