"""Plans that are fetched, and previews that are made: a few at once, so that other work gets threads too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from runner_svc.engine import Engine
from runner_svc.planner import MOST_FETCHED, Fetched, FetchLimit
from runner_svc.publish.feed import Feed
from runner_svc.services import runner_service
from runner_svc.services.hub import Hub
from runner_svc.services.runner_service import MOST_PREVIEWS, RunnerService
from runner_svc.store.memory import MemoryStore
from signoff.v1 import runner_pb2
from tests.support.servers.runner import PlannerOfTexts

PLANS = [f"p{number}" for number in range(5)]
NO_CONTEXT: Any = None  # the handlers make no use of it


class CountingPlanner(PlannerOfTexts):
    """A planner that counts what is asked of it, and answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = dict.fromkeys(PLANS, "a")
        self.asked, self.go = Counter[str](), asyncio.Event()

    async def fetch(self, plan_id: str) -> Fetched:
        self.asked[plan_id] += 1
        await self.go.wait()
        return await super().fetch(plan_id)


class Served:
    """An engine that runs, and its service, without a socket."""

    def __init__(self) -> None:
        feed, store = Feed(), MemoryStore()
        hub = Hub(feed)
        self.planner = CountingPlanner()
        self.engine = Engine(store, performer=hub, feed=feed)
        self.service = RunnerService(self.engine, store, hub, self.planner)

    async def until_all_have_asked(self) -> None:
        """Returns when all calls have asked the engine what they had to ask by now."""
        for _ in range(20):
            await self.engine.ask(lambda _: None)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    await made.engine.open()
    running = asyncio.create_task(made.engine.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    ("plans", "most"),
    [
        pytest.param(PLANS, MOST_FETCHED, marks=pytest.mark.guard(name="a few fetches at once")),
        pytest.param(["p"] * 5, 1, marks=pytest.mark.guard(name="one fetch of a plan at a time")),
    ],
)
async def test_a_few_plans_are_fetched_at_once_and_each_of_them_once(plans: list[str], most: int) -> None:
    limit, at_once, seen = FetchLimit(), 0, list[int]()

    async def fetch(plan_id: str) -> None:
        nonlocal at_once
        async with limit.slot(plan_id):
            at_once += 1
            seen.append(at_once)
            await asyncio.sleep(0)
            at_once -= 1

    await asyncio.gather(*map(fetch, plans))
    assert (len(seen), max(seen), len(limit._of_plan)) == (len(plans), most, 0)


@pytest.mark.guard(name="a first layout is set once")
async def test_many_first_starts_of_a_plan_fetch_it_once(served: Served) -> None:
    starts = [
        asyncio.create_task(served.service.StartExecution(runner_pb2.StartExecutionRequest(plan_id="p0"), NO_CONTEXT))
        for _ in range(5)
    ]
    await served.until_all_have_asked()
    served.planner.go.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*starts)
    assert served.planner.asked == {"p0": 1}


async def test_the_layouts_of_many_plans_are_fetched_a_few_at_once(served: Served) -> None:
    setting = [
        asyncio.create_task(served.service.SetLayout(runner_pb2.SetLayoutRequest(plan_id=plan), NO_CONTEXT))
        for plan in [*PLANS, *PLANS]
    ]
    await served.until_all_have_asked()
    assert served.planner.asked.total() == MOST_FETCHED
    served.planner.go.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*setting)
    assert served.planner.asked == dict.fromkeys(PLANS, 2), "each is fetched anew: it may have been compiled meanwhile"


@pytest.mark.guard(name="a few previews at once")
async def test_a_few_previews_are_made_at_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = 0, asyncio.Event()

    async def work(preview: Callable[[], Any]) -> Any:
        nonlocal begun
        begun += 1
        await go.wait()
        return preview()

    monkeypatch.setattr(runner_service, "in_thread", work)
    served.planner.go.set()
    previews = [
        asyncio.create_task(
            served.service.PreviewExecution(runner_pb2.PreviewExecutionRequest(plan_id=plan), NO_CONTEXT)
        )
        for plan in PLANS
    ]
    await served.until_all_have_asked()
    assert begun == MOST_PREVIEWS
    go.set()
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*previews)
    assert (len(answers), begun) == (len(PLANS), len(PLANS))
