"""The machine and the versions with which the figures were measured."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from importlib import metadata
from pathlib import Path

PACKAGES = ("signoff", "grpcio", "protobuf", "uvloop")
LOOPS = 200_000  # of the calibration; 10 to 20 ms on a machine of 2026


def machine() -> dict[str, str | int | float]:
    """Returns the facts about this machine that do not change during a run."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }


def versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: metadata.version(name) for name in PACKAGES},
    }


def calibration_ms() -> float:
    """Measures a fixed loop, the best of three: shared machines change their speed within an hour."""
    return round(min(_loop() for _ in range(3)) * 1e3, 2)


def _loop() -> float:
    begun, seen = time.perf_counter(), dict[int, int]()
    for number in range(LOOPS):
        seen[number & 1023] = number
    return time.perf_counter() - begun


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
