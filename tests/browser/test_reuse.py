"""A start shows what it would keep of earlier runs; a kept result shows where it is from."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.plans import plan, task, text_of
from tests.browser.views import opened

BEFORE = plan(task("1"), task("2", "1"), task("3"))
AFTER = plan(task("1"), task("2", "1"), task("3", description="Write about another subject"))


async def test_a_start_shows_what_it_would_keep_and_a_result_where_it_is_from(shared: House, visit: Visit) -> None:
    first = await shared.started("again", BEFORE)
    await shared.ended(first)
    await shared.client.compile_plan(text_of(AFTER).encode(), plan_id="again")

    page = await (await visit(shared)).goes("plans/again")
    await page.get_by_role("button", name="Execution", exact=True).click()
    dialog = page.get_by_role("dialog")
    told = dialog.get_by_role("status")
    await expect(told).to_contain_text("2 of 3 kept from earlier runs · 1 to do")
    await told.get_by_text("Why not all").click()
    await expect(told.get_by_role("listitem")).to_have_text([re.compile("3.*description")])
    await dialog.get_by_label("Keep what is unchanged").select_option("no")
    await expect(dialog.get_by_text("kept from earlier runs")).to_have_count(0)
    await dialog.get_by_label("Keep what is unchanged").select_option("yes")
    await dialog.get_by_role("button", name="Start", exact=True).click()
    await page.wait_for_url("**/runs/*")

    drawer = await opened(page, "1")
    await expect(drawer.get_by_text("Kept from the run")).to_be_visible()
    await expect(drawer.get_by_text(first)).to_be_visible()
