"""The tree of errors: stable names, statuses that exist, and a page that lists them all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from signoff import errors
from signoff.errors import InvalidField, PlanNotFound, Rejected, SignoffError, Unavailable

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "errors.md"


def descendants(kind: type[SignoffError]) -> Iterator[type[SignoffError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


ERRORS = [kind for kind in descendants(SignoffError) if kind.__module__ == errors.__name__]
ABSTRACT = {Rejected}  # never raised itself


def rows() -> dict[str, list[str]]:
    """The tables of docs/reference/errors.md by reason: class, status, meaning, the client's move."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {reason.strip("`"): rest for reason, *rest in cells}


def test_the_reason_of_an_error_is_its_name_in_capitals() -> None:
    assert (PlanNotFound.reason(), Unavailable.reason()) == ("PLAN_NOT_FOUND", "UNAVAILABLE")


def test_reasons_are_unique() -> None:
    assert len({kind.reason() for kind in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_that_grpc_knows(kind: type[SignoffError]) -> None:
    assert kind.status in grpc.StatusCode.__members__
    assert kind.status != "OK"


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if issubclass(kind, Unavailable)])
def test_what_passes_by_itself_invites_to_retry(kind: type[SignoffError]) -> None:
    assert kind.status == "UNAVAILABLE"


def test_a_bad_field_says_what_was_expected_and_what_came() -> None:
    error = InvalidField("page_size", "at most 1,000", "5000")
    assert str(error) == "page_size: expected at most 1,000, but got 5000"
    assert error.metadata() == {"field": "page_size"}


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind not in ABSTRACT], ids=lambda kind: kind.__name__)
def test_the_page_of_errors_tells_of_every_one(kind: type[SignoffError]) -> None:
    assert kind.reason() in rows(), f"docs/reference/errors.md has no row for {kind.reason()}"
    name, status, meaning, move = rows()[kind.reason()]
    assert (name, status) == (f"`{kind.__name__}`", f"`{kind.status}`")
    assert meaning
    assert move


def test_the_page_tells_of_no_error_that_there_is_not() -> None:
    known = {kind.reason() for kind in ERRORS} | {"BUG"}
    assert set(rows()) <= known


def test_the_tree_atop_the_module_draws_every_error() -> None:
    drawn = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)*\b", errors.__doc__ or ""))
    missing = {kind.__name__ for kind in ERRORS} - drawn
    assert missing <= {"ConfigurationError"}, "it never crosses the wire; all others are drawn"


def test_the_protos_name_only_reasons_that_exist() -> None:
    known = {kind.reason() for kind in ERRORS}
    for proto in (PAGE.parents[2] / "protos").rglob("*.proto"):
        named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*/([A-Z]+(?:_[A-Z]+)+)\b", proto.read_text()))
        assert named <= known, proto.name
