"""A visitor: a person at a browser of their own. Whatever goes wrong in that browser is kept, and fails the test.

Errors of scripts and of the content security policy, requests that fail, answers that say no, and any request to
another host: a test that provokes one of them says so with `expects`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Error, Page, Request, Response

BROWSERS = ("/usr/bin/chromium", "/usr/bin/google-chrome")  # as Debian has it, and as forges have it
ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # no name leads anywhere
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
)
PATIENCE = 20_000.0  # milliseconds for anything that takes one second on an idle machine
_GIVEN_UP = "net::ERR_ABORTED"  # the page asked for something, and did not need it any more


@dataclass(eq=False)  # no slots: Playwright keeps something of its own beside a handler
class Visitor:
    """A browser context, and what went wrong in it."""

    context: BrowserContext
    url: str
    faults: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)  #: of all requests
    _reading: list[asyncio.Future[None]] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    async def goes(self, path: str = "") -> Page:
        """Opens a page in a new tab."""
        page = await self.context.new_page()
        self._watch(page)
        await page.goto(self.url + path)
        return page

    def expects(self, *patterns: str) -> None:
        """Says which faults are meant: each that has one of these in it."""
        self._expected += [re.compile(pattern) for pattern in patterns]

    async def leaves(self) -> None:
        await asyncio.gather(*self._reading)
        await self.context.close()

    @property
    def unexpected(self) -> list[str]:
        return [fault for fault in self.faults if not any(one.search(fault) for one in self._expected)]

    def _watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("dialog", self._interrupted)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        self.addresses.add(request.url)
        to = urlsplit(request.url)
        if to.scheme not in ("blob", "data", "about") and to.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != _GIVEN_UP:
            self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            fault = f"{response.status}: {response.request.method} {response.url}"
            self._reading.append(asyncio.ensure_future(self._read(response, fault)))

    async def _read(self, response: Response, fault: str) -> None:
        """Keeps an answer that says no, with its sentence where it can still be read."""
        with contextlib.suppress(Error):
            fault += f" {await response.text()}"
        self.faults.append(fault)

    async def _interrupted(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.type} {dialog.message}")
        await dialog.dismiss()


async def visitor(browser: Browser, url: str, **options: object) -> Visitor:
    """Returns a new visitor, with options of a browser context such as locale or color_scheme."""
    chosen = {"locale": "en-GB", "color_scheme": "light", "viewport": {"width": 1280, "height": 800}} | options
    context = await browser.new_context(**chosen)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    return Visitor(context, url)


def browser_here() -> str:
    """Returns the path of this machine's browser. Raises FileNotFoundError, which says how to get one."""
    found = [path for path in BROWSERS if Path(path).exists()]
    if not found:
        raise FileNotFoundError(
            f"expected a browser at {' or '.join(BROWSERS)}, but there is none: apt-get install chromium"
        )
    return found[0]
