"""The pages are as the code makes them, lead somewhere, and are short enough to read in one sitting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.__main__ import pages
from tests.docs.picture import COMMAND, PICTURE
from tests.docs.places import filled
from tests.docs.states import diagram

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ALL = [path for path in (*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/**/*.md"))
       if "node_modules" not in path.parts]  # fmt: skip
MADE = {page.name: (page, text) for page, text in pages()}
ONE_SITTING = 1_600  # words: "about 1,500"
FOLDERS = {"tutorial", "how-to", "reference", "explanation", "adr"}


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_as_the_code_makes_it(name: str) -> None:
    page, text = MADE[name]
    assert page.read_text() == text, "run `python -m tests.docs`"


def test_a_place_is_filled_and_what_is_around_it_stays() -> None:
    page = "before\n<!-- made: a -->\nold\n<!-- end -->\nafter"
    assert filled(page, {"a": "new"}) == "before\n<!-- made: a -->\nnew\n<!-- end -->\nafter"


def test_the_diagram_has_the_way_from_undone_to_done() -> None:
    drawn = diagram()
    assert "undone --> doing: task assigned" in drawn
    assert "validating --> done: verdict passed" in drawn
    assert "done --> undone: task rolled back, task retried" in drawn


def test_every_page_stands_in_a_folder_of_its_kind_and_in_the_index() -> None:
    index = (DOCS / "README.md").read_text()
    found = [page.relative_to(DOCS) for page in DOCS.rglob("*.md") if page.parent != DOCS]
    assert {page.parts[0] for page in found} == FOLDERS
    assert [str(page) for page in found if page.parts[0] != "adr" and f"]({page})" not in index] == []


@pytest.mark.parametrize("folder", sorted(FOLDERS - {"reference"}))
def test_a_page_fits_one_sitting(folder: str) -> None:
    words = {page.name: len(page.read_text().split()) for page in (DOCS / folder).rglob("*.md")}
    assert {name: count for name, count in words.items() if count > ONE_SITTING} == {}


def headings(page: Path) -> set[str]:
    """Returns the fragments that links into a page may have."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain}


def links_with_fragments() -> Iterator[tuple[Path, str, str]]:
    for page in ALL:
        for target, fragment in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text()):
            if "://" not in target:
                yield page, target, fragment


def test_every_link_leads_to_a_heading_that_is_there() -> None:
    lost = [
        f"{page.relative_to(ROOT)} → {target}#{fragment}"
        for page, target, fragment in links_with_fragments()
        if fragment not in headings((page.parent / target).resolve() if target else page)
    ]
    assert lost == []


def test_no_page_asks_a_public_index_for_signoff() -> None:
    asks = re.compile(r"pip install (?:-\S+ )*'?\"?signoff\b")
    assert [str(page.relative_to(ROOT)) for page in ALL if asks.search(page.read_text())] == []


def test_the_picture_shows_the_run_that_the_command_makes() -> None:
    drawn = PICTURE.read_text().replace("&#160;", " ")
    assert f"signoff {' '.join(COMMAND)}" in drawn
    assert "7 of 7 signed off" in drawn
    assert "://" not in re.sub(r"http://www\.w3\.org/\S+|https://www\.textualize\.io", "", drawn)
