"""Writes the report with its chart: `report.py TABLE CHART COMMENT MONTH GOAL`."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from decimal import Decimal
from pathlib import Path


def main() -> None:
    table, chart, comment, month, goal = map(Path, sys.argv[1:6])
    regions, products = dict[str, Decimal](), dict[str, Decimal]()
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            for totals, name in ((regions, row["region"]), (products, row["product"])):
                totals[name] = totals.get(name, Decimal()) + Decimal(row["amount"])
    total, hoped_for = sum(regions.values(), Decimal()), Decimal(goal.read_text())
    missed = hoped_for - total
    met = "met" if missed <= 0 else f"missed by {missed:,.2f}"
    lines = [
        f"# Sales in {month.read_text().strip()}",
        "",
        f"**{total:,.2f}** in all regions. The goal of {hoped_for:,.2f} was {met}.",
        "",
        "![Sales of each region](charts/regions.png)",
        "",
        *tabled("Region", regions),
        "",
        *tabled("Product", products),
        "",
        "## Comment",
        "",
        json.loads(comment.read_text())["comment"],
        "",
    ]
    Path("outputs/charts").mkdir(parents=True)
    shutil.copyfile(chart, "outputs/charts/regions.png")
    Path("outputs/report.md").write_text("\n".join(lines))


def tabled(title: str, totals: dict[str, Decimal]) -> list[str]:
    rows = [f"| {name.capitalize()} | {total:,.2f} |" for name, total in sorted(totals.items(), key=_largest)]
    return [f"| {title} | Amount |", "|---|--:|", *rows]


def _largest(entry: tuple[str, Decimal]) -> Decimal:
    return -entry[1]


if __name__ == "__main__":
    main()
