"""Asks a service whether it is well: `python -m signoff.health 127.0.0.1:50051`, for healthchecks of containers.

Exit code 0: it serves. 1: it does not, and standard error says why. 2: the question itself is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

WELL, UNWELL, MISUSED = 0, 1, 2  # exit codes
ANSWER_WITHIN = 3.0  # seconds; a healthcheck that takes longer than that is not well


def main(arguments: Sequence[str]) -> int:
    """Asks the service at the one address given; returns the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write(
            "signoff.health: expected one address (host:port or unix:path): python -m signoff.health ADDRESS\n"
        )
        return MISUSED
    problem = problem_at(arguments[0])
    if problem:
        sys.stderr.write(f"signoff.health: {problem}\n")
    return UNWELL if problem else WELL


def problem_at(address: str) -> str:
    """Why the service at an address does not serve; empty when it does."""
    with grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # its published types leave the methods out
        try:
            status = stub.Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_WITHIN).status
        except grpc.RpcError as error:
            call = cast(grpc.Call, error)
            return f"expected an answer from {address}, but got {call.code().name}: {call.details()}"
    if status == health_pb2.HealthCheckResponse.SERVING:
        return ""
    return f"expected {address} to be SERVING, but it is {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
