"""The table of guards stays true: the source names each guard once, and a test is marked with it."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.guards.__main__ import ROOT
from tests.guards.markers import Marker, marker_of, markers_below, markers_in, source_without
from tests.guards.table import GUARDS

_MARK = re.compile(r'guard\(name="([^"]+)"\)')
MARKERS = list(markers_below(ROOT))

SOURCE = """\
def spend(total):
    # guard: one; two -> pass
    # guard (2 lines): three ->
    #     if total:
    #         return
    if total > 0:
        # guard: four -> (removed)
        book(total)
    tell(total)
"""


def _marked() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in _MARK.findall(file.read_text())}


def test_the_source_names_each_guard_once_and_no_other() -> None:
    named = Counter(name for marker in MARKERS for name in marker.names)
    assert named == Counter(guard.name for guard in GUARDS)
    assert max(named.values()) == 1, "else it could not be taken away by its name"


@pytest.mark.parametrize("marker", MARKERS, ids=lambda marker: "; ".join(marker.names))
def test_the_source_without_a_guard_is_another_one_that_can_be_read(marker: Marker) -> None:
    without, source = source_without(marker), marker.path.read_text()
    assert without != source
    if marker.path.suffix == ".py":
        assert ast.dump(ast.parse(without)) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("marker", MARKERS, ids=lambda marker: "; ".join(marker.names))
def test_the_source_without_a_guard_uses_no_name_that_does_not_exist(marker: Marker) -> None:
    """Else its tests would fail for that, and not because they miss the guard."""
    if marker.path.suffix == ".py":
        assert _unknown_names(source_without(marker)) == set()


def _unknown_names(source: str) -> set[str]:
    """Returns the names that are read and bound nowhere in a file."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {getattr(node, "name", None) or "" for node in nodes}
    imported = [alias for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    bound |= {alias.asname or alias.name.partition(".")[0] for alias in imported}
    return {node.id for node in names} - bound - vars(builtins).keys() - {"__file__", "__name__"}


def test_every_guard_has_a_test_and_every_mark_a_guard() -> None:
    assert _marked() == {guard.name for guard in GUARDS}


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("one", ["pass", "book(total)"]),
        ("two", ["pass", "book(total)"]),
        ("three", ["if total:", "return"]),
        ("four", ["if total > 0:"]),
    ],
)
def test_what_stands_there_without_a_guard_is_what_its_comment_says(
    tmp_path: Path, name: str, without: list[str]
) -> None:
    file = tmp_path / "money.py"
    file.write_text(SOURCE)
    (marker,) = (marker for marker in markers_in(file) if name in marker.names)
    code = [line.strip() for line in source_without(marker).splitlines() if not line.lstrip().startswith("#")]
    assert code == ["def spend(total):", *without, "tell(total)"]


def test_a_guard_that_the_source_does_not_name_cannot_be_taken_away() -> None:
    with pytest.raises(ValueError, match="expected one comment in the source that names the guard gone, but found 0"):
        marker_of("gone", ROOT)
