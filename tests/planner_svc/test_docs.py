"""docs/reference/plans.md compared with the compiler: it names every code, and its example compiles."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from planner_svc.checks.languages import CODE_OF_NAME
from planner_svc.checks.structured import check_from_json
from planner_svc.compiler import compile_plan
from planner_svc.criteria import criteria
from planner_svc.criteria.criteria import check_of_criterion
from planner_svc.diagnostics import SEVERITIES, Severity
from signoff.plan import limits
from tests.support.values.trees import atomic, codes, compiled

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "plans.md").read_text(encoding="utf-8")


def test_every_code_stands_in_the_table_of_its_severity() -> None:
    errors, warnings = PAGE.partition("**Errors**")[2].split("**Warnings**")

    assert re.findall(r"^\| `([a-z-]+)` \|", errors, re.MULTILINE) == _codes(Severity.ERROR)
    assert re.findall(r"^\| `([a-z-]+)` \|", warnings, re.MULTILINE) == _codes(Severity.WARNING)


def _codes(severity: Severity) -> list[str]:
    return [code for code, its in SEVERITIES.items() if its is severity]


def test_every_kind_of_check_is_explained() -> None:
    message = compiled(atomic("1", validation={"checks": [{}]})).diagnostics[0].message

    for kind in re.findall(r"[a-z_]+", message.partition("out of ")[2].partition(", but")[0]):
        assert f'"type": "{kind}"' in PAGE


def test_every_bound_stands_on_the_page() -> None:
    bounds = PAGE.partition("## Bounds")[2].partition("## Diagnostics")[0]
    numbers = {name: value for name, value in vars(limits).items() if isinstance(value, int)}

    words = {1 << 20: "1 MiB"}
    missing = [name for name, value in numbers.items() if words.get(value, f"{value:,}") not in bounds]
    assert len(numbers) > 20
    assert missing == []


def test_every_field_of_executors_and_judges_is_explained() -> None:
    executors, judges = PAGE.partition("## Executors")[2].partition("## Checks")[0].split("## Judges and people")

    assert re.findall(r"^\| `([a-z_]+)` \|", executors, re.MULTILINE) == _known({"executor": {"": 1}})
    assert re.findall(r"^\| `([a-z_]+)` \|", judges, re.MULTILINE) == _known({"validation": {"judge": {"": 1}}})


def _known(fields: dict[str, Any]) -> list[str]:
    """Returns the names that the compiler's message lists as known when it is given an unknown one."""
    message = compiled(atomic("1", **fields)).diagnostics[0].message
    return message.partition("fields out of ")[2].partition(", but")[0].split(", ")


def test_the_fields_that_are_said_to_be_accepted_are_and_the_others_are_told() -> None:
    table = PAGE.partition("### Other fields")[2].partition("### Lists from elsewhere")[0]
    rows = [[re.findall(r"`([^`]+)`", cell) for cell in row.split("|")] for row in table.splitlines() if "|" in row]
    free, foreign, any_other = (row[2] for row in rows[-3:])

    assert len(foreign) > 5
    for name in (*free, *foreign):
        assert codes(compiled({**atomic("1"), name: "x"})) == set(), name
    assert [codes(compiled({**atomic("1"), name: "x"})) for name in any_other] == [{"unknown-field"}]


def test_the_executor_of_the_example_is_one() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE.partition("## Executors")[2], re.DOTALL)

    assert example is not None
    assert (
        compiled(atomic("1", executor=json.loads(example.group(1)), validation={"criteria": ["good"]})).diagnostics
        == ()
    )


def test_every_example_of_a_criterion_becomes_the_check_beside_it() -> None:
    rows = re.findall(r"^\| `([^|]+)` \| (?:`([^|]+)` )?\| `(\{[^|]+\})` \|$", PAGE, re.MULTILINE)

    assert len(rows) >= 15
    for criterion, output_format, check in rows:
        assert check_of_criterion(criterion, output_format) == check_from_json(json.loads(check)), criterion


def test_every_language_that_has_a_name_stands_in_a_form() -> None:
    for name in CODE_OF_NAME:
        assert (name.title() if name.isascii() else name.rstrip("文语")) in PAGE


def test_the_limits_of_the_forms_are_those_of_the_code() -> None:
    assert f"Of {criteria.FEW} characters or fewer" in PAGE


def test_the_example_compiles_without_a_complaint() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert example is not None
    result = compile_plan(example.group(1).encode())
    assert result.ok
    assert result.diagnostics == ()
