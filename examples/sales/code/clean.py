"""Makes one clean table of the files of all regions: `clean.py FOLDER TABLE`.

Dates, numbers and names are written in one way, rows without a number of units are left out, and a row that comes twice
in a file counts once.
"""

from __future__ import annotations

import csv
import datetime
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NoReturn

COLUMNS = ("date", "product", "units", "price")


def main() -> None:
    folder, table = Path(sys.argv[1]), Path(sys.argv[2])
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("region", *COLUMNS, "amount"))
        for source in sorted(folder.glob("*.csv")):
            rows.writerows(cleaned(source))


def cleaned(source: Path) -> Iterator[tuple[object, ...]]:
    """Yields the rows of a region's file."""
    text = source.read_text()
    reader = csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if missing := [name for name in COLUMNS if name not in names]:
        stop(f"{source.name}: expected the columns {', '.join(COLUMNS)}, but {', '.join(missing)} is missing")
    reader.fieldnames = names
    seen = set[tuple[str, ...]]()
    for number, row in enumerate(reader, 2):
        fields = tuple((row[name] or "").strip() for name in COLUMNS)
        if fields in seen or not fields[2]:
            continue
        seen.add(fields)
        where = f"{source.name}, line {number}"
        units, price = number_of(fields[2].replace(",", ""), where), number_of(fields[3].replace(",", "."), where)
        yield source.stem, date_of(fields[0], where), fields[1].capitalize(), units, price, units * price


def date_of(text: str, where: str) -> datetime.date:
    parts = text.split("-") if "-" in text else [*reversed(text.split("."))]
    try:
        return datetime.date(*map(int, parts))
    except (TypeError, ValueError):
        stop(f"{where}: expected a date such as 2026-07-01 or 01.07.2026, but got {text!r}")


def number_of(text: str, where: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        stop(f"{where}: expected a number, but got {text!r}")


def stop(problem: str) -> NoReturn:
    """Ends the program with exit code 64: the data is wrong, and another attempt would find it so again."""
    sys.stderr.write(f"{problem}\n")
    sys.exit(64)


if __name__ == "__main__":
    main()
