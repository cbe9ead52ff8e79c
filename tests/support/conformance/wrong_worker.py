"""`python -m tests.support.conformance.wrong_worker ADDRESS`: a worker that says Hello without a name, and waits."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import grpc

from signoff.v1 import runner_pb2, worker_pb2, worker_pb2_grpc


def frames(ended: threading.Event) -> Iterator[worker_pb2.ConnectRequest]:
    """Keeps the stream open after its only frame: the kit does not look at a stream that has ended."""
    hello = worker_pb2.Hello(role=runner_pb2.WORKER_ROLE_EXECUTOR, slots=1)
    yield worker_pb2.ConnectRequest(messages=[worker_pb2.WorkerMessage(hello=hello)])
    ended.wait()


def main(address: str) -> None:
    ended = threading.Event()
    with grpc.insecure_channel(address) as channel:
        try:
            for _ in worker_pb2_grpc.WorkerServiceStub(channel).Connect(frames(ended)):
                pass  # whatever the runner says
        finally:
            ended.set()


if __name__ == "__main__":
    main(sys.argv[1])
