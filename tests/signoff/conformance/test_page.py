"""docs/reference/protocol.md and the kit say the same: every check is on the page, and the page leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from signoff.conformance.check import selected
from signoff.conformance.checks import CHECKS
from signoff.conformance.messages import EXECUTOR, VALIDATOR
from signoff.errors import ConfigurationError
from signoff.v1 import execution_pb2, worker_pb2

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "protocol.md").read_text()
ROLES = {None: "", EXECUTOR: " (executor)", VALIDATOR: " (validator)"}


def headings() -> set[str]:
    """The fragments that links into the page may have."""
    return {title.lower().replace(" ", "-").replace("'", "") for title in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)}


def test_the_checklist_is_the_table_of_checks() -> None:
    rows = re.findall(r"^\| \[`([a-z_.]+)`\]\(#([a-z-]+)\) \| (?:MUST|SHOULD) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(check.id, check.section, check.sentence + ROLES[check.role]) for check in CHECKS]


def test_every_check_has_an_id_of_its_own() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_every_link_within_the_page_leads_to_a_heading() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) - headings() == set()


def test_the_page_speaks_of_every_message_and_every_kind_of_failure() -> None:
    said = [*worker_pb2.WorkerMessage.DESCRIPTOR.fields, *worker_pb2.RunnerMessage.DESCRIPTOR.fields]
    words = {field.message_type.name for field in said if field.message_type is not None}
    words |= {name.removeprefix("FAILURE_KIND_") for name in execution_pb2.FailureKind.keys()[1:]}
    assert {word for word in words if word not in PAGE} == set()


@pytest.mark.parametrize("message", [worker_pb2.Hello, worker_pb2.Welcome])
def test_the_page_has_a_row_for_every_field_of_the_greeting(message: type) -> None:
    rows = set(re.findall(r"`([a-z_]+)`", "".join(line for line in PAGE.splitlines(True) if line.startswith("|"))))
    assert {field.name for field in message.DESCRIPTOR.fields} - rows == set()  # type: ignore[attr-defined]


def test_checks_are_chosen_by_id_or_by_group() -> None:
    assert [check.id for check in selected(CHECKS, ["ping"])] == ["ping.answered", "ping.busy"]
    assert [check.id for check in selected(CHECKS, ["ping.busy", "hello.form"])] == ["hello.form", "ping.busy"]
    assert list(selected(CHECKS, [])) == list(CHECKS)
    with pytest.raises(ConfigurationError, match=r"expected checks among hello\.form, .*, but got pong"):
        selected(CHECKS, ["pong"])
