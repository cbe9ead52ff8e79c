"""The keyboard alone: from the start page to an approved candidate."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Build, Visit
from tests.browser.plans import FOR_A_PERSON, text_of

FAR = 80  # presses of Tab from one end of a page to the other, and more


async def test_from_the_start_to_an_approved_candidate(build: Build, visit: Visit) -> None:
    house = await build()
    anna = await visit(house)
    anna.expects("404: GET .*/plans/plan/diagnostics ")  # whether the id is taken
    page = await anna.goes()
    await expect(page.get_by_role("button", name="Paste text")).to_be_visible()
    await presses(page, page.get_by_role("button", name="Paste text"))
    await reaches(page, page.get_by_label("The text of a plan.json"))
    await page.keyboard.insert_text(text_of(FOR_A_PERSON))
    await presses(page, page.get_by_role("button", name="Load", exact=True))
    await expect(page.get_by_text("It compiles").first).to_be_visible()
    await presses(page, page.get_by_role("button", name="Generate Map", exact=True))
    await expect(page.get_by_text(re.compile("The map is stored"))).to_be_visible()
    await presses(page, page.get_by_role("button", name="Execution", exact=True))
    await presses(page, page.get_by_role("dialog").get_by_role("button", name="Start", exact=True))

    await expect(page.get_by_text("1 waits for a person", exact=True)).to_be_visible()
    await page.keyboard.press("5")  # the table
    await expect(page.get_by_role("table")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Task 2")).to_be_visible()
    await presses(page, page.get_by_role("button", name="Approve", exact=True))
    await expect(page.get_by_text("2 of 2 signed off", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Task 2")).to_be_hidden()


async def presses(page: Page, button: Locator) -> None:
    await reaches(page, button)
    await page.keyboard.press("Enter")


async def reaches(page: Page, wanted: Locator) -> None:
    """Goes on with Tab until the focus is there, and can be seen there."""
    await expect(wanted).to_be_enabled()
    for _ in range(FAR):
        if await wanted.evaluate("(element) => element === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await expect(wanted).to_be_focused()
    assert await wanted.evaluate("(element) => element.matches(':focus-visible')")
