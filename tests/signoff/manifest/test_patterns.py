"""Patterns of paths, against the obvious way to match them."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.manifest.patterns import matches, may_hold


@pytest.mark.parametrize(
    ("path", "pattern", "is_match"),
    [
        ("report.md", "report.md", True),
        ("charts/a.png", "charts/*.png", True),
        ("charts/2026/a.png", "charts/*.png", False),
        ("charts/2026/a.png", "charts/**/*.png", True),
        ("charts/a.png", "charts/**/*.png", True),
        ("a.png", "*.jpg", False),
        (".hidden", "*", False),
        (".hidden", ".*", True),
        ("a/.git/config", "**", False),
        ("Report.md", "report.md", False),
        ("a[1].txt", "a[1].txt", True),
        ("a1.txt", "a[1].txt", True),
    ],
)
def test_a_pattern_matches_names(path: str, pattern: str, is_match: bool) -> None:
    assert matches(path, pattern) is is_match


def _obvious(names: list[str], wanted: list[str]) -> bool:
    if not wanted:
        return not names
    if wanted[0] == "**":
        return _obvious(names, wanted[1:]) or (
            bool(names) and not names[0].startswith(".") and _obvious(names[1:], wanted)
        )
    if not names or (names[0].startswith(".") and not wanted[0].startswith(".")):
        return False
    return fnmatchcase(names[0], wanted[0]) and _obvious(names[1:], wanted[1:])


NAMES = st.sampled_from(["a", "b", ".a", "ab"])
PARTS = st.sampled_from(["a", "*", "**", "?", ".*", "[ab]", "a*"])


@given(st.lists(NAMES, min_size=1, max_size=5), st.lists(PARTS, min_size=1, max_size=5))
def test_it_matches_as_the_obvious_way_does(names: list[str], wanted: list[str]) -> None:
    path, pattern = "/".join(names), "/".join(wanted)
    assert matches(path, pattern) is (path == pattern or _obvious(names, wanted))


def test_many_double_stars_take_no_time() -> None:
    assert not matches("/".join("a" * 200), "/".join(["**", "a"] * 100 + ["b"]))


@given(st.lists(NAMES, min_size=2, max_size=5), st.lists(PARTS, min_size=1, max_size=5))
def test_every_folder_above_a_path_that_matches_may_hold_it(names: list[str], wanted: list[str]) -> None:
    path, pattern = "/".join(names), "/".join(wanted)
    if matches(path, pattern):
        assert all(may_hold("/".join(names[:end]), pattern) for end in range(1, len(names)))


def test_folders_that_cannot_hold_a_match_are_passed_over() -> None:
    assert not may_hold("other", "charts/*.png")
    assert not may_hold("charts/deep", "charts/*.png")
    assert not may_hold(".git", "**/*.md")
    assert may_hold("a/b", "**/*.md")
