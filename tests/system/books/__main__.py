"""`python -m tests.system.books`: measures all rows, and prints the table of docs/explanation/books.md."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.system.books.billed_cluster import billed_cluster
from tests.system.books.outcomes import measured, table
from tests.system.books.rows import ROWS


async def main() -> int:
    """Prints the table and the problems. Returns 1 when there are problems."""
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        async with billed_cluster(Path(folder), [row.name for row in ROWS]) as billed:
            for row in ROWS:
                await billed.cluster.heal()
                outcomes.append(await measured(row, billed))
    wrong = [f"{outcome.row.name}: {problem}" for outcome in outcomes for problem in outcome.problems()]
    sys.stdout.write("\n".join([table(outcomes), *wrong, ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
