"""A second person follows a link: to a run, to a task, to one attempt."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.plans import plan, printing, task
from tests.browser.views import closed, opened

TWICE = {"checks": [{"type": "command", "argv": ["grep", "-q", "never", "{candidate}"]}]}


async def test_a_link_to_a_task_shows_it_to_a_second_person(shared: House, visit: Visit) -> None:
    execution = await shared.started("linked", plan(printing("1", "Mars and Venus"), task("2", "1", human=True)))
    anna, bert = await visit(shared), await visit(shared)
    first = await anna.goes(f"runs/{execution}")
    await opened(first, "1")

    second = await bert.goes(first.url.removeprefix(shared.url))
    candidate = second.get_by_role("dialog", name="Task 1").get_by_role("region", name="Candidate")
    await expect(candidate.get_by_text("Mars and Venus")).to_be_visible()
    await closed(second.get_by_role("dialog", name="Task 1"))
    await expect(second.get_by_text("1 of 2 signed off", exact=True)).to_be_visible()
    await second.go_back()
    await expect(second.get_by_role("dialog", name="Task 1")).to_be_visible()


async def test_a_link_to_an_attempt_shows_that_attempt(shared: House, visit: Visit) -> None:
    rejected = plan(printing("1", "Mars", validation=TWICE))
    execution = await shared.started("attempts", rejected, max_failures=2, max_rollbacks=0)
    await shared.ended(execution)
    page = await (await visit(shared)).goes(f"runs/{execution}/tasks/1/attempts/1")
    drawer = page.get_by_role("dialog", name="Task 1")
    await expect(drawer.get_by_text(re.compile("Attempt 1: rejected"))).to_be_visible()


async def test_a_link_to_a_task_that_is_not_there_says_so(shared: House, visit: Visit) -> None:
    execution = await shared.started("linked-wrongly", plan(printing("1", "Mars")))
    anna = await visit(shared)
    anna.expects("404: ")
    page = await anna.goes(f"runs/{execution}/tasks/nine")
    await expect(page.get_by_role("alert").filter(has_text="nine").first).to_be_visible()
