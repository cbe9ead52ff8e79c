"""Tables and trees of results mark the evidence that a verdict quotes, and a press leads to it."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Locator, expect

from signoff.client.values import by_execution
from tests.browser.conftest import Visit
from tests.browser.house import House
from tests.browser.plans import plan, printing

_ROWS = [(f"planet {n}", n, f"remark {n}") for n in range(200)]
_LINES = "\n".join(f'{name},{moons},"it has a ""{remark}"""' for name, moons, remark in _ROWS)
_TREE = {"planets": [{"name": name, "facts": {"moons": moons, "remark": remark}} for name, moons, remark in _ROWS]}
RESULTS = {
    "csv": ("CSV", f"planet,moons,remark\n{_LINES}\n"),
    "tsv": ("TSV", "planet\tmoons\tremark\n" + "\n".join(f"{a}\t{b}\t{c}" for a, b, c in _ROWS) + "\n"),
    "json": ("JSON", json.dumps(_TREE)),
}


async def rejected(of: House, visit: Visit, form: str, quote: str) -> tuple[Locator, Locator]:
    """Rejects a result with a reason that quotes it. Returns the candidate and the verdict on the page."""
    named, content = RESULTS[form]
    execution = await of.started(
        f"evidence-{form}",
        plan(printing("1", content, form=named, validation={"criteria": [], "human": True})),
        max_failures=1,
        max_rollbacks=0,
    )
    page = await (await visit(of)).goes(f"runs/{execution}/tasks/1")
    await expect(page.get_by_role("region", name="Candidate").get_by_role("tab").first).to_be_visible()
    ref = by_execution(execution)
    seen = (await of.client.candidate(ref, "1", info_only=True)).info
    await of.client.judge(ref, "1", passes=False, reason=f"“{quote}” is wrong", person="Anna", seen=seen)
    await of.ended(execution)
    await page.goto(f"{of.url}runs/{execution}/tasks/1/attempts/1")
    return page.get_by_role("region", name="Candidate"), page.get_by_role("region", name="Verdict")


@pytest.mark.parametrize(
    ("form", "quote", "cells"),
    [
        ("csv", 'planet 150,150,"it has a', ["planet 150", "150", "it has a"]),
        ("tsv", "remark 150", ["remark 150"]),
    ],
)
async def test_in_a_table_the_cells_are_marked(
    shared: House, visit: Visit, form: str, quote: str, cells: list[str]
) -> None:
    candidate, verdict = await rejected(shared, visit, form, quote)
    await expect(candidate.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    await verdict.get_by_role("button", name="Show the passage it quotes").first.click()
    await expect(candidate.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    marks = candidate.get_by_role("cell").locator("mark")
    await expect(marks).to_have_text(cells)
    await expect(marks.first).to_be_in_viewport()
    await expect(marks.first).to_have_class("current")

    await candidate.get_by_role("tab", name="Source").click()
    await expect(candidate.locator("mark").first).to_be_in_viewport()


async def test_in_a_tree_the_values_are_marked_and_opened(shared: House, visit: Visit) -> None:
    candidate, verdict = await rejected(shared, visit, "json", "remark 150")
    await candidate.get_by_role("tab", name="Tree").click()
    await expect(candidate.locator("mark")).to_have_count(0)  # it lies in what is shut
    await verdict.get_by_role("button", name="Show the passage it quotes").first.click()
    mark = candidate.get_by_role("treeitem").locator("mark")
    await expect(mark).to_have_text("remark 150")
    await expect(mark).to_be_in_viewport()
    await expect(mark).to_have_class("current")
