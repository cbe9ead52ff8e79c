"""`python -m benchmarks.peers [NAME …]`: makes the virtual environments of the peers, all of them or those named."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.external import VENVS
from benchmarks.peers.table import PACKAGES


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*PACKAGES, []], metavar="NAME", help=", ".join(PACKAGES))
    parser.add_argument("--venvs", type=Path, default=VENVS, help="Folder of the environments (%(default)s).")
    chosen = parser.parse_args()
    for name in chosen.names or PACKAGES:
        make(chosen.venvs / name, PACKAGES[name])


def make(folder: Path, packages: tuple[str, ...]) -> None:
    """Makes the environment of a peer. Raises CalledProcessError, after pip has printed the reason."""
    sys.stdout.write(f"{folder}: {' '.join(packages)}\n")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)


if __name__ == "__main__":
    main()
