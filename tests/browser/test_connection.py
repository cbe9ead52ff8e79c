"""The sentences of the page while a part of the system is away, and how it goes on by itself, with everything once."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import Build, Visit
from tests.browser.house import House
from tests.browser.plans import FOR_A_PERSON, chain, plan, task

AS_OF = r"as of \d\d:\d\d:\d\d"
ATTEMPT = 4  # the column
NO_ANSWER = ("ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "ERR_INCOMPLETE_CHUNKED", "503")


async def test_a_runner_that_was_killed_is_told_and_the_run_goes_on_by_itself(build: Build, visit: Visit) -> None:
    house = await build(model="mock:delay=0.1")
    execution = await house.started("long", chain(8))
    anna = await visit(house)
    anna.expects(*NO_ANSWER)
    page = await anna.goes(f"runs/{execution}")
    await expect(page.get_by_text(re.compile(r"^[1-7] of 8 signed off$"))).to_be_visible()

    await house.runner.kill()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile(AS_OF))
    before = await page.get_by_text(re.compile(r"^\d of 8 signed off$")).inner_text()
    assert before != "8 of 8 signed off"

    await house.runner.start()
    await expect(page.get_by_role("alert")).to_be_hidden()
    await expect(page.get_by_text("8 of 8 signed off", exact=True)).to_be_visible()
    await nothing_is_missing_or_doubled(page, house, execution)


async def test_a_door_that_was_killed_is_told_and_the_page_goes_on_by_itself(build: Build, visit: Visit) -> None:
    house = await build()
    execution = await house.started("waits", FOR_A_PERSON)
    anna = await visit(house)
    anna.expects(*NO_ANSWER)
    page = await anna.goes(f"runs/{execution}")
    await expect(page.get_by_text("1 of 2 signed off", exact=True)).to_be_visible()

    await house.door.kill()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile(f"Connection lost.*{AS_OF}"))
    await house.door.start()
    await expect(page.get_by_role("alert")).to_be_hidden()
    await expect(page.get_by_text("1 of 2 signed off", exact=True)).to_be_visible()


async def test_a_page_that_comes_while_the_runner_is_away_waits_for_it(build: Build, visit: Visit) -> None:
    house = await build()
    execution = await house.started("short", plan(task("1")))
    await house.ended(execution)
    await house.runner.kill()
    anna = await visit(house)
    anna.expects(*NO_ANSWER)
    page = await anna.goes(f"runs/{execution}")
    await expect(page.get_by_role("alert")).to_be_visible()
    await house.runner.start()
    await expect(page.get_by_text("1 of 1 signed off", exact=True)).to_be_visible()


async def nothing_is_missing_or_doubled(page: Page, house: House, execution: str) -> None:
    """Compares what the table shows with the journal: each task once, with the number of its last attempt."""
    events = await house.ended(execution)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assigned = [event for event in events if event.WhichOneof("kind") == "task_assigned"]
    last = {event.task_id: str(event.task_assigned.attempt) for event in assigned}
    await page.get_by_role("tab", name="Table", exact=True).click()
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows).to_have_count(1 + len(last))
    shown = [await row.get_by_role("cell").all_inner_texts() for row in (await rows.all())[1:]]
    assert {cells[0].strip(): cells[ATTEMPT].strip() for cells in shown} == last
