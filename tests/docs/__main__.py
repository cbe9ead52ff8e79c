"""Writes the parts of the pages that are made from the code: `python -m tests.docs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.contract import limits
from tests.docs import media_types, states, tree
from tests.docs.places import filled

DOCS = Path(__file__).resolve().parents[2] / "docs"


def pages() -> Iterator[tuple[Path, str]]:
    """Yields each page that has made parts, and its text as it must be."""
    parts = {"states": states.diagram(), "tree": tree.table(), "media_types": media_types.table()}
    for page in (
        DOCS / "explanation" / "life-of-a-task.md",
        DOCS / "reference" / "where-things-live.md",
        DOCS / "reference" / "files.md",
    ):
        yield page, filled(page.read_text(), parts)
    yield DOCS / "reference" / "limits.md", limits.page()


if __name__ == "__main__":
    for page, text in pages():
        page.write_text(text)
