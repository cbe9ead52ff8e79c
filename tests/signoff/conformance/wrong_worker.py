"""`python -m tests.signoff.conformance.wrong_worker ADDRESS`: a worker that says Hello without a name, and waits."""

from __future__ import annotations

import sys

import grpc

from signoff.v1 import runner_pb2, worker_pb2, worker_pb2_grpc


def main(address: str) -> None:
    hello = worker_pb2.Hello(role=runner_pb2.WORKER_ROLE_EXECUTOR, slots=1)
    frame = worker_pb2.ConnectRequest(messages=[worker_pb2.WorkerMessage(hello=hello)])
    with grpc.insecure_channel(address) as channel:
        for _ in worker_pb2_grpc.WorkerServiceStub(channel).Connect(iter([frame])):
            pass  # whatever the runner says


if __name__ == "__main__":
    main(sys.argv[1])
