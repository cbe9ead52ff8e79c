"""`python -m benchmarks.ours.watching`: watches one execution many times at once and says how far behind it was."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import grpc.aio

from benchmarks.driving import BrokenRun
from signoff.errors import WatcherTooSlow
from signoff.rpc.channel import connect
from signoff.rpc.statuses import reason_of
from signoff.service.process import run
from signoff.v1 import execution_pb2, runner_pb2, runner_pb2_grpc


@dataclass(slots=True)
class Watcher:
    """A reader of every event of an execution, which notes the age of the oldest event of each batch."""

    execution_id: str
    sequence: int = 0
    cut_off: int = 0  #: times the runner ended the watch because it was too slow
    lags: list[float] = field(default_factory=list)  #: seconds
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self, stub: Any) -> None:
        """Watches to the end of the execution."""
        while True:
            ref = runner_pb2.ExecutionRef(execution_id=self.execution_id)
            request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=self.sequence, follow=True)
            try:
                async for answer in stub.WatchExecution(request):
                    self.take(answer.events.events)
                return
            except grpc.aio.AioRpcError as error:
                if reason_of(error) != WatcherTooSlow.reason():
                    raise
                self.cut_off += 1

    def take(self, events: Any) -> None:
        """Takes a batch of events. Raises BrokenRun when one is missing."""
        if self.sequence + len(events) != events[-1].sequence:
            raise BrokenRun(f"expected event {self.sequence + 1} and those after it, but got {events[0].sequence}")
        self.sequence = events[-1].sequence
        if self.heard.is_set():
            self.lags.append(time.time() - moment(events[0]))
        self.heard.set()


def moment(event: execution_pb2.Event) -> float:
    return event.at.seconds + event.at.nanos / 1e9


async def watch(chosen: argparse.Namespace) -> None:
    watchers = [Watcher(chosen.execution) for _ in range(chosen.count)]
    async with connect(chosen.runner) as channel, asyncio.TaskGroup() as group:
        stub = runner_pb2_grpc.RunnerServiceStub(channel)
        watching = [group.create_task(watcher.watch(stub)) for watcher in watchers]
        for watcher in watchers:
            await watcher.heard.wait()
        say({"watching": chosen.count})
        await asyncio.gather(*watching)
    say(seen_by(watchers))
    await asyncio.to_thread(sys.stdin.read)  # the benchmark reads the use of this process, and then ends it


def seen_by(watchers: list[Watcher]) -> dict[str, float]:
    lags = sorted(lag for watcher in watchers for lag in watcher.lags) or [0.0]
    return {
        "lag_p50_ms": round(lags[len(lags) // 2] * 1e3, 2),
        "lag_max_ms": round(lags[-1] * 1e3, 2),
        "cut_off": sum(watcher.cut_off for watcher in watchers),
        "events_seen": sum(watcher.sequence for watcher in watchers),
    }


def say(what: dict[str, float]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ours.watching", description=__doc__)
    parser.add_argument("--runner", required=True)
    parser.add_argument("--execution", required=True)
    parser.add_argument("--count", type=int, required=True)
    run(watch(parser.parse_args()))
