"""No page breaks a rule of accessibility that axe knows, in either theme."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.rooms import ROOMS, path_of
from tests.browser.views import settled

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
VIEWS = ("Graph", "Grid", "Tree", "Time line", "Table")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("room", ROOMS)
async def test_a_page_breaks_no_rule(shared: House, visit: Visit, room: str, theme: str) -> None:
    page = await (await visit(shared, color_scheme=theme)).goes(await path_of(shared, room))
    await settled(page)
    assert await violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_view_of_a_run_breaks_a_rule(shared: House, visit: Visit, theme: str) -> None:
    page = await (await visit(shared, color_scheme=theme)).goes(await path_of(shared, "run"))
    for view in VIEWS:
        await page.get_by_role("tab", name=view, exact=True).click()
        await settled(page)
        assert await violations(page) == [], view


async def violations(page: Page) -> list[str]:
    """Returns the rules that the page breaks, each with where and why."""
    found: dict[str, Any] = (await Axe().run(page, options=RULES)).response
    return [
        f"{broken['id']}: {node['html'][:200]}: {node['failureSummary'][:300]}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]
