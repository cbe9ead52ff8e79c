"""The tasks of a developer: `nox -l` lists them, `nox -s tests` runs one. Each has an environment of its own.

`.ci/run` is what a change must pass; this file runs its parts, and a few commands that take longer.
"""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "contract", "tests"]
nox.options.reuse_existing_virtualenvs = True

CORE_FLOOR = 94  #: percent of lines and branches of runner_svc/core that its own tests reach; 95 when this was set


def _install(session: nox.Session) -> None:
    session.install("-q", "-e", ".[dev]")


@nox.session
def lint(session: nox.Session) -> None:
    """Checks style, formatting, and the sentences of code and docs."""
    _install(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "-m", "tests.sentences")


@nox.session
def types(session: nox.Session) -> None:
    """Checks all types, tests included."""
    _install(session)
    session.run("mypy")


@nox.session
def contract(session: nox.Session) -> None:
    """Checks the protos: lint, format, and nothing broken since the baseline."""
    _install(session)
    session.run("buf", "lint")
    session.run("buf", "format", "--diff", "--exit-code")
    session.run("buf", "breaking", "--against", "protos/signoff.image.binpb")


@nox.session
def tests(session: nox.Session) -> None:
    """Runs the tests, or those that are named: `nox -s tests -- tests/planner_svc`."""
    _install(session)
    session.run("python", "-m", "pytest", "-q", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Runs the tests of the page in a real browser: /usr/bin/chromium, as Debian has it."""
    _install(session)
    session.run("python", "-m", "pytest", "-q", *(session.posargs or ["tests/browser"]))


@nox.session
def long(session: nox.Session) -> None:
    """Runs everything before a release: all tests, all drawn inputs, the guards and the simulation."""
    _install(session)
    session.run("python", "-m", "pytest", "-q", "--long")
    session.run("python", "-m", "pytest", "-q", "tests/browser")
    session.run("python", "-m", "tests.guards")
    session.run("python", "-m", "tests.simulation", "--seeds", "2000")


@nox.session
def coverage(session: nox.Session) -> None:
    """Fails when the core's own tests reach less of runner_svc/core than the floor."""
    _install(session)
    measured = ("--cov=runner_svc.core", "--cov-branch", "--cov-report=term:skip-covered")
    session.run("python", "-m", "pytest", "-q", *measured, f"--cov-fail-under={CORE_FLOOR}", "tests/runner_svc/core")


@nox.session
def protos(session: nox.Session) -> None:
    """Makes the generated code again after a change of the protos, and puts them in form."""
    _install(session)
    session.run("buf", "format", "-w", "protos")
    session.run("python", "hatch_build.py")


@nox.session
def pages(session: nox.Session) -> None:
    """Writes the parts of docs/ that are made from the code."""
    _install(session)
    session.run("python", "-m", "tests.docs")


@nox.session
def ci(session: nox.Session) -> None:
    """Runs what a change must pass, as the forge does, in a copy of what is in version control."""
    session.run("bash", ".ci/run", external=True)
