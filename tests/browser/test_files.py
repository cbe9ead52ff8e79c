"""Results of several files: what a person sees of what they sign off, and that hostile files change nothing."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.files import HOSTILE, png, scripted, writing
from tests.browser.house import House
from tests.browser.plans import FOR_A_PERSON, plan
from tests.browser.test_axe import violations
from tests.browser.test_hostile import nothing_ran
from tests.browser.views import settled

REPORT = b"# Sales\n\nAs [the rows](data/rows.csv) say:\n\n![a chart](charts/a.png)\n"
ROWS = b"city,sum\nBern,12\nUlm,7\n"
FILES = {"report.md": REPORT, "charts/a.png": png(), "data/rows.csv": ROWS}


async def test_a_person_sees_the_files_that_they_sign_off(shared: House, visit: Visit) -> None:
    task = writing("1", FILES, "report.md", "charts/*.png", "data/*", validation={"human": True})
    execution = await shared.started("with-files", plan(task))
    page = await (await visit(shared)).goes(f"runs/{execution}/tasks/1")
    candidate = page.get_by_role("region", name="Candidate")
    await expect(candidate.get_by_role("option")).to_have_count(3)
    await is_loaded(candidate.get_by_role("img", name="a chart"))
    await candidate.get_by_role("button", name="the rows").click()
    await expect(candidate.get_by_role("cell", name="Bern")).to_be_visible()
    await candidate.get_by_role("option").filter(has_text="a.png").click()
    await is_loaded(candidate.get_by_role("img", name="charts/a.png"))
    await expect(candidate.get_by_text("60 × 40")).to_be_visible()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.get_by_role("dialog", name="Task 1").get_by_text("3 files, ").first).to_be_visible()
    assert await violations(page) == []


@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.long), "dark"])
async def test_no_file_harms_the_page(shared: House, visit: Visit, theme: str) -> None:
    execution = await shared.started("hostile-files", FOR_A_PERSON)
    anna = await visit(shared, color_scheme=theme)
    await scripted(anna.context)
    page = await anna.goes(f"runs/{execution}/tasks/1")
    candidate = page.get_by_role("region", name="Candidate")
    await expect(candidate.get_by_role("listbox")).to_be_visible()
    await settled(page)
    assert await violations(page) == []
    for path in HOSTILE:
        await candidate.get_by_role("listbox").press("ArrowDown" if path != "report.md" else "Home")
        await expect(page).to_have_url(re.compile(re.escape(urlencode({"file": path}))))
        await expect(candidate.get_by_role("option", selected=True)).to_have_count(1)
        await settled(page)
        await nothing_ran(page)
        for way in await candidate.get_by_role("tab").all():
            await way.click()
            await nothing_ran(page)


async def test_what_cannot_be_shown_whole_says_so(shared: House, visit: Visit) -> None:
    execution = await shared.started("huge-files", FOR_A_PERSON)
    anna = await visit(shared)
    await scripted(anna.context)
    page = await anna.goes(f"runs/{execution}/tasks/1?file=huge.txt")
    candidate = page.get_by_role("region", name="Candidate")
    await expect(candidate.get_by_text("The first 1.0 MiB of 200.0 MiB are shown.")).to_be_visible()
    await candidate.get_by_role("listbox").press("Home")
    await is_loaded(candidate.get_by_role("img", name="own"))
    await expect(candidate.get_by_text("Picture: lie (The browser cannot show this picture")).to_be_visible()
    await candidate.get_by_role("option").filter(has_text="lie.png").click()
    await expect(candidate.get_by_text("The browser cannot show this picture")).to_be_visible()


async def is_loaded(image: Locator) -> None:
    """Waits until a picture is there with its pixels."""
    await image.scroll_into_view_if_needed()
    await expect(image).to_have_js_property("complete", True)
    assert await image.evaluate("image => image.naturalWidth") > 0
