"""One browser and one house for all tests of a process; a browser context, clean, for each visitor.

All tests of this folder share an event loop, because the browser lives in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.house import House, house
from tests.browser.visitor import ARGUMENTS, PATIENCE, Visitor, browser_here, visitor

HERE = Path(__file__).parent
_together = pytest_asyncio.fixture(scope="session", loop_scope="session")
_each = pytest_asyncio.fixture(loop_scope="session")


class Visit(Protocol):
    """Lets one more visitor in, with options of a browser context."""

    def __call__(self, of: House | str, **options: object) -> Awaitable[Visitor]: ...


class Build(Protocol):
    """Builds a house for one test alone."""

    def __call__(self, *, model: str = ..., door_flags: tuple[str, ...] = ()) -> Awaitable[House]: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@_together
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=browser_here(), args=list(ARGUMENTS))
        yield started
        await started.close()


@_together
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house that tests share; each stores plans under ids of its own."""
    async with house(tmp_path_factory.mktemp("house")) as built:
        yield built


@_each
async def build(tmp_path: Path) -> AsyncIterator[Build]:
    async with AsyncExitStack() as stack:

        async def building(**options: object) -> House:
            return await stack.enter_async_context(house(tmp_path, **options))  # type: ignore[arg-type]

        yield building


@_each
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """Lets visitors in, sees them out, and fails when anything went wrong in their browsers."""
    visitors: list[Visitor] = []

    async def visiting(of: House | str, **options: object) -> Visitor:
        url = of if isinstance(of, str) else of.url
        visitors.append(await visitor(browser, url, **options))
        return visitors[-1]

    yield visiting
    for one in visitors:
        await one.leaves()
    faults = [fault for one in visitors for fault in one.unexpected]
    assert not faults, "\n".join(faults)
