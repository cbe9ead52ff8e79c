"""The suites pass but for the cases in docs/reference/schemas.md. SIGNOFF_SUITES names the folder that they are in."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.suites.__main__ import table, unlisted
from tests.suites.deviations import DEVIATIONS, deviation_of
from tests.suites.measured import Case, compiled_check, json_cases, outcome, schema_cases, written

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "schemas.md").read_text()
FOLDER = os.environ.get("SIGNOFF_SUITES", "")


def test_the_page_has_the_table_of_deviations() -> None:
    _, _, behind = PAGE.partition("### Deviations\n\n")
    assert behind.splitlines()[2:] == [deviation.row() for deviation in DEVIATIONS]


def case(part: str = "draft7", file: str = "a.json", name: str = "g: t", got: str = "valid") -> Case:
    return Case(part=part, file=file, name=name, expected="valid", got=got)


def test_what_is_wrong_is_counted_as_wrong_unless_it_is_listed() -> None:
    cases = [case(), case(got="invalid"), case(file="refRemote.json", got="refused"), case(part="draft4")]
    assert unlisted(cases) == [cases[1]]
    assert [line.split() for line in table(cases, files=False)][1:] == [
        ["draft7", "3", "1", "1", "1"],
        ["draft4", "1", "1", "0", "0"],
    ]


def test_a_case_is_carried_out_as_a_plan_and_a_validator_would() -> None:
    check, _ = compiled_check({"multipleOf": 0.01})
    assert check is not None
    assert [outcome(check, candidate) for candidate in ("19.99", "19.999")] == ["valid", "invalid"]
    assert compiled_check({"$ref": "elsewhere"})[0] is None
    assert written({"a": [True, None, "b", 1]}) == '{"a":[true,null,"b",1]}'


@pytest.mark.skipif(not FOLDER, reason="SIGNOFF_SUITES names no folder")
def test_every_case_is_right_or_listed_and_every_listed_one_differs() -> None:
    cases = [*schema_cases(Path(FOLDER) / "json-schema"), *json_cases(Path(FOLDER) / "json")]
    assert len(cases) > 8_000
    assert [str(wrong) for wrong in unlisted(cases)] == []
    found = Counter(deviation for wrong in cases if not wrong.is_right and (deviation := deviation_of(wrong)))
    assert found == {deviation: deviation.count for deviation in DEVIATIONS}
