"""Many tabs of one browser: all of them live, over one event stream, also in browsers without SharedWorker."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.counting import CountingProxy
from tests.browser.house import House
from tests.browser.plans import FOR_A_PERSON, plan, task

TABS = 10
PEOPLE = plan(*(task(str(n), human=True) for n in range(1, 4)))


async def test_ten_tabs_share_one_stream_and_none_starves(shared: House, visit: Visit) -> None:
    ids = [await shared.started(f"tabs-{n}", FOR_A_PERSON) for n in range(2)]
    async with CountingProxy(shared.door.address) as proxy:
        anna = await visit(proxy.url)
        tabs = [await anna.goes(f"runs/{ids[n % 2]}") for n in range(TABS)]
        await shows(tabs, "1 of 2 signed off")
        await proxy.has(1)
        for execution in ids:
            await shared.approve(execution, "2")
        await shows(tabs, "2 of 2 signed off")
        await proxy.has(1)

        await tabs[0].close()  # the tab that came first
        await tabs[1].reload()
        await shows(tabs[1:], "2 of 2 signed off")
        await proxy.has(0, 1)
        await anna.leaves()


async def test_without_shared_workers_the_tab_that_has_the_stream_hands_it_on(shared: House, visit: Visit) -> None:
    """The stream is in the tab that came first. When that tab goes, another one has it, and every event arrives."""
    ids = [await shared.started(f"led-{n}", PEOPLE) for n in range(2)]
    async with CountingProxy(shared.door.address) as proxy:
        anna = await visit(proxy.url)
        await anna.context.add_init_script("delete window.SharedWorker")
        tabs = [await anna.goes(f"runs/{ids[n % 2]}") for n in range(5)]
        assert await tabs[0].evaluate("typeof SharedWorker") == "undefined"
        await shows(tabs, "3 wait for a person")
        await proxy.has(1)

        await approve(shared, ids, "1")
        await shows(tabs, "1 of 3 signed off")
        await proxy.has(1)

        begun = proxy.begun
        await tabs.pop(0).close()
        await approve(shared, ids, "2")
        await shows(tabs, "2 of 3 signed off")
        assert proxy.begun > begun  # it was the one that had the stream
        await proxy.has(1)

        await tabs[0].reload()  # whichever has it now, each of the others goes or comes anew once
        await tabs.pop().close()
        await tabs[1].goto(f"{proxy.url}runs/{ids[0]}")
        await approve(shared, ids, "3")
        await shows(tabs, "3 of 3 signed off")
        await proxy.has(0, 1)  # the runs are over, and so may be the stream
        await anna.leaves()


async def test_without_locks_too_each_tab_has_a_stream_of_its_own(shared: House, visit: Visit) -> None:
    """Browsers give neither to a page over plain HTTP from another machine, if they have no SharedWorker at all."""
    execution = await shared.started("alone", FOR_A_PERSON)
    async with CountingProxy(shared.door.address) as proxy:
        anna = await visit(proxy.url)
        await anna.context.add_init_script(
            "delete window.SharedWorker; Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})"
        )
        tabs = [await anna.goes(f"runs/{execution}") for _ in range(3)]
        await shows(tabs, "1 of 2 signed off")
        await proxy.has(len(tabs))
        await tabs.pop(0).close()
        await shared.approve(execution, "2")
        await shows(tabs, "2 of 2 signed off")
        await anna.leaves()


async def approve(of: House, executions: list[str], task_id: str) -> None:
    """Approves a task of each execution."""
    for execution in executions:
        await of.approve(execution, task_id)


async def shows(tabs: list[Page], text: str) -> None:
    await asyncio.gather(*(expect(tab.get_by_text(text, exact=True)).to_be_visible() for tab in tabs))
