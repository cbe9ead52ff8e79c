"""The README's command for the page: a new user types it, opens the URL, and presses what the README names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_story import NOT_TAKEN
from tests.support.processes.commands import ROOT
from tests.support.servers.door import services

COMMAND = re.compile(r"^\.venv/bin/signoff serve (--ui .+)$", re.MULTILINE)
WITHIN = 60_000  # milliseconds


async def test_the_command_of_the_readme_leads_to_a_page_that_moves(tmp_path: Path, visit: Visit) -> None:
    found = COMMAND.search((ROOT / "README.md").read_text())
    assert found is not None
    with services(tmp_path, *shlex.split(found[1])) as typed:
        anna = await visit(typed.url)
        anna.expects(NOT_TAKEN)
        page = await anna.goes()
        await page.get_by_role("button", name=re.compile("Load an example Release notes")).click()
        await page.get_by_role("button", name="Generate Map", exact=True).click()
        await expect(page.get_by_text("The map is stored: 7 tasks in 4 stages")).to_be_visible()
        await page.get_by_role("button", name="Execution", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="Start", exact=True).click()
        await expect(page.get_by_text(re.compile("^[1-7] of 7 signed off$"))).to_be_visible(timeout=WITHIN)
        await anna.leaves()
