"""Asks a service whether it is well: `python -m signoff.health 127.0.0.1:50051`, for healthchecks of containers.

Exit code 0: it serves. 1: it does not, and standard error says why. 2: the arguments are wrong. With --alive a service
is well when it answers, even if it does not serve, such as a runner that stands by.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from signoff.display.visible_text import visible
from signoff.service.standard_streams import open_closed_streams

WELL, UNWELL, MISUSED = 0, 1, 2  # exit codes
ALIVE = "--alive"
ANSWER_WITHIN = 3.0  # seconds; a healthcheck that takes longer than that is not well


def main(arguments: Sequence[str]) -> int:
    """Asks the service at the one address given; returns the exit code."""
    alive = list(arguments[:1]) == [ALIVE]
    addresses = arguments[alive:]
    if len(addresses) != 1 or addresses[0].startswith("-"):
        sys.stderr.write(
            "signoff.health: expected one address (host:port or unix:path): "
            f"python -m signoff.health [{ALIVE}] ADDRESS\n"
        )
        return MISUSED
    problem = problem_at(addresses[0], alive=alive)
    if problem:
        sys.stderr.write(f"signoff.health: {visible(problem)}\n")
    return UNWELL if problem else WELL


def problem_at(address: str, *, alive: bool = False) -> str:
    """Says why the service at an address does not serve; empty when it does, or with `alive`, when it answers."""
    with grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # its published types leave the methods out
        try:
            status = stub.Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_WITHIN).status
        except grpc.RpcError as error:
            call = cast(grpc.Call, error)
            return f"expected an answer from {address}, but got {call.code().name}: {call.details()}"
    if alive or status == health_pb2.HealthCheckResponse.SERVING:
        return ""
    return f"expected {address} to be SERVING, but it is {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}"


if __name__ == "__main__":
    open_closed_streams()
    raise SystemExit(main(sys.argv[1:]))
