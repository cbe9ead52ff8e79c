"""The languages that a check may name are those that a validator can tell."""

from __future__ import annotations

import pytest

from planner_svc.checks.languages import CODE_OF_NAME, LANGUAGES


def test_the_codes_are_those_that_py3langid_tells() -> None:
    py3langid = pytest.importorskip("py3langid")

    told = {code for code, _ in py3langid.rank("The languages that a check may name")}

    assert {code for code in told if len(code) == 2} == LANGUAGES


def test_every_language_with_a_name_can_be_told() -> None:
    assert set(CODE_OF_NAME.values()) <= LANGUAGES
    assert all(name == name.lower() for name in CODE_OF_NAME)
