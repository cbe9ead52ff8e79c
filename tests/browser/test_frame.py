"""Promises of every page: the language, the width of a phone, less motion, addresses that lead nowhere."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.plans import FOR_A_PERSON
from tests.browser.rooms import ROOMS, path_of
from tests.browser.views import settled

ENGLISH = re.compile(r"[A-Za-z]{2,}")
NAMES = re.compile("signoff|rooms|Facts")  # ours, the plan's, and a word of its result
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("room", ROOMS)
async def test_in_chinese_no_part_of_the_frame_is_english(shared: House, visit: Visit, room: str) -> None:
    page = await (await visit(shared, locale="zh-CN")).goes(await path_of(shared, room))
    navigation = page.get_by_role("navigation").first
    await expect(navigation.get_by_role("link").first).to_be_visible()
    await settled(page)
    names = [
        *await navigation.get_by_role("link").all_inner_texts(),
        *await tabs_of(page),
        *await page.get_by_role("heading").all_inner_texts(),
    ]
    assert [name for name in names if ENGLISH.search(NAMES.sub("", name))] == []
    assert await page.evaluate("document.documentElement.lang") == "zh-CN"


async def test_a_person_chooses_the_language_and_it_is_kept(shared: House, visit: Visit) -> None:
    anna = await visit(shared)
    page = await anna.goes("runs")
    await page.get_by_role("button", name="Language").click()
    await expect(page.get_by_role("link", name="运行", exact=True)).to_be_visible()
    other = await anna.goes("runs")
    await expect(other.get_by_role("link", name="运行", exact=True)).to_be_visible()


async def tabs_of(page: Page) -> list[str]:
    return await page.get_by_role("tab").all_inner_texts()


@pytest.mark.parametrize("room", ROOMS)
async def test_nothing_is_wider_than_a_phone(shared: House, visit: Visit, room: str) -> None:
    anna = await visit(shared, viewport=PHONE, has_touch=True, is_mobile=True)
    page = await anna.goes(await path_of(shared, room))
    await settled(page)
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("room", ROOMS)
async def test_with_less_motion_nothing_moves_by_itself(shared: House, visit: Visit, room: str) -> None:
    anna = await visit(shared, reduced_motion="reduce")
    page = await anna.goes(await path_of(shared, room))
    await settled(page)
    moving = "document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 1).length"
    assert await page.evaluate(moving) == 0


async def test_an_address_that_leads_nowhere_says_so(shared: House, visit: Visit) -> None:
    page = await (await visit(shared)).goes("no/such/page")
    await expect(page.get_by_role("heading")).to_contain_text("There is no page at no/such/page")


async def test_an_execution_that_is_not_there_is_told_in_the_runners_words(shared: House, visit: Visit) -> None:
    anna = await visit(shared)
    anna.expects("404: ")
    page = await anna.goes("runs/nothing-here")
    await expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("nothing-here")


async def test_a_command_that_comes_too_late_is_told_in_the_runners_words(shared: House, visit: Visit) -> None:
    """The run was stopped elsewhere, and the page has not been told yet when the button is pressed."""
    execution = await shared.started("too-late", FOR_A_PERSON)
    anna = await visit(shared)
    anna.expects("409: ")
    page = await anna.goes(f"runs/{execution}")
    await page.get_by_role("button", name="Pause", exact=True).click()
    await shared.approve(execution, "2")
    await shared.ended(execution)
    await page.get_by_role("dialog").get_by_role("button", name="Pause", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("expected")
