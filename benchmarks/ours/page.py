"""The page in a browser: 2,000 tasks, most attempts of which are rejected and made again, some 1,000 events a second.

Chromium is driven as the tests drive it; what is measured is measured by the browser: gaps between two frames, tasks of
its main thread that are longer than 50 ms, the first paint, and the heap after a collection of garbage.
"""

from __future__ import annotations

import asyncio
import gzip
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.driving import BrokenRun
from benchmarks.engine import Measure, NotHere
from benchmarks.ours.executions import prepared
from benchmarks.ours.graphs import version
from benchmarks.ours.services import Crew, Services
from benchmarks.sample import Sample
from benchmarks.shapes import layers
from signoff.client.values import by_execution
from signoff.local.child import ServiceProgram
from signoff.v1 import execution_pb2

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

CHROMIUM = Path("/usr/bin/chromium")
STATIC = Path(__file__).parents[2] / "signoff" / "web" / "static"
SLOTS, TAKES = 50, 0.2  # a layer of the graph at once: up to 250 attempts a second, each of four or five events
OUTLASTS = 1.5  # times as long as the measure the run must go on, at the fastest: by attempts that are rejected
SETTLES = 5.0  # seconds before the measure begins: the first drawing is measured by the first paint
VIEWS = ("Graph", "Grid", "Table")
MIB = 1024 * 1024

#: Keeps the gaps between frames and the long tasks, from the moment it is asked to.
_WATCH = """
window.measured = {gaps: [], long: []};
window.beginMeasure = () => { measured.gaps.length = 0; measured.long.length = 0; };
let last = 0;
const frame = (now) => { if (last) measured.gaps.push(now - last); last = now; requestAnimationFrame(frame); };
requestAnimationFrame(frame);
new PerformanceObserver((list) => measured.long.push(...list.getEntries().map((one) => one.duration)))
  .observe({type: "longtask"});
"""
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@asynccontextmanager
async def page(tasks: int, seconds: float) -> AsyncIterator[Measure]:
    """Watches a run of so many tasks, for so many seconds in each of the views. Raises NotHere without a browser."""
    _must_be_here()
    crews = (
        Crew(role="executor", slots=SLOTS, flags=("--takes", str(TAKES))),
        Crew(role="validator", slots=SLOTS, flags=("--rejects", str(_rejected(tasks, seconds)))),
    )
    async with Services(crews=crews) as services:
        address = await _door(services)
        plans = iter(range(1, 1000))

        async def once() -> Sample:
            return await run(services, address, f"page_{next(plans)}", tasks, seconds)

        yield once


def _rejected(tasks: int, seconds: float) -> int:
    """Returns how many attempts of each task are rejected before one is signed off."""
    measured = SETTLES + len(VIEWS) * (SETTLES + seconds)
    return math.ceil(OUTLASTS * measured * SLOTS / TAKES / tasks)


def _must_be_here() -> None:
    if not CHROMIUM.exists():
        raise NotHere(f"no browser at {CHROMIUM}: apt-get install chromium")
    if not find_spec("playwright"):
        raise NotHere("no Playwright: pip install '.[browser]'")


async def _door(services: Services) -> str:
    upstream = ("--runner", services.addresses["runner"], "--planner", services.addresses["planner"])
    await services.start(ServiceProgram(name="door", module="signoff.web", flags=upstream, listens_at="127.0.0.1:0"))
    return services.addresses["door"]


async def run(services: Services, address: str, plan_id: str, tasks: int, seconds: float) -> Sample:
    from playwright.async_api import async_playwright

    await prepared(services, layers(tasks) if tasks >= 50 else layers(50), plan_id)
    settings = execution_pb2.ExecutionSettings(max_failures=100, max_rollbacks=0)
    settings.retry_base.FromMilliseconds(0)
    execution = await services.client.start(plan_id, settings)
    meter = services.meter()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--enable-precise-memory-info"])
        try:
            shown = await browser.new_page(viewport={"width": 1280, "height": 800})
            await shown.add_init_script(_WATCH)
            await shown.goto(f"http://{address}/runs/{execution.execution_id}")
            await shown.get_by_role("tab", name="Graph", exact=True).wait_for()
            meter.begin()
            figures = await _watched(services, shown, execution.execution_id, seconds)
        finally:
            await browser.close()
    await services.client.stop(by_execution(execution.execution_id), "measured")
    return Sample(figures=figures | bundle(), processes=meter.end(), version=version(), durable=True)


async def _watched(services: Services, shown: Page, execution_id: str, seconds: float) -> dict[str, float]:
    """Returns the figures of all views, one after the other."""
    session = await shown.context.new_cdp_session(shown)
    figures: dict[str, float] = {"first_paint_ms": round(await shown.evaluate(_FIRST_PAINT), 1)}
    await asyncio.sleep(SETTLES)
    heap, begun, before = await _heap(session), time.perf_counter(), await _sequence(services, execution_id)
    for view in VIEWS:
        await shown.get_by_role("tab", name=view, exact=True).click()
        await asyncio.sleep(SETTLES)
        await shown.evaluate("beginMeasure()")
        await asyncio.sleep(seconds)
        figures |= _frames(view.lower(), await shown.evaluate("measured"))
    took = time.perf_counter() - begun
    events = await _sequence(services, execution_id) - before
    if not events:
        raise BrokenRun("expected events while the page was watched, but there were none")
    grown = await _heap(session) - heap
    return figures | {
        "events_per_second": round(events / took, 1),
        "heap_mib": round(heap, 2),
        "heap_growth_mib_per_minute": round(grown / took * 60, 3),
    }


async def _sequence(services: Services, execution_id: str) -> int:
    return (await services.client.get(by_execution(execution_id))).sequence


async def _heap(session: CDPSession) -> float:
    """Returns the MiB that are in use after a collection."""
    await session.send("HeapProfiler.collectGarbage")
    return float((await session.send("Runtime.getHeapUsage"))["usedSize"]) / MIB


def _frames(view: str, measured: dict[str, Any]) -> dict[str, float]:
    gaps = sorted(measured["gaps"])
    if not gaps:
        raise BrokenRun(f"expected frames of the {view}, but the browser drew none")
    return {
        f"{view}_frame_p50_ms": round(gaps[len(gaps) // 2], 1),
        f"{view}_frame_p99_ms": round(gaps[int(len(gaps) * 0.99)], 1),
        f"{view}_longest_frame_ms": round(gaps[-1], 1),
        f"{view}_longest_task_ms": round(max(measured["long"], default=0.0), 1),
    }


def bundle() -> dict[str, float]:
    """Returns the KiB of the page's scripts, and of all of it, as a browser gets them compressed."""
    sizes = {path.name: len(gzip.compress(path.read_bytes())) / 1024 for path in sorted(STATIC.iterdir())}
    scripts = sum(size for name, size in sizes.items() if name.endswith(".js"))
    return {"scripts_gzip_kib": round(scripts, 1), "bundle_gzip_kib": round(sum(sizes.values()), 1)}
