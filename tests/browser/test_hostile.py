"""Texts of plans and results of models change nothing: no script runs, no dialog opens, no other host is asked."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.hostile import HARMED, RESULTS, hostile_plan
from tests.browser.house import House
from tests.browser.views import settled

VIEWS = ("Graph", "Grid", "Tree", "Time line", "Table")
PLAN = "hostile"
QUIET = ("text/plain", "text/markdown", "text/csv", "application/json")
_started: dict[str, str] = {}


async def execution_of(house: House) -> str:
    if house.url not in _started:
        _started[house.url] = await house.started(PLAN, hostile_plan(), max_failures=1, max_rollbacks=0)
        await house.ended(_started[house.url])
    return _started[house.url]


async def test_no_view_of_a_run_is_harmed(shared: House, visit: Visit) -> None:
    page = await (await visit(shared)).goes(f"runs/{await execution_of(shared)}")
    for view in VIEWS:
        await page.get_by_role("tab", name=view, exact=True).click()
        await expect(page.get_by_role("tabpanel", name=view, exact=True)).to_be_visible()
        await nothing_ran(page)


@pytest.mark.parametrize("result", RESULTS)
async def test_no_result_harms_the_page(shared: House, visit: Visit, result: str) -> None:
    page = await (await visit(shared)).goes(f"runs/{await execution_of(shared)}/tasks/{result}")
    drawer = page.get_by_role("dialog", name=f"Task {result}")
    await expect(drawer.get_by_role("region", name="Candidate")).to_be_visible()
    ways = drawer.get_by_role("region", name="Candidate").get_by_role("tab")
    await settled(page)
    await nothing_ran(page)
    for way in await ways.all():
        await way.click()
        await nothing_ran(page)


@pytest.mark.parametrize("path", ["", "runs", "plans", f"plans/{PLAN}?view=map", f"plans/{PLAN}?view=text"])
async def test_no_list_and_no_plan_harms_the_page(shared: House, visit: Visit, path: str) -> None:
    await execution_of(shared)
    page = await (await visit(shared)).goes(path)
    await expect(page.get_by_text(PLAN).first).to_be_visible()
    await nothing_ran(page)


async def test_a_result_by_its_own_address_runs_nothing(shared: House, visit: Visit) -> None:
    """A browser shows what is quiet; the rest comes as a file."""
    execution = await execution_of(shared)
    anna = await visit(shared)
    page = await anna.goes()
    for result in RESULTS:
        address = f"api/v1/executions/{execution}/tasks/{result}/attempts/1/candidate"
        answer = await page.request.get(shared.url + address)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        if "attachment" not in answer.headers["content-disposition"]:
            assert answer.headers["content-type"].partition(";")[0] in QUIET
    await page.goto(f"{shared.url}api/v1/executions/{execution}/tasks/markdown/attempts/1/candidate")
    await nothing_ran(page)


async def nothing_ran(page: Page) -> None:
    """Looks for traces of a script. Requests to other hosts, dialogs and errors are faults of the visitor's."""
    assert await page.evaluate("window.ran") is None
    assert HARMED not in await page.title()
    assert await page.evaluate("getComputedStyle(document.body).display") != "none"
