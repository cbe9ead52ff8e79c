"""Calls that take much of what others need, such as threads or reads of the store: a few of them at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from runner_svc.engine import Engine
from runner_svc.planner import MOST_FETCHED, Fetched, FetchLimit
from runner_svc.publish.feed import Feed
from runner_svc.services import runner_service
from runner_svc.services.hub import Hub
from runner_svc.services.runner_service import MOST_JOURNALS, MOST_PREVIEWS, RunnerService
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Row
from signoff.errors import CandidateNotFound, PromptNotFound
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


class CountingStore(MemoryStore):
    """A store that counts the pages of journals that are asked for, and gives them when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.pages, self.go = 0, asyncio.Event()

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        self.pages += 1
        await self.go.wait()
        return await super().read(journal, after, limit)


class Served:
    """An engine that runs, and its service, without a socket."""

    def __init__(self) -> None:
        feed, self.store = Feed(), CountingStore()
        hub = Hub(feed)
        self.planner = CountingPlanner()
        self.engine = Engine(self.store, performer=hub, feed=feed)
        self.service = RunnerService(self.engine, self.store, hub, self.planner)

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


async def list_prompts(service: RunnerService, ref: runner_pb2.ExecutionRef) -> None:
    await service.ListPrompts(runner_pb2.ListPromptsRequest(ref=ref, task_id="a"), NO_CONTEXT)


async def get_prompt(service: RunnerService, ref: runner_pb2.ExecutionRef) -> None:
    request = runner_pb2.GetPromptRequest(ref=ref, task_id="a", digest="0" * 64)
    with pytest.raises(PromptNotFound):
        await anext(service.GetPrompt(request, NO_CONTEXT))


async def get_candidate(service: RunnerService, ref: runner_pb2.ExecutionRef) -> None:
    with pytest.raises(CandidateNotFound):
        await anext(service.GetCandidate(runner_pb2.GetCandidateRequest(ref=ref, task_id="a"), NO_CONTEXT))


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(list_prompts, marks=pytest.mark.guard(name="a few lists of prompts are made at once")),
        pytest.param(get_prompt, marks=pytest.mark.guard(name="a few prompts are searched at once")),
        pytest.param(get_candidate, marks=pytest.mark.guard(name="a few candidates are searched at once")),
    ],
)
async def test_a_few_questions_at_once_read_whole_journals(
    served: Served, ask: Callable[[RunnerService, runner_pb2.ExecutionRef], Awaitable[None]]
) -> None:
    served.planner.go.set()
    started = await served.service.StartExecution(runner_pb2.StartExecutionRequest(plan_id="p0"), NO_CONTEXT)
    ref = runner_pb2.ExecutionRef(execution_id=started.execution.execution_id)
    asking = asyncio.gather(*(ask(served.service, ref) for _ in range(3 * MOST_JOURNALS)))
    await served.until_all_have_asked()
    assert served.store.pages == MOST_JOURNALS
    served.store.go.set()
    async with asyncio.timeout(10):
        await asking
    assert served.store.pages == 3 * MOST_JOURNALS
