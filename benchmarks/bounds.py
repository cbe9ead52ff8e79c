"""`python -m benchmarks.bounds`: the cost of the bounds of a message, as the least time of many runs."""

from __future__ import annotations

import sys
import time
import timeit
from collections.abc import Callable, Mapping
from functools import partial

from google.protobuf.message import Message

from signoff.bounds import check
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2

CALLS, RUNS = 5_000, 40
LEASE = "0123456789abcdef0123456789abcdef.12.345"
DIGEST = "0123456789abcdef" * 4


def main() -> None:
    for name, message in MESSAGES.items():
        body, read = message.SerializeToString(), type(message).FromString
        checked, parsed = least(partial(check, message)), least(partial(read, body))
        sys.stdout.write(f"{name:12} check {checked:5.2f} µs   parse {parsed:5.2f} µs\n")


def least(work: Callable[[], object]) -> float:
    """Returns the microseconds of one call, as far as this process had the processor."""
    return min(timeit.repeat(work, number=CALLS, repeat=RUNS, timer=time.process_time)) / CALLS * 1e6


def _worker_messages() -> Mapping[str, Message]:
    candidate = worker_pb2.Candidate(
        lease_id=LEASE,
        inline=b"x" * 500,
        size_bytes=500,
        digest=DIGEST,
        media_type="text/plain",
        maker=DIGEST,
    )
    usage = worker_pb2.Usage(lease_id=LEASE, model="gpt-5-mini", input_tokens=900, output_tokens=80, requests=1)
    result = execution_pb2.CriterionResult(criterion="is short", outcome=execution_pb2.OUTCOME_PASS, reason="it is")
    verdict = worker_pb2.Verdict(lease_id=LEASE, outcome=execution_pb2.OUTCOME_PASS, results=[result] * 3, judge=DIGEST)
    message = worker_pb2.WorkerMessage
    return {
        "Pong": message(pong=worker_pb2.Pong(nonce=7)),
        "Accepted": message(accepted=worker_pb2.Accepted(lease_id=LEASE)),
        "Progress": message(progress=worker_pb2.Progress(lease_id=LEASE, tokens=100)),
        "Usage": message(usage=usage),
        "Candidate": message(candidate=candidate),
        "Verdict": message(verdict=verdict),
    }


def _map_task() -> plan_pb2.MapTask:
    spec = plan_pb2.TaskSpec(
        task_id="1_2",
        description="Write about it. " * 6,
        input=plan_pb2.TaskInput(description="the notes", artifacts=["notes", "sources"]),
        output=plan_pb2.TaskOutput(description="a report", artifact="report", format="Markdown"),
    )
    return plan_pb2.MapTask(spec=spec, stage=3, parent=5, waits_for=[1, 2, 3])


MESSAGES: Mapping[str, Message] = {
    **_worker_messages(),
    "a map's task": _map_task(),
    "a command": runner_pb2.PauseExecutionRequest(request_id="r1", ref=runner_pb2.ExecutionRef(plan_id="trends")),
}

if __name__ == "__main__":
    main()
