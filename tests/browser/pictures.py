"""Draws docs/pictures from a real run in a real browser: `python -m tests.browser.pictures` takes about a minute.

The story is that of the tests: an example is run by a mock that fails sometimes, and a person is asked. The switch of
languages needs a font with Chinese characters, else it shows boxes: apt-get install fonts-wqy-microhei.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.house import House, house
from tests.browser.test_story import AT_ONCE, BY_A_PERSON, MOODY
from tests.browser.views import settled
from tests.browser.visitor import ARGUMENTS, PATIENCE, browser_here, visitor
from tests.support.processes.commands import EXAMPLES

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
MOST_BYTES = 150 * 1024
SIZE = {"width": 1200, "height": 720}
PACE = MOODY.replace("delay=0.02", "delay=0.2")  # slow enough for a picture of a run on its way
SETTINGS: dict[str, Any] = {"max_failures": 30, "retry_base": AT_ONCE}


async def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory(prefix="signoff-pictures-") as folder:
        async with house(Path(folder), model=PACE) as built, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=browser_here(), args=list(ARGUMENTS))
            try:
                await _story(built, browser)
            finally:
                await browser.close()


async def _story(built: House, browser: Browser) -> None:
    asked = await built.started("hello", BY_A_PERSON, **SETTINGS)
    example: dict[str, Any] = json.loads((EXAMPLES / "release_notes" / "plan.json").read_text())
    run = await built.started("release_notes", example, **SETTINGS)
    light, dark = await _page(built, browser, "light"), await _page(built, browser, "dark")
    for page in (light, dark):
        await page.goto(f"{built.url}runs/{run}")
        await expect(page.get_by_text(re.compile(r"^[1-6] of 7 signed off$"))).to_be_visible()
    await _drawn(light, "run.png")
    await _drawn(dark, "run-dark.png")
    await light.goto(built.url)
    await light.get_by_role("button", name=re.compile("Load an example Release notes")).click()
    await _drawn(light, "start.png")
    await light.goto(f"{built.url}plans/release_notes?view=map")
    await expect(light.get_by_text("It compiles.")).to_be_visible()
    await _drawn(light, "plan.png")
    await light.goto(f"{built.url}runs/{asked}/tasks/letter")
    await expect(light.get_by_role("button", name="Approve", exact=True)).to_be_visible(timeout=90_000)
    await _drawn(light, "task.png")


async def _page(built: House, browser: Browser, theme: str) -> Page:
    return await (await visitor(browser, built.url, color_scheme=theme, viewport=SIZE)).goes()


async def _drawn(page: Page, name: str) -> None:
    """Writes a picture. Raises AssertionError when it is too large for a page of the docs."""
    await settled(page)
    path = PICTURES / name
    await page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    assert size <= MOST_BYTES, f"expected {name} to have at most {MOST_BYTES:,} bytes, but it has {size:,}"


if __name__ == "__main__":
    asyncio.run(main())
