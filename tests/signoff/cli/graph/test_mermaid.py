"""The graph as a flowchart: groups are subgraphs, and no text of a plan is more than a label."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner_svc.compiler import compile_plan
from signoff.cli.graph.mermaid import label, mermaid_lines
from signoff.cli.graph.picture import picture_from_proto
from signoff.cli.graph.text import shown
from signoff.cli.run.compile_plan import laid_out
from tests.support.draws import so_many
from tests.support.values.trees import RawTask, atomic, group, plan_json


def lines(*tasks: RawTask, classes: bool = True) -> list[str]:
    return list(mermaid_lines(picture_from_proto(*laid_out(compile_plan(plan_json(*tasks))), classes=classes)))


def read(written: str) -> str:
    """Reads a label as Mermaid does: numbers of characters stand for these."""
    assert written[0] == written[-1] == '"'
    return html.unescape(re.sub(r"#(\d+);", r"&#\1;", written[1:-1].replace("&", "&amp;")))


def test_groups_are_subgraphs_and_classes_have_a_shape_and_a_count() -> None:
    tasks = [group("1"), atomic("1_1"), group("1_2"), atomic("1_2_1"), atomic("1_2_2"), group("2", "1"), atomic("2_1")]
    assert lines(*tasks, atomic("3", "2")) == [
        "flowchart LR",
        '  n3["3 do 3"]',
        '  subgraph g0["1 do 1"]',
        '    n0["1_1 do 1_1"]',
        '    subgraph g1["1_2 do 1_2"]',
        '      n1[["1_2_1 #215;2 do 1_2_1"]]',
        "    end",
        "  end",
        '  subgraph g2["2 do 2"]',
        '    n2["2_1 do 2_1"]',
        "  end",
        "  g2 --> n3",
        "  g0 --> g2",
    ]


def test_inferred_edges_are_dotted() -> None:
    assert lines(atomic("1", makes="x"), atomic("2", reads=("x",)))[-1] == "  n0 -.-> n1"


def test_all_edges_are_between_what_is_there() -> None:
    found = "\n".join(lines(group("1"), atomic("1_1"), atomic("1_2", "1_1"), atomic("2", "1_1"), atomic("3", "1", "2")))
    ends = set(re.findall(r"(\w+) --> (\w+)", found))
    assert {end for pair in ends for end in pair} <= set(re.findall(r"(\w+)\[", found))
    assert len(ends) == 4


HOSTILE = [
    '"]; click n0 "javascript:alert(1)"',
    '%%{init: {"theme": "dark"}}%%',
    "<img src=x onerror=alert(1)>",
    "`**bold**`",
    "#quot;#35;&amp;",
    "style n0 fill:#f00;",
    "\u202eback \x1b[31m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_a_label_and_nothing_else(text: str) -> None:
    found = lines(atomic("1", description=text))
    assert found[:1] + found[2:] == ["flowchart LR"]
    assert re.fullmatch(r'  n0\["(\w|[ _,\-()/+=!?\']|#\d+;)*"\]', found[1])


@settings(derandomize=True, deadline=None, max_examples=so_many(200, long=2000))
@given(st.text(max_size=40))
def test_a_label_reads_as_the_text_with_control_characters_written_out(text: str) -> None:
    plain = shown(text)
    assert read(label(text)) == (plain if len(plain) <= 60 else f"{plain[:59]}…")


def test_groups_in_each_other_a_thousand_times_are_written() -> None:
    deep = [group(f"g{n}", parent_id=f"g{n - 1}" if n else "") for n in range(999)]
    found = lines(*deep, atomic("1", parent_id="g998"), atomic("2"))
    assert sum(line.strip() == "end" for line in found) == 999
