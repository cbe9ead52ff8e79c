"""Checks that a report has the sums of the table, and the signed-off chart: `check_report.py REPORT TABLE CHART`."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path


def main() -> None:
    report, table, chart = map(Path, sys.argv[1:4])
    text = (report / "report.md").read_text()
    cents = Counter[str]()
    for row in csv.DictReader(table.read_text().splitlines()):
        cents[row["region"]] += round(float(row["amount"]) * 100)
    for region, amount in cents.items():
        line = f"| {region.capitalize()} | {amount / 100:,.2f} |"
        if line not in text:
            sys.exit(f"report.md: expected the line {line!r}, as the table says, but it is not there")
    total = f"{sum(cents.values()) / 100:,.2f}"
    if f"**{total}** in all" not in text:
        sys.exit(f"report.md: expected {total} in all regions, as the table says, but it says something else")
    if (report / "charts/regions.png").read_bytes() != chart.read_bytes():
        sys.exit("charts/regions.png: expected the chart that was signed off, but it is another one")


if __name__ == "__main__":
    main()
