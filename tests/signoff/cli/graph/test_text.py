"""The graph in a terminal: stages as blocks, groups around tasks, lines that fit, lists that end in a count."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from planner_svc.compiler import compile_plan
from signoff.cli.graph.picture import Picture, picture_from_proto
from signoff.cli.graph.text import text_lines
from signoff.cli.run.compile_plan import laid_out
from tests.support.draws import so_many
from tests.support.values.trees import RawTask, atomic, generated_plan, group, plan_json, plans_with_artifacts


def picture(data: bytes, *, classes: bool = True) -> Picture:
    return picture_from_proto(*laid_out(compile_plan(data, plan_id="garden")), classes=classes)


def lines(*tasks: RawTask, classes: bool = True, idea: str = "an idea", width: int = 80) -> list[str]:
    return list(text_lines(picture(plan_json(*tasks, idea=idea), classes=classes), width))


def test_a_plan_is_a_block_for_each_stage() -> None:
    assert lines(atomic("1"), atomic("2", "1"), atomic("3", "1", "2"), idea="Plant a tree") == [
        "garden: 3 tasks in 3 stages",
        "Plant a tree",
        "",
        "Stage 1: 1 task",
        "  1  do 1",
        "",
        "Stage 2: 1 task",
        "  2  do 2",
        "    waits for 1",
        "",
        "Stage 3: 1 task",
        "  3  do 3",
        "    waits for 2",
    ]


def test_groups_are_headings_and_tell_once_what_they_wait_for() -> None:
    tasks = [group("1"), atomic("1_1"), group("2", "1"), group("2_1"), atomic("2_1_1"), atomic("2_1_2", "2_1_1")]
    assert lines(*tasks)[3:] == [
        "Stage 1: 1 task",
        "  [1]  do 1",
        "    1_1  do 1_1",
        "",
        "Stage 2: 1 task",
        "  [2] › [2_1]  do 2_1",
        "    [2] waits for [1]",
        "    2_1_1  do 2_1_1",
        "",
        "Stage 3: 1 task",
        "  [2] › [2_1]  do 2_1",
        "    2_1_2  do 2_1_2",
        "      waits for 2_1_1",
    ]


def test_a_group_around_everything_is_told_at_the_beginning() -> None:
    assert lines(group("0"), atomic("1"), atomic("2", "1"))[2:6] == ["[0]  do 0", "", "Stage 1: 1 task", "  1  do 1"]


def test_a_few_equal_tasks_have_a_line_each_and_one_for_what_they_wait_for() -> None:
    assert lines(atomic("0s"), *(atomic(str(n), "0s") for n in range(1, 4)))[6:] == [
        "Stage 2: 3 tasks",
        "  1  do 1",
        "  2  do 2",
        "  3  do 3",
        "    each waits for 0s",
    ]


def test_many_equal_tasks_are_counted() -> None:
    tasks = [*(atomic(str(n)) for n in range(1, 1001)), atomic("end", *map(str, range(1, 1001)))]
    assert lines(*tasks)[3:] == [
        "Stage 1: 1,000 tasks",
        "  1  do 1",
        "  2  do 2",
        "  3  do 3",
        "  … and 997 equal tasks: 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 … and 985 more",
        "",
        "Stage 2: 1 task",
        "  end  do end",
        "    waits for 1 ×1,000",
    ]


def test_without_classes_each_task_tells_what_it_waits_for() -> None:
    tasks = [*(atomic(str(n)) for n in range(1, 101)), atomic("end", *map(str, range(1, 101)))]
    assert lines(*tasks, classes=False)[-1] == (
        "    waits for 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 … and 85 more"
    )


def test_artifacts_that_are_read_without_waiting_for_them_are_told_apart() -> None:
    found = lines(atomic("1", makes="x"), atomic("2", "0s"), atomic("3", "2", reads=("x",)), atomic("0s"))
    assert found[-2:] == ["    waits for 2", "    reads from 1"]


def test_text_of_a_plan_moves_no_cursor_and_begins_no_line() -> None:
    hostile = "one\ntwo \x1b[31mred\x1b[0m \u202eback\u2069 \x9bc"
    found = lines(group("1", description=hostile), atomic("1_1", description=hostile), atomic("2"), idea=hostile)
    shown = r"one two \x1b[31mred\x1b[0m \u202eback\u2069 \x9bc"
    assert found[1] == shown
    assert f"  [1]  {shown}" in found
    assert f"    1_1  {shown}" in found


@pytest.mark.parametrize("text", ["word " * 100, "研究" * 100, "x" * 500])
def test_long_texts_in_any_script_are_cut_at_the_edge(text: str) -> None:
    found = lines(group("1", description=text), atomic("1_1", description=text), atomic("2"), idea=text)
    assert max(map(cell_len, found)) in (79, 80)
    assert sum(line.endswith("…") for line in found) == 3


@settings(derandomize=True, deadline=None, max_examples=so_many(50, long=300))
@given(plans_with_artifacts(), st.booleans(), st.integers(20, 100))
def test_every_task_is_shown_and_every_line_fits(tasks: list[RawTask], classes: bool, width: int) -> None:
    compiled = compile_plan(plan_json(*tasks))
    if compiled.map is None:
        return
    found = list(text_lines(picture_from_proto(*laid_out(compiled), classes=classes), width))

    assert max(map(cell_len, found)) <= width
    whole = "\n".join(found)
    assert all(f"{task.task_id}" in whole for task in compiled.map.tasks[:5])


@pytest.mark.parametrize(("depth", "most"), [(2, 120), (3, 500), (4, 1500)])
def test_trees_of_dozens_to_thousands_of_tasks_stay_readable(depth: int, most: int) -> None:
    found = list(text_lines(picture(generated_plan(depth))))

    assert len(found) < most
    assert found[0].startswith(f"garden: {6**depth:,} tasks in ")


def test_of_two_thousand_stages_the_first_and_the_last_are_shown() -> None:
    found = lines(*(atomic(str(n), *([str(n - 1)] if n > 1 else [])) for n in range(1, 2001)))

    assert "… and 1,880 more stages with 1,880 tasks" in found
    assert found[-1] == "    waits for 1999"
    assert len(found) < 500


def test_of_two_thousand_different_tasks_of_a_stage_the_first_are_shown() -> None:
    pairs = [(atomic(f"a{n}"), atomic(f"b{n}", f"a{n}")) for n in range(1000)]
    found = lines(*(task for pair in pairs for task in pair))

    assert found.count("  … and 800 tasks more") == 2
    assert len(found) < 700
