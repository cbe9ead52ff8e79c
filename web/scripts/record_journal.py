"""Records a run for the page's tests: its journal, where it ended, and the core's table of what moves a task.

python web/scripts/record_journal.py 127.0.0.1:50052 EXECUTION > web/tests/fixtures/journal.json
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict

from runner_svc.core.model.states import TRANSITIONS
from signoff.v1 import runner_pb2, runner_pb2_grpc


async def record(runner: str, execution_id: str) -> dict[str, Any]:
    """Returns the events of an execution, and the execution with its tasks after the last of them."""
    ref = runner_pb2.ExecutionRef(execution_id=execution_id)
    async with grpc.aio.insecure_channel(runner) as channel:
        stub = runner_pb2_grpc.RunnerServiceStub(channel)
        watch = stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0))
        events = [MessageToDict(event) async for part in watch for event in part.events.events]
        everything = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL, page_size=5000)
        answer = await stub.GetExecution(everything)
    return {"transitions": transitions(), "events": events, **MessageToDict(answer)}


def transitions() -> dict[str, dict[str, int]]:
    """Returns the next status by status and event, with the events as JSON names them."""
    return {
        str(int(status)): {kind.__name__[0].lower() + kind.__name__[1:]: int(after) for kind, after in moves.items()}
        for status, moves in TRANSITIONS.items()
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(record(*sys.argv[1:3])), ensure_ascii=False, indent=1) + "\n")
