"""The watchdog over the loop sees the callbacks that hold it, and nothing else."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from tests.support.longest_turn import longest_turns, read_report
from tests.support.processes.commands import environment


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def test_a_turn_that_burns_cpu_is_seen_and_named() -> None:
    async def guilty() -> None:
        burn(0.03)

    with longest_turns() as turns:
        await asyncio.gather(asyncio.create_task(guilty()), asyncio.create_task(asyncio.sleep(0)))

    assert turns.longest >= 0.03
    assert "guilty" in turns.story()


async def test_waiting_and_other_threads_are_not_held_against_the_loop() -> None:
    with longest_turns() as turns:
        await asyncio.to_thread(burn, 0.03)

    assert turns.count > 0
    assert turns.longest < 0.02


async def test_a_service_that_is_run_under_it_reports_when_it_ends(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(
        "import asyncio, time\n"
        "async def main():\n"
        "    end = time.thread_time() + 0.03\n"
        "    while time.thread_time() < end:\n"
        "        pass\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.longest_turn", str(tmp_path / "report"), "busy"),
        env=environment() | {"PYTHONPATH": f"{environment()['PYTHONPATH']}:{tmp_path}"},
        cwd=tmp_path,
    )

    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert read_report(tmp_path / "report").longest >= 0.03
