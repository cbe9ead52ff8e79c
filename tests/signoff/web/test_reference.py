"""The reference of the HTTP API lists what the door has, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from signoff.web.api.table import ENDPOINTS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "http.md").read_text()


def test_the_reference_has_every_path_with_what_it_is_about() -> None:
    rows = set(re.findall(r"^\| `(\w+ \S+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert rows == {(f"{one.method} {one.path.removeprefix('/api/v1/')}", one.about) for one in ENDPOINTS}
