"""The pages, each with an address under which it has something to show."""

from __future__ import annotations

from tests.browser.house import House
from tests.browser.plans import plan, printing, task

ROOMS = ("start", "inbox", "plan", "runs", "run", "task", "workers")
PLAN = "rooms"
_PLAN = plan(
    printing("1", "# Facts\n\n- one\n- two\n", form="Markdown"),
    task("2", "1", human=True),
    idea="房间",
)
_started: dict[str, str] = {}  # executions by the door's address


async def path_of(house: House, room: str) -> str:
    """Returns the path of a page. The run that it shows has one signed-off task and one that waits for a person."""
    execution = await _execution(house)
    paths = {"start": "", "plan": f"plans/{PLAN}", "run": f"runs/{execution}", "task": f"runs/{execution}/tasks/1"}
    return paths.get(room, room)


async def _execution(house: House) -> str:
    if house.url not in _started:
        _started[house.url] = await house.started(PLAN, _PLAN)
    return _started[house.url]
