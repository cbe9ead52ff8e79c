"""docs/plans.md against the compiler: it names every code, and its example compiles."""

from __future__ import annotations

import re
from pathlib import Path

from planner_svc import checks
from planner_svc.compiler import compile_plan
from planner_svc.diagnostics import SEVERITIES, Severity
from tests.planner_svc.trees import atomic, compiled

PAGE = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")


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
    assert f"{checks.MAX_PATTERN_CHARS:,}" in PAGE


def test_the_example_compiles_without_a_complaint() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert example is not None
    result = compile_plan(example.group(1).encode())
    assert result.ok
    assert result.diagnostics == ()
