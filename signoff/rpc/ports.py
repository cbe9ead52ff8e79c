"""Default addresses: where `signoff serve` listens, and where clients and workers look unless told otherwise."""

from __future__ import annotations

PLANNER_ADDRESS = "127.0.0.1:50051"
RUNNER_ADDRESS = "127.0.0.1:50052"
UI_ADDRESS = "127.0.0.1:8300"


def page_url(address: str, prefix: str = "") -> str:
    """Returns the URL of the page of a door at an address, as a browser on the same machine takes it."""
    if address.startswith("unix:"):
        return address
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}.get(host, host)
    return f"http://{host}:{port}{prefix}/"
