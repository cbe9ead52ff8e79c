"""Default addresses: where `signoff serve` listens, and where clients and workers look unless told otherwise."""

from __future__ import annotations

PLANNER_ADDRESS = "127.0.0.1:50051"
RUNNER_ADDRESS = "127.0.0.1:50052"
