"""Ten tabs of one browser: all of them live, over one event stream."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.counting import CountingProxy
from tests.browser.house import House
from tests.browser.plans import FOR_A_PERSON

TABS = 10


async def test_ten_tabs_share_one_stream_and_none_starves(shared: House, visit: Visit) -> None:
    ids = [await shared.started(f"tabs-{n}", FOR_A_PERSON) for n in range(2)]
    async with CountingProxy(shared.door.address) as proxy:
        anna = await visit(proxy.url)
        tabs = [await anna.goes(f"runs/{ids[n % 2]}") for n in range(TABS)]
        await shows(tabs, "1 of 2 signed off")
        assert proxy.streams == 1
        for execution in ids:
            await shared.approve(execution, "2")
        await shows(tabs, "2 of 2 signed off")
        assert proxy.streams == 1

        await tabs[0].close()  # the tab that came first
        await tabs[1].reload()
        await shows(tabs[1:], "2 of 2 signed off")
        assert proxy.streams <= 1
        await anna.leaves()


async def shows(tabs: list[Page], text: str) -> None:
    await asyncio.gather(*(expect(tab.get_by_text(text, exact=True)).to_be_visible() for tab in tabs))
