"""The example of the README's first minute: its results are right, open as files, and wrong ones are not signed off."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from signoff.local.services import LocalServices, LocalSettings
from tests.support.draws import so_many
from tests.support.processes.commands import EXAMPLES, in_turn, signoff

SALES = EXAMPLES / "sales"
FLAGS = ("--model", "mock", "--allow-commands")


async def test_it_runs_without_a_warning_and_its_results_open_as_files(tmp_path: Path) -> None:
    ended = await signoff("run", SALES / "plan.json", *FLAGS, cwd=tmp_path)
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert "warning" not in ended.out
    assert "4 of 4 signed off" in ended.out
    report = tmp_path / "db" / "sales" / "4" / "files"
    assert "**6,063.80** in all regions. The goal of 5,000.00 was met." in (report / "report.md").read_text()
    with Image.open(report / "charts" / "regions.png") as chart:
        assert chart.size == (900, 520)
    exported = await signoff("export", "sales", "-o", "results", cwd=tmp_path)
    assert exported.code == 0, exported.err
    names = {path.relative_to(tmp_path / "results").as_posix() for path in (tmp_path / "results").rglob("*.*")}
    assert {"1-table/sales.csv", "2-chart/regions.png", "4-report/report.md", "4-report/charts/regions.png"} <= names
    table = await signoff("artifact", "sales", "1", "--file", "sales.csv", cwd=tmp_path)
    assert table.out.splitlines()[1] == "north,2026-07-01,Coffee,120,3.20,384.00"


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Returns a change of a program of the example."""

    def change(folder: Path) -> None:
        path = folder / "code" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def break_data(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    (folder / "broken").rename(folder / "data")


def negative(folder: Path) -> None:
    break_data(folder)
    (folder / "data" / "west.csv").unlink()


#: What is wrong, and the words with which it is told.
WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "wrong_sum_in_the_table": (
        edit("clean.py", "units * price", "units * price + 1"),
        "north: expected 1,756.10 in all, as north.csv says, but got 1,761.10",
    ),
    "row_counted_twice": (edit("clean.py", "fields in seen or ", ""), "but got 2,030.60"),
    "missing_column": (edit("clean.py", ', "amount"))', "))"), "amount"),
    "blank_picture": (
        edit("chart.py", "return image", 'return Image.new("RGB", (WIDTH, HEIGHT), PAPER)'),
        "one colour",
    ),
    "no_picture": (
        edit("chart.py", "drawn(totals).save(picture, optimize=True)", 'picture.write_text("PNG")'),
        "image/png",
    ),
    "wrong_sum_in_the_report": (
        edit("report.py", "total, hoped_for = sum(regions.values(), Decimal())", "total, hoped_for = Decimal(7000)"),
        "report.md: expected 6,063.80 in all regions, as the table says",
    ),
    "another_chart": (
        edit("report.py", "shutil.copyfile(chart,", "shutil.copyfile(other(chart),"),
        "name 'other' is not defined",
    ),
    "column_missing_in_the_data": (
        break_data,
        "west.csv: expected the columns date, product, units, price, but price is missing",
    ),
    "negative_units": (negative, "units"),
}


async def test_wrong_results_are_rejected_in_words_that_say_what_is_wrong(tmp_path: Path) -> None:
    settings = LocalSettings(data_dir=tmp_path / "db", executors=4, validators=4, model="mock", allow_commands=True)
    names = list(WRONG)[:: so_many(2, long=1)]
    async with LocalServices(settings, lambda _: None) as services:
        where = ("--planner", services.planner_address, "--runner", services.runner_address)

        async def told(name: str) -> str:
            folder = tmp_path / name
            shutil.copytree(SALES, folder)
            WRONG[name][0](folder)
            ended = await signoff("submit", folder / "plan.json", "--json", *where, cwd=tmp_path)
            assert ended.code == 1, ended.out + ended.err
            return ended.out

        ends = await asyncio.gather(*map(told, names))
        stories = await in_turn(*(("why", name, *where[2:]) for name in names), cwd=tmp_path)
    for name, ended, story in zip(names, ends, stories, strict=True):
        _, words = WRONG[name]
        assert json.dumps(words)[1:-1] in ended + story.out, story.out[-3000:]
