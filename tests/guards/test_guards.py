"""The table of guards stays true: each is where it says, and each has a test that says which guard it holds."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.guards import Guard
from tests.guards.__main__ import ROOT, take_away
from tests.guards.table import GUARDS

_MARK = re.compile(r'guard\(name="([^"]+)"\)')


def _marked() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in _MARK.findall(file.read_text())}


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_is_where_the_table_says(guard: Guard) -> None:
    assert (ROOT / guard.file).read_text().count(guard.code) == 1
    assert guard.code != guard.without


def test_every_guard_has_a_test_and_every_mark_a_guard() -> None:
    assert _marked() == {guard.name for guard in GUARDS}


def test_no_name_is_used_twice() -> None:
    assert [name for name, times in Counter(guard.name for guard in GUARDS).items() if times > 1] == []


def test_a_guard_that_is_not_there_cannot_be_taken_away() -> None:
    gone = Guard(name="gone", file="README.md", code="no such line is in the file", without="", fault="none")
    with pytest.raises(ValueError, match=r"expected its code once in README\.md, found it 0 times"):
        take_away(gone, ROOT)
