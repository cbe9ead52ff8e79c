"""Steps on the page of a run that several tests take."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect


async def table_row(page: Page, task_id: str) -> Locator:
    """Shows the run as a table. Returns the row of a task."""
    await page.get_by_role("tab", name="Table", exact=True).click()
    return page.get_by_role("table").get_by_role("row", name=re.compile(rf"^{re.escape(task_id)}\s"))


async def opened(page: Page, task_id: str) -> Locator:
    """Opens a task from the table. Returns its drawer."""
    await (await table_row(page, task_id)).click()
    await page.get_by_role("button", name="Open (Enter)", exact=True).click()
    drawer = page.get_by_role("dialog", name=f"Task {task_id}", exact=True)
    await expect(drawer).to_be_visible()
    return drawer


async def closed(drawer: Locator) -> None:
    await drawer.get_by_role("button", name=re.compile("^Close")).first.click()
    await expect(drawer).to_be_hidden()


async def settled(page: Page) -> None:
    """Waits until the page has all that it asked for."""
    await expect(page.get_by_role("main")).to_be_visible()
    await expect(page.get_by_text("Loading…")).to_have_count(0)
    await expect(page.get_by_text("加载中…")).to_have_count(0)
