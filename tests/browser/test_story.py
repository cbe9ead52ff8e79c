"""The story of a new user: from an empty start to signed-off results, by what the page offers and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from playwright.async_api import Page, expect

from signoff.v1 import execution_pb2
from tests.browser.conftest import Build, Visit
from tests.browser.house import House
from tests.browser.plans import text_of, wide
from tests.browser.views import closed, opened

MOODY = "mock:delay=0.02,fail=0.3,reject=0.6,seed=5"
GOES_WRONG_OFTEN = "30"  # failed attempts before a task is given up: this mock is moody
NOT_TAKEN = "404: GET .*/diagnostics "  # the page asks whether a plan of the id is stored already
MARK: Any = "mark"  # a role that Playwright knows, and its types do not
AT_ONCE = timedelta(0)
BY_A_PERSON = {
    "idea": "Say hello to the new colleague",
    "tasks": [
        {
            "task_id": "facts",
            "description": "List what is known of the colleague",
            "input": {"description": "A name"},
            "output": {"artifact": "facts", "format": "Markdown"},
        },
        {
            "task_id": "letter",
            "description": "Write the letter",
            "input": {"artifacts": ["facts"]},
            "output": {"artifact": "letter", "format": "Markdown"},
            "dependencies": ["facts"],
            "validation": {"criteria": ["It is friendly"], "human": True},
        },
    ],
}


async def test_an_empty_start_becomes_a_run_with_retries_and_verdicts(build: Build, visit: Visit) -> None:
    house = await build(model=MOODY)
    anna = await visit(house)
    anna.expects(NOT_TAKEN)
    page = await anna.goes()
    await expect(page.get_by_text("Nothing has been run yet.")).to_be_visible()

    await page.get_by_role("button", name=re.compile("Load an example Release notes")).click()
    await page.get_by_role("button", name="Generate Map", exact=True).click()
    await expect(page.get_by_text("The map is stored: 7 tasks in 4 stages")).to_be_visible()
    await expect(page.get_by_role("tab", name="Map", exact=True)).to_have_attribute("aria-selected", "true")

    await starts(page, "Failed attempts of a task", GOES_WRONG_OFTEN)
    await expect(page.get_by_role("heading", name=re.compile("release_notes"))).to_be_visible()
    await page.get_by_role("tab", name="Grid", exact=True).click()
    await expect(page.get_by_role("img", name=re.compile("^Grid of 7 tasks"))).to_be_visible()
    await expect(page.get_by_text("7 of 7 signed off", exact=True)).to_be_visible(timeout=60_000)

    await a_retry_is_told(page, await house.ended(execution_of(page)))
    execution = await house.started("verdicts", wide(6), max_failures=int(GOES_WRONG_OFTEN), retry_base=AT_ONCE)
    await a_verdict_shows_its_evidence(page, execution, await house.ended(execution))


async def test_a_person_rejects_sees_a_rollback_and_approves(build: Build, visit: Visit) -> None:
    house = await build()
    anna = await visit(house)
    anna.expects(NOT_TAKEN)
    page = await anna.goes()
    await pastes(page, text_of(BY_A_PERSON))
    await page.get_by_role("button", name="Generate Map", exact=True).click()
    await starts(page, "Failed attempts of a task", "1", "also what it is made from")
    await expect(page.get_by_text("1 waits for a person", exact=True)).to_be_visible()

    await through_the_inbox(page)
    await page.get_by_label("Your name").fill("Anna")
    await expect(page.get_by_role("button", name="Reject", exact=True)).to_be_disabled()
    await page.get_by_label(re.compile("What to mend")).fill("It does not say where the office is")
    await page.get_by_role("button", name="Reject", exact=True).click()
    await expect(page.get_by_text("letter is rejected", exact=True)).to_be_visible()

    await page.get_by_role("tab", name="Attempts", exact=True).click()
    await expect(page.get_by_text(re.compile("rolled back because of letter"))).to_be_visible()
    await expect(page.get_by_text(re.compile("It does not say where the office is")).first).to_be_visible()

    await page.get_by_role("tab", name="Result", exact=True).click()
    await expect(page.get_by_text(re.compile("It counts for just what you see: attempt 2"))).to_be_visible()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.get_by_text("letter is signed off", exact=True)).to_be_visible()
    await expect(page.get_by_text("2 of 2 signed off", exact=True)).to_be_visible()
    assert await kinds_of(house, page, "task_rolled_back") == 2


# ---------------------------------------------------------------- steps


async def pastes(page: Page, text: str) -> None:
    await page.get_by_role("button", name="Paste text").click()
    await page.get_by_label("The text of a plan.json").fill(text)
    await page.get_by_role("button", name="Load", exact=True).click()


async def starts(page: Page, label: str, value: str, scope: str = "") -> None:
    """Presses Execution, and starts it with a setting of its own."""
    await page.get_by_role("button", name="Execution", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(label).fill(value)
    await dialog.get_by_text("More settings").click()
    await dialog.get_by_label("First delay before a retry, s").fill("0")
    if scope:
        await dialog.get_by_label("A rollback takes back").select_option(scope)
    await dialog.get_by_role("button", name="Start", exact=True).click()
    await page.wait_for_url("**/runs/*")


def execution_of(page: Page) -> str:
    found = re.search("/runs/([^/?]+)", page.url)
    assert found is not None, page.url
    return found[1]


async def through_the_inbox(page: Page) -> None:
    """Goes to what waits by the Inbox, which counts it."""
    await page.get_by_role("navigation").get_by_role("link", name=re.compile("^Inbox")).click()
    await page.get_by_role("main").get_by_role("link", name=re.compile("letter")).first.click()
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_be_visible()


async def a_retry_is_told(page: Page, events: list[execution_pb2.Event]) -> None:
    failed = first(events, lambda event: event.WhichOneof("kind") == "attempt_failed")
    drawer = await opened(page, failed.task_id)
    await drawer.get_by_role("tab", name="Attempts", exact=True).click()
    await expect(drawer.get_by_role("heading", name=re.compile(r"^Attempt 1(\D|$)"))).to_be_visible()
    await expect(drawer.get_by_role("heading", name=re.compile(r"^Attempt 2(\D|$)"))).to_be_visible()
    await closed(drawer)


async def a_verdict_shows_its_evidence(page: Page, execution: str, events: list[execution_pb2.Event]) -> None:
    """Opens a rejected candidate: what the verdict quotes stands marked in it, and a press leads there."""
    rejected = first(events, is_by_a_model)
    runs = page.url.partition("/runs/")[0] + "/runs"
    await page.goto(f"{runs}/{execution}/tasks/{rejected.task_id}/attempts/{rejected.verdict_failed.attempt}")
    candidate, verdict = page.get_by_role("region", name="Candidate"), page.get_by_role("region", name="Verdict")
    await expect(verdict.get_by_text(re.compile("was made to be rejected")).first).to_be_visible()
    await verdict.get_by_role("button", name="Show the passage it quotes", exact=True).first.click()
    await expect(candidate.get_by_role(MARK).first).to_be_in_viewport()


def is_by_a_model(event: execution_pb2.Event) -> bool:
    results = event.verdict_failed.results
    return event.WhichOneof("kind") == "verdict_failed" and not all(one.deterministic for one in results)


def first(events: list[execution_pb2.Event], holds: Callable[[execution_pb2.Event], bool]) -> execution_pb2.Event:
    found = [event for event in events if holds(event)]
    assert found, "expected the moody mock to do it once: choose another seed"
    return found[0]


async def kinds_of(house: House, page: Page, kind: str) -> int:
    events = await house.ended(execution_of(page))
    return sum(event.WhichOneof("kind") == kind for event in events)
