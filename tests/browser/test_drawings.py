"""Results are shown as pictures that run nothing, load nothing, and are no part of the page."""

from __future__ import annotations

import base64
import re

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.hostile import ELSEWHERE, HARMED, SCRIPT
from tests.browser.house import House
from tests.browser.plans import plan, printing, task
from tests.support.servers.service import Service

NATURAL = "image => [image.complete, image.naturalWidth, image.naturalHeight]"
GREEN = [0, 128, 0]  #: the drawing's ground; a script in it would make it red
#: The colour of a place in the bytes of a screenshot.
COLOUR = """async ([bytes, x, y]) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(bytes), one => one.charCodeAt(0))]));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return [...context.getImageData(x, y, 1, 1).data].slice(0, 3);
}"""


def hostile(here: str) -> str:
    """Returns a drawing of 40 by 30 that tries everything, with addresses of this door (`trap`) and of elsewhere."""
    traps = [f"{here}icon.svg?trap", f"{ELSEWHERE}/trap", f"//{ELSEWHERE.partition('//')[2]}/trap"]
    loads = "".join(
        f'<image href="{url}-1" width="9" height="9"/><image xlink:href="{url}-2" width="9" height="9"/>'
        f'<use href="{url}-3#a"/><feImage href="{url}-4"/><rect fill="url({url}-5#a)" width="1" height="1"/>'
        f'<style>@import "{url}-6"; text {{ background: url({url}-7); font-family: x }}'
        f"@font-face {{ font-family: x; src: url({url}-8) }}</style>"
        f'<foreignObject width="9" height="9"><body xmlns="http://www.w3.org/1999/xhtml">'
        f'<img src="{url}-9"/><iframe src="{url}-10"></iframe><link rel="stylesheet" href="{url}-11"/>'
        f'<object data="{url}-12"></object><video src="{url}-13"></video></body></foreignObject>'
        for url in traps
    )
    return (
        f'<?xml version="1.0"?><?xml-stylesheet type="text/css" href="{here}app.css?trap-0"?>'
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="30" '
        f'onload="{SCRIPT}"><rect width="40" height="30" fill="green"/>'
        f'<script>{SCRIPT};document.querySelector("rect").setAttribute("fill","red")</script>'
        f'<script href="{here}app.js?trap-14"/><script xlink:href="{ELSEWHERE}/trap"/>{loads}'
        f'<animate attributeName="x" onbegin="{SCRIPT}" dur="1s"/><set attributeName="href" to="javascript:{SCRIPT}"/>'
        f'<a href="javascript:{SCRIPT}"><text y="9">press</text></a>'
        f'<foreignObject x="30" y="20" width="10" height="10"><body xmlns="http://www.w3.org/1999/xhtml">'
        f'<img src="x" onerror="{SCRIPT}"/><script>{SCRIPT}</script></body></foreignObject></svg>'
    )


async def test_a_hostile_drawing_is_shown_and_does_nothing(shared: House, visit: Visit) -> None:
    """A request to another host is a fault of the visitor's, and fails the test."""
    content = hostile(shared.url)
    execution = await shared.started("drawing", plan(printing("1", content, form="SVG")))
    await shared.ended(execution)
    anna = await visit(shared)
    page = await anna.goes(f"runs/{execution}/tasks/1")
    candidate = page.get_by_role("region", name="Candidate")
    picture = candidate.get_by_role("img", name=re.compile("^Picture"))
    await shows_a_picture(picture)
    assert await colour_of(page, picture) == GREEN

    await picture.click()  # a link within it leads nowhere
    await candidate.get_by_role("button", name="Full view").click()
    whole = page.get_by_role("dialog").get_by_role("img", name=re.compile("^Picture")).last
    await shows_a_picture(whole)
    await page.keyboard.press("Escape")

    assert await page.evaluate("window.ran") is None
    assert HARMED not in await page.title()
    assert await page.locator("foreignObject, svg script, svg image, object, embed, iframe").count() == 0
    assert [url for url in anna.addresses if "trap" in url] == []
    blob = await picture.get_attribute("src")
    assert blob is not None
    assert blob.startswith("blob:")
    gone = await page.evaluate("url => fetch(url).then(() => 'there', () => 'gone')", blob)
    assert gone == "gone"  # so that it cannot be opened as a document
    anna.expects("blob:")  # that last request

    await candidate.get_by_role("tab", name="Source").click()
    await expect(candidate.get_by_text("foreignObject").first).to_be_visible()


async def colour_of(page: Page, picture: Locator) -> list[int]:
    """Returns the colour of the middle, as the screen has it."""
    seen = base64.b64encode(await picture.screenshot()).decode()
    colour: list[int] = await page.evaluate(COLOUR, [seen, 20, 15])
    return colour


async def shows_a_picture(picture: Locator) -> None:
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("naturalWidth", 40)
    assert await picture.evaluate(NATURAL) == [True, 40, 30]


async def test_a_candidate_that_is_a_picture_of_pixels_is_shown(shared: House, visit: Visit) -> None:
    """A function makes it, and it is signed off: a content that says that it is no text need not be one."""
    flags = ("--role", "executor", "--name", "painter", "--app", "tests.browser.painter:app")
    painter = Service(
        name="painter",
        module="worker_svc",
        flags=(*flags, "--runner", shared.runner.address),
        folder=shared.folder,
        listens=False,
    )
    await painter.start()
    try:
        painted = task("1", executor="paint", output={"artifact": "green"})
        execution = await shared.started("painted", plan(painted), max_failures=1, max_rollbacks=0)
        await shared.ended(execution)
        page = await (await visit(shared)).goes(f"runs/{execution}/tasks/1/attempts/1")
        picture = page.get_by_role("region", name="Candidate").get_by_role("img", name=re.compile("^Picture"))
        await shows_a_picture(picture)
        assert await colour_of(page, picture) == GREEN
    finally:
        await painter.kill()


async def test_a_drawing_that_is_none_is_shown_as_its_source(shared: House, visit: Visit) -> None:
    execution = await shared.started("no-drawing", plan(printing("1", "<svg><rect", form="SVG")))
    await shared.ended(execution)
    page = await (await visit(shared)).goes(f"runs/{execution}/tasks/1")
    candidate = page.get_by_role("region", name="Candidate")
    await expect(candidate.get_by_text("The browser cannot show this picture")).to_be_visible()
    await candidate.get_by_role("tab", name="Source").click()
    await expect(candidate.get_by_text("<svg><rect")).to_be_visible()
