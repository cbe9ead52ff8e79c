"""Writing a plan in the page: the compiler's words, beside the line, are those of the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.plans import plan, task, text_of
from tests.browser.visitor import Visitor
from tests.support.processes.commands import signoff

#: Two mistakes: a dependency on nothing, and a field that there is not.
BROKEN = text_of(plan(task("1", "nine"), task("2", "1", validations=[])))


async def test_a_broken_plan_has_the_diagnostics_of_the_command_line_beside_its_lines(
    shared: House, visit: Visit, tmp_path: Path
) -> None:
    page = await writes(await visit(shared), "written")
    editor = page.get_by_label("Text of the plan (JSON)")
    await editor.fill(BROKEN)
    expected = await of_the_command_line(BROKEN, tmp_path)
    shown = page.get_by_role("list", name="Diagnostics").get_by_role("listitem")
    await expect(shown).to_have_count(len(expected))
    for number, message in enumerate(expected):
        await expect(shown.nth(number)).to_contain_text(message)

    first_place = shown.first.get_by_role("button", name=re.compile(r"^\d+:\d+$"))
    line = int((await first_place.inner_text()).partition(":")[0])
    assert "nine" in "".join(BROKEN.splitlines()[line - 2 : line + 1])
    await first_place.click()
    await expect(page.get_by_text(re.compile(f"Ln {line},"))).to_be_visible()


async def test_a_plan_with_errors_is_not_stored_and_the_page_says_why(shared: House, visit: Visit) -> None:
    anna = await visit(shared)
    anna.expects("422: ")
    page = await writes(anna, "unfinished")
    await page.get_by_label("Text of the plan (JSON)").fill(BROKEN)
    await page.get_by_role("button", name="Generate Map", exact=True).click()
    await expect(page.get_by_text(re.compile("Nothing was stored"))).to_be_visible()
    assert "unfinished" not in await plan_ids(page)


async def test_a_plan_that_was_mended_is_stored_and_has_a_map(shared: House, visit: Visit) -> None:
    page = await writes(await visit(shared), "mended")
    editor = page.get_by_label("Text of the plan (JSON)")
    await editor.fill(BROKEN)
    await expect(page.get_by_role("list", name="Diagnostics")).to_be_visible()
    await editor.fill(text_of(plan(task("1"), task("2", "1"))))
    await expect(page.get_by_text("It compiles").first).to_be_visible()
    await page.get_by_role("button", name="Generate Map", exact=True).click()
    await expect(page.get_by_text(re.compile("The map is stored: 2 tasks in 2 stages"))).to_be_visible()
    assert "mended" in await plan_ids(page)


async def writes(anna: Visitor, plan_id: str) -> Page:
    """Opens the editor of a plan that is not stored yet: the page asks for it, and is told so."""
    anna.expects(f"404: GET .*/plans/{plan_id} ")
    return await anna.goes(f"plans/{plan_id}?view=text")


async def of_the_command_line(text: str, folder: Path) -> list[str]:
    """Returns the messages that `signoff compile` prints."""
    path = folder / "plan.json"
    path.write_text(text)
    result = await signoff("compile", path, "--json", cwd=folder)
    records = [json.loads(line) for line in result.lines + result.out.splitlines()]
    return [record["message"] for record in records if "severity" in record]


async def plan_ids(page: Page) -> str:
    return str(await page.evaluate("fetch('api/v1/plans').then((answer) => answer.text())"))
