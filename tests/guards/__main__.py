"""`python -m tests.guards [NAME …] [--long]`: takes the guards away one by one; their tests must fail."""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.guards import Guard
from tests.guards.markers import take_away
from tests.guards.table import GUARDS

ROOT = Path(__file__).parents[2]
MEMORY = 6 << 30  # bytes: without a bound that is a guard, a test may take all that there is
LIMIT = 300.0  # seconds for the tests of one guard: without it, some of them hang, which is a way to fail

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "db", "node_modules")
_NOTHING_RAN = (4, 5)  # of pytest's exit codes: bad usage, no tests
#: In a summary; or in the progress, when what a failed test leaves behind ends pytest before its summary.
_FAILURES = re.compile(r"^(?:FAILED|ERROR) |^[FE]+ +\[100%\]", re.MULTILINE)
_PASSED = re.compile(r"(\d+) passed")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.guards", description=__doc__)
    parser.add_argument("names", nargs="*", help="Only these guards.")
    parser.add_argument("--long", action="store_true", help="Run the tests of the long suite too.")
    arguments = parser.parse_args()
    chosen = [guard for guard in GUARDS if not arguments.names or guard.name in arguments.names]
    unknown = set(arguments.names) - {guard.name for guard in GUARDS}
    if unknown:
        parser.error(f"expected names of guards, but got {', '.join(sorted(unknown))}")
    bad = [guard.name for guard in chosen if not _is_held(guard, arguments.long)]
    sys.stdout.write(f"{len(chosen)} guards taken away, {len(bad)} not missed{': ' if bad else ''}{', '.join(bad)}\n")
    return 1 if bad else 0


def _is_held(guard: Guard, long: bool) -> bool:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="signoff-guard-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        take_away(guard.name, copy)
        verdict = _tests_of(guard, copy, long)
    sys.stdout.write(f"{guard.name}: {verdict or 'held'} ({time.monotonic() - begun:.0f} s)\n")
    sys.stdout.flush()
    return not verdict


def _tests_of(guard: Guard, root: Path, long: bool) -> str:
    """Returns the problem of the tests of a guard that was taken away; empty when all of them fail."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"]  # few tests: workers cost more
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.Popen(
        [*command, "-m", f"guard(name={guard.name!r})", *_paths(guard, root), *(["--long"] if long else [])],
        cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=_bounded,
    )  # fmt: skip
    try:
        said, problems = run.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)  # with what the tests have started
        run.communicate()
        return ""
    if run.returncode in _NOTHING_RAN:
        return f"no test ran\n{said[-2000:]}{problems[-2000:]}"
    passed = _PASSED.search(said)
    if passed or not _FAILURES.search(said):
        return f"NOT MISSED: {(said or problems or 'pytest said nothing').splitlines()[-1]}"
    return ""


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def _paths(guard: Guard, root: Path) -> Sequence[str]:
    """Returns the test files that name the guard: collecting all of them takes long."""
    files = (root / "tests").rglob("test_*.py")
    return sorted(str(file.relative_to(root)) for file in files if f'guard(name="{guard.name}")' in file.read_text())


if __name__ == "__main__":
    raise SystemExit(main())
