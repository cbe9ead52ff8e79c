"""Checks a cleaned table against the files that it was made from: `check_table.py FOLDER TABLE`.

It counts on its own, by other means than the program that has made the table: what two have found alike is more likely
right.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path


def main() -> None:
    folder, table = Path(sys.argv[1]), Path(sys.argv[2])
    cents = dict[str, int]()
    for row in csv.DictReader(table.read_text().splitlines()):
        cents[row["region"]] = cents.get(row["region"], 0) + round(float(row["amount"]) * 100)
    for source in sorted(folder.glob("*.csv")):
        wanted = expected(source)
        found = cents.pop(source.stem, 0)
        if found != wanted:
            sys.exit(
                f"{source.stem}: expected {wanted / 100:,.2f} in all, as {source.name} says, but got {found / 100:,.2f}"
            )
    if cents:
        sys.exit(f"expected only regions that have a file, but got {', '.join(sorted(cents))}")


def expected(source: Path) -> int:
    """Returns the cents of a file: units times price, of each line once."""
    total = 0
    for line in dict.fromkeys(source.read_text().splitlines()[1:]):
        fields = line.split(";") if ";" in line else re.sub(r'"(\d+),(\d+)"', r"\1\2", line).split(",")
        units, price = fields[2].strip(), fields[3].strip().replace(",", ".")
        total += round(int(units or 0) * float(price) * 100)
    return total


if __name__ == "__main__":
    main()
