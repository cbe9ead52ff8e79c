"""Texts that are longer than the page shows can be opened whole."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.plans import plan, printing

END = "and this is the very end"
LONG = "A long sentence that goes on. " * 400 + END


async def test_a_long_description_can_be_opened_whole(shared: House, visit: Visit) -> None:
    execution = await shared.started("long-words", plan(printing("1", "Mars", description=LONG)))
    page = await (await visit(shared)).goes(f"runs/{execution}/tasks/1?part=spec")
    drawer = page.get_by_role("dialog", name="Task 1")
    await expect(drawer).to_be_visible()
    await drawer.get_by_role("button", name="Show all", exact=True).first.click()
    await expect(drawer.get_by_text(END).first).to_be_visible()


async def test_a_long_result_can_be_opened_whole(shared: House, visit: Visit) -> None:
    content = "\n".join(f"line {n} of many" for n in range(30_000)) + f"\n{END}"
    command = {"command": {"argv": ["sh", "-c", f"seq -f 'line %g of many' 30000; echo '{END}'"]}}
    execution = await shared.started("long-result", plan(printing("1", "", executor=command)))
    await shared.ended(execution)
    page = await (await visit(shared)).goes(f"runs/{execution}/tasks/1")
    candidate = page.get_by_role("region", name="Candidate")
    await expect(candidate.get_by_text("line 1 of many", exact=True)).to_be_visible()
    await candidate.get_by_text("line 1 of many", exact=True).click()
    await page.keyboard.press("Control+End")
    await expect(page.get_by_text(END)).to_be_visible()
    assert content.endswith(END)
