"""A run shows where its work waited, and what for, as far as its journal tells: as a table, and on the time line."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from signoff.client.values import by_execution
from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.plans import plan, task
from tests.browser.views import table_row

PLAN = plan(task("1", human=True), task("2", "1"))


async def test_a_wait_is_in_the_table_and_under_the_pointer_on_the_time_line(shared: House, visit: Visit) -> None:
    execution = await shared.started("waits", PLAN)
    ref = by_execution(execution)
    page = await (await visit(shared)).goes(f"runs/{execution}")
    await expect((await table_row(page, "1")).get_by_role("img", name="waits for a person")).to_be_visible()
    row = await table_row(page, "2")
    await expect(row.get_by_text("now for")).to_have_count(0)  # it lacks what it needs: no worker could have it

    await shared.client.pause(ref, "lunch")
    await shared.approve(execution, "1")
    told = re.compile(r"now for the run to be resumed, since \d\d:\d\d:\d\d: lunch")
    await expect(row.get_by_text(told)).to_be_visible()
    await points_at_the_end_of_row(page, 2)
    card = page.locator(".hover-card")
    await expect(card).to_contain_text("Waited for the run to be resumed")
    await expect(card).to_contain_text("lunch")

    await shared.client.resume(ref)
    await shared.ended(execution)
    past = (await table_row(page, "2")).get_by_text(re.compile(r"\d s for the run to be resumed"))
    await expect(past).to_be_visible()
    await expect(past).not_to_contain_text("now")


async def points_at_the_end_of_row(page: Page, row: int) -> None:
    """Points at what goes on in a row of the time line. A row has 26 pixels, below an axis of 30."""
    await page.get_by_role("tab", name="Time line", exact=True).click()
    lanes = page.locator("canvas.lanes")
    box = await lanes.bounding_box()
    assert box is not None
    await lanes.hover(position={"x": box["width"] - 20, "y": 30 + 26 * (row - 0.5)})


async def test_the_workers_page_tells_what_work_had_waited_for(shared: House, visit: Visit) -> None:
    execution = await shared.started("waited", plan(task("1"), task("2", "1")))
    await shared.ended(execution)
    page = await (await visit(shared)).goes(f"workers?execution={execution}")
    rows = page.get_by_role("table", name="Assignments").get_by_role("row")
    await expect(rows).to_have_count(5)
    for row in (await rows.all())[1:]:
        # of the first ones, too: the page has the map, and knows what they needed
        await expect(row.get_by_text(re.compile(r"\d+\.\d s"))).to_have_count(2)
