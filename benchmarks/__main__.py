"""Measures signoff beside the raw gRPC floor and beside other engines. Results are JSON lines on standard output."""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.external import VENVS
from benchmarks.measuring import measured
from benchmarks.ours.services import prepare_environment
from benchmarks.ratios import compared, ratios, store, stored
from benchmarks.report.page import write_page
from benchmarks.results import Result, results_in
from benchmarks.workloads import Workload, quick_workloads, workloads
from signoff.service.process import configure_logs, run

RESULTS = Path(__file__).with_name("results.jsonl")
RUNS, LIMIT = 3, 600.0  # runs of each engine; seconds that one of them may take
QUICK_RUNS, QUICK_LIMIT = 3, 30.0
QUICK_HURRY = 20.0  # seconds; a workload that begins later has one run, so that all end within 90
EXIT_INTERRUPTED = 130


def main() -> None:
    chosen = _arguments()
    if chosen.report:
        write_page(results_in(chosen.out or RESULTS))
        return
    prepare_environment()
    configure_logs("text", "error")
    try:
        run(_until_told_to_end(chosen))
    except asyncio.CancelledError:
        raise SystemExit(EXIT_INTERRUPTED) from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="A few, against the floor only, within 90 s; compares the ratios."
    )
    parser.add_argument("--only", nargs="+", metavar="WORKLOAD", default=(), help="Those whose names begin like this.")
    parser.add_argument("--engine", nargs="+", metavar="ENGINE", default=(), help="Only these: signoff, floor, dask, …")
    parser.add_argument("--runs", type=int, help=f"Of each engine in each workload ({RUNS}).")
    parser.add_argument("--limit", type=float, help=f"Seconds that one run may take ({LIMIT:.0f}).")
    parser.add_argument("--out", type=Path, help="Append the results to this file too; with --report, read this one.")
    parser.add_argument("--store", action="store_true", help="Keep the ratios to the floor as those to compare with.")
    parser.add_argument(
        "--report", action="store_true", help="Draw docs/reference/performance.md from results; measure nothing."
    )
    parser.add_argument("--venvs", type=Path, default=VENVS, help="Folder of the peers' environments (%(default)s).")
    parser.add_argument("--list", action="store_true", help="Name the workloads and engines; measure nothing.")
    return parser.parse_args()


def _chosen(arguments: argparse.Namespace) -> list[Workload]:
    """Returns the chosen workloads. Raises SystemExit when a name fits none."""
    found = quick_workloads() if arguments.quick else workloads(arguments.venvs.absolute())
    for name in arguments.only:
        if not any(workload.name.startswith(name) for workload in found):
            raise SystemExit(f"expected one of {', '.join(w.name for w in found)}, but got {name}")
    return [w for w in found if not arguments.only or w.name.startswith(tuple(arguments.only))]


async def _until_told_to_end(arguments: argparse.Namespace) -> None:
    """Ends the run on SIGTERM and SIGINT, and leaves no process behind."""
    loop, measuring = asyncio.get_running_loop(), asyncio.create_task(_measure(arguments))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, measuring.cancel)
    await measuring


async def _measure(arguments: argparse.Namespace) -> None:
    chosen = _chosen(arguments)
    if arguments.list:
        _say("\n".join(f"{workload.name}: {', '.join(workload.engines)}" for workload in chosen))
        return
    runs = arguments.runs or (QUICK_RUNS if arguments.quick else RUNS)
    limit = arguments.limit or (QUICK_LIMIT if arguments.quick else LIMIT)
    session = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    results: list[Result] = []
    begun = time.monotonic()
    hurry_at = begun + QUICK_HURRY if arguments.quick else math.inf
    for workload in chosen:
        async for result in measured(
            workload, runs=runs, limit=limit, session=session, only=arguments.engine, hurry_at=hurry_at
        ):
            results.append(result)
            _keep(result, arguments.out)
    _compare(results, arguments.store)
    sys.stderr.write(f"{len(chosen)} workloads in {time.monotonic() - begun:.0f} s\n")


def _keep(result: Result, out: Path | None) -> None:
    _say(result.to_json())
    if out is not None:
        with out.open("a") as file:
            file.write(result.to_json() + "\n")


def _compare(results: list[Result], keep: bool) -> None:
    """Writes the ratios to the floor to standard error, beside the stored ones."""
    found = ratios(results)
    for line in compared(found, stored()):
        sys.stderr.write(line + "\n")
    if keep:
        store(stored() | found)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
