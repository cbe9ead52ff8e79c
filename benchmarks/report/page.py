"""The page docs/reference/performance.md: the text between each pair of marks is replaced by a table or chart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report.charts import draw
from benchmarks.report.figures import Figures
from benchmarks.report.tables import TABLES
from benchmarks.results import Result

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "performance.md"
CHARTS = PAGE.with_suffix("")

_PLACE = re.compile(r"<!-- table: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def write_page(results: Sequence[Result], page: Path = PAGE, charts: Path = CHARTS) -> None:
    """Writes the page. Raises KeyError when it has a place for a table that does not exist."""
    figures = Figures(results)
    draw(figures, charts)
    page.write_text(filled(page.read_text(), figures))


def filled(text: str, figures: Figures) -> str:
    """Returns the text of a page with new tables."""

    def fill(place: re.Match[str]) -> str:
        return f"<!-- table: {place[1]} -->\n{TABLES[place[1]](figures)}\n<!-- end -->"

    return _PLACE.sub(fill, text)
