"""An app for tests with processes: functions that block, that die, that fail, and some that work."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from pydantic import BaseModel

from signoff.app import App, CannotTell, Context, Files, Verdict

app = App()


class Papers(BaseModel):
    titles: list[str]


@app.executor
async def fetch(topic: str, ctx: Context, limit: int = 2) -> Papers:
    ctx.progress(f"looking for {topic}")
    ctx.usage("archive", input_tokens=limit)
    return Papers(titles=[f"{topic} {number}" for number in range(1, limit + 1)])


@app.executor(process=True)
def draws_in_a_process(sales: Files, ctx: Context) -> None:
    (ctx.outputs / "charts").mkdir()
    for path, place in sales.items():
        (ctx.outputs / path).write_bytes(place.read_bytes() + b"!")


@app.executor
async def blocks(fifo: str, ctx: Context) -> str:
    """Blocks the event loop of all coroutines until the test writes into the pipe."""
    ctx.progress("about to block")
    return Path(fifo).read_text()  # noqa: ASYNC240 - that is the point


@app.executor
def blocks_thread(fifo: str, ctx: Context) -> str:
    ctx.progress("about to block")
    return Path(fifo).read_text()


@app.executor
async def leaves_a_thread(fifo: str, ctx: Context) -> str:
    """Begins a thread that cannot be ended."""
    threading.Thread(target=Path(fifo).read_text).start()
    ctx.progress("about to block")
    await asyncio.Event().wait()
    return "never"


@app.executor(process=True)
def blocks_process(fifo: str, ctx: Context) -> str:
    """Blocks, with a child of its own that nothing ends by itself for a minute."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.alarm(60); signal.pause()"]) as child:
        ctx.progress(f"{os.getpid()} {child.pid}")
        text = Path(fifo).read_text()
        child.kill()
    return text


@app.executor(process=True)
async def counts(text: str, ctx: Context) -> dict[str, int]:
    print("this goes to standard error")  # noqa: T201 - what users do
    await asyncio.to_thread(ctx.progress, "counting")
    ctx.usage("counter", input_tokens=1)
    ctx.usage("counter", output_tokens=2, requests=2)
    return {"words": len(text.split()), "process": os.getpid()}


@app.executor(process=True)
def exits(code: int) -> str:
    os._exit(code)


@app.executor(process=True)
def kills_itself() -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@app.executor(process=True)
def goes_on(ctx: Context) -> str:
    """Is killed on its way, and goes on from there."""
    if ctx.checkpoint is None:
        ctx.save({"pages": 3})
        os.kill(os.getpid(), signal.SIGKILL)
    return f"went on from page {ctx.checkpoint['pages']}"


@app.executor(process=True)
def raises() -> str:
    raise ValueError("in a process")


@app.validator
def complete(papers: Papers, topic: str, ctx: Context) -> bool | Verdict:
    """Every title names the topic."""
    ctx.usage("reader", input_tokens=1)
    if not papers.titles:
        return Verdict.failed("there are no papers", retry=False)
    return all(topic in title for title in papers.titles)


@app.validator(name="in-archive")
async def in_archive(papers: Papers, ctx: Context) -> bool:
    ctx.usage("reader", input_tokens=1)
    raise CannotTell("the archive is closed")
