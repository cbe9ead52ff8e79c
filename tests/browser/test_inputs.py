"""The dialog that starts an execution asks for the plan's inputs; the run shows what it was given."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import FilePayload, expect

from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.plans import plan, task, text_of
from tests.browser.test_axe import violations

PLAN = {
    **plan(
        task("1", input={"artifacts": ["data"]}),
        task("2", description="Write of {{inputs.topic}}"),
        task("3", input={"artifacts": ["scans"], "parameters": {"o": "{{inputs.options}}"}}),
    ),
    "inputs": {
        "data": {"file": "data/*.csv", "description": "Sales <b>of</b> the month"},
        "topic": {"text": None},
        "options": {"json": {"top": 3}},
        "scans": {"folder": "scans"},
    },
}


def csv(name: str, text: str) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


async def test_a_start_asks_for_inputs_and_shows_what_it_would_do(shared: House, visit: Visit, tmp_path: Path) -> None:
    await shared.client.compile_plan(text_of(PLAN).encode(), plan_id="inputs")
    folder = tmp_path / "scans" / "2026"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("a scan")

    page = await (await visit(shared)).goes("plans/inputs")
    await page.get_by_role("button", name="Execution", exact=True).click()
    dialog = page.get_by_role("dialog")
    asked = dialog.get_by_role("group", name="Inputs")
    start = dialog.get_by_role("button", name="Start", exact=True)
    await expect(dialog.get_by_text("Sales <b>of</b> the month")).to_be_visible()
    await expect(dialog.get_by_text("The plan names data/*.csv")).to_be_visible()
    await expect(start).to_be_disabled()
    assert await violations(page) == []

    await asked.get_by_label("data").set_input_files([csv("b.csv", "2"), csv("a.csv", "1")])
    await expect(dialog.get_by_text("2 uploaded, 2 B")).to_be_visible()
    await asked.get_by_label("scans").set_input_files(tmp_path / "scans")
    await expect(dialog.get_by_text("1 uploaded, 6 B")).to_be_visible()
    await expect(start).to_be_disabled()
    await asked.get_by_label("topic").fill("mars")
    await expect(start).to_be_enabled()
    await asked.get_by_label("options").fill("{")
    await expect(dialog.get_by_role("alert")).to_contain_text("expected JSON, but")
    await expect(start).to_be_disabled()
    await asked.get_by_label("options").fill('{"top": 5}')
    await expect(dialog.get_by_text("--set topic=mars")).to_be_visible()
    await start.click()
    await page.wait_for_url("**/runs/*")

    told = page.get_by_text("Inputs: 4")
    await told.click()
    shown = page.locator("details", has=told).get_by_role("listitem")
    await expect(shown).to_have_text(
        [
            re.compile("data: a.csv, b.csv .*2 files"),
            "topic: mars",
            'options: {"top":5}',
            re.compile("scans: 2026/a.txt"),
        ]
    )
    first = page.url.rpartition("/")[2].partition("?")[0]
    await shared.ended(first)

    page = await (await visit(shared)).goes("plans/inputs")
    await page.get_by_role("button", name="Execution", exact=True).click()
    dialog = page.get_by_role("dialog")
    asked = dialog.get_by_role("group", name="Inputs")
    await asked.get_by_label("data").set_input_files([csv("a.csv", "1"), csv("b.csv", "2")])
    await asked.get_by_label("scans").set_input_files(tmp_path / "scans")
    await asked.get_by_label("options").fill('{"top": 5}')
    await asked.get_by_label("topic").fill("mars")
    await expect(dialog.get_by_text("3 of 3 kept from earlier runs")).to_be_visible()
    await asked.get_by_label("topic").fill("venus")
    await expect(dialog.get_by_text("2 of 3 kept from earlier runs · 1 to do")).to_be_visible()


async def test_an_upload_that_fails_says_why(shared: House, visit: Visit) -> None:
    await shared.client.compile_plan(text_of(PLAN).encode(), plan_id="inputs")
    visitor = await visit(shared)
    visitor.expects("contents", "too large|413|net::")
    page = await visitor.goes("plans/inputs")
    await page.get_by_role("button", name="Execution", exact=True).click()
    dialog = page.get_by_role("dialog")
    asked = dialog.get_by_role("group", name="Inputs")
    await page.route("**/api/v1/contents*", lambda route: route.abort())
    await asked.get_by_label("data").set_input_files([csv("a.csv", "1")])
    await expect(dialog.get_by_role("alert")).to_contain_text("cannot be reached")
    await expect(dialog.get_by_role("button", name="Start", exact=True)).to_be_disabled()
