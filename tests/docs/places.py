"""Places on a page that a program fills: what stands between `<!-- made: NAME -->` and `<!-- end -->` is replaced."""

from __future__ import annotations

import re

_PLACE = re.compile(r"<!-- made: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str, parts: dict[str, str]) -> str:
    """Returns the page with each place as its part has it. Raises KeyError for a place without a part."""
    return _PLACE.sub(lambda place: f"<!-- made: {place[1]} -->\n{parts[place[1]]}\n<!-- end -->", page)
