"""Doors of other kinds: one that asks for a token, one that changes nothing, one behind a path."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.house import House, another_door
from tests.browser.plans import FOR_A_PERSON

TOKEN = "a-token-of-twenty-letters"


async def test_a_token_signs_a_person_in_and_scripts_cannot_read_it(shared: House, visit: Visit) -> None:
    execution = await shared.started("behind-a-token", FOR_A_PERSON)
    async with another_door(shared, SIGNOFF_UI_TOKEN=TOKEN) as door:
        anna = await visit(f"http://{door.address}/")
        anna.expects("401: ")
        page = await anna.goes(f"runs/{execution}")
        await page.get_by_label("Token", exact=True).fill("another token altogether")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert").or_(page.get_by_role("status"))).to_contain_text(["token"])
        await page.get_by_label("Token", exact=True).fill(TOKEN)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text("1 of 2 signed off", exact=True)).to_be_visible()
        assert await page.evaluate("document.cookie") == ""
        assert TOKEN not in page.url


async def test_a_door_that_changes_nothing_says_so_and_offers_nothing(shared: House, visit: Visit) -> None:
    execution = await shared.started("read-only", FOR_A_PERSON)
    async with another_door(shared, "--read-only") as door:
        anna = await visit(f"http://{door.address}/")
        page = await anna.goes(f"runs/{execution}")
        await expect(page.get_by_text("Read only", exact=True)).to_be_visible()
        await expect(page.get_by_text("1 of 2 signed off", exact=True)).to_be_visible()
        for name in ("Pause", "Stop"):
            await expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()


async def test_the_page_works_under_a_path(shared: House, visit: Visit) -> None:
    execution = await shared.started("prefixed", FOR_A_PERSON)
    async with another_door(shared, "--prefix", "/teams/signoff") as door:
        anna = await visit(f"http://{door.address}/teams/signoff/")
        page = await anna.goes(f"runs/{execution}")
        await expect(page.get_by_text("1 of 2 signed off", exact=True)).to_be_visible()
        await page.get_by_role("navigation").get_by_role("link").first.click()
        await page.go_back()
        await expect(page.get_by_text("1 of 2 signed off", exact=True)).to_be_visible()
        assert all("/teams/signoff/" in address for address in anna.addresses)
