"""The metrics of a real runner, while others hold connections to them open."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from pathlib import Path

from tests.support.servers.service import Service


async def test_a_runner_shows_its_metrics_and_ends_in_order_while_five_hundred_hold_half_a_request(
    tmp_path: Path,
) -> None:
    flags = ("--data-dir", str(tmp_path / "db"), "--metrics", "127.0.0.1:0")
    runner = Service(name="runner", module="runner_svc", flags=flags, folder=tmp_path, listens=True)
    await runner.start()
    try:
        port = int(re.findall(r"http://127\.0\.0\.1:(\d+)/metrics", runner.said())[0])
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(500)]
        for _, writer in opened:
            writer.write(b"GET /metrics HTT")
        assert "signoff_workers" in await asyncio.to_thread(_page, port)
        assert _threads(runner.pid) < 40
        assert await runner.terminate() == 0
        for _, writer in opened:
            writer.transport.abort()
    finally:
        await runner.kill()
    assert "Traceback" not in runner.said()


def _page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
