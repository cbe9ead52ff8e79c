"""Draws the sales of each region as bars: `chart.py TABLE PICTURE`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, MARGIN = 900, 520, 60
PAPER, INK, BAR, GRID = "#ffffff", "#1f2430", "#2f6fdb", "#d9dee8"


def main() -> None:
    totals = dict[str, float]()
    with Path(sys.argv[1]).open(newline="") as file:
        for row in csv.DictReader(file):
            totals[row["region"]] = totals.get(row["region"], 0.0) + float(row["amount"])
    picture = Path(sys.argv[2])
    picture.parent.mkdir(parents=True, exist_ok=True)
    drawn(totals).save(picture, optimize=True)


def drawn(totals: dict[str, float]) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    small, large = ImageFont.load_default(16), ImageFont.load_default(24)
    draw.text((MARGIN, 18), "Sales of each region", INK, large)
    top, floor = MARGIN + 20, HEIGHT - MARGIN
    most = max(totals.values(), default=1.0)
    for part in range(5):
        y = floor - part * (floor - top) / 4
        draw.line((MARGIN, y, WIDTH - MARGIN, y), GRID)
        draw.text((MARGIN - 8, y), f"{most * part / 4:,.0f}", INK, small, anchor="rm")
    step = (WIDTH - 2 * MARGIN) / max(1, len(totals))
    for place, (name, total) in enumerate(sorted(totals.items())):
        left = MARGIN + step * place + step * 0.2
        height = (floor - top) * total / most
        draw.rectangle((left, floor - height, left + step * 0.6, floor), BAR)
        draw.text((left + step * 0.3, floor - height - 6), f"{total:,.2f}", INK, small, anchor="mb")
        draw.text((left + step * 0.3, floor + 10), name.capitalize(), INK, small, anchor="mt")
    return image


if __name__ == "__main__":
    main()
