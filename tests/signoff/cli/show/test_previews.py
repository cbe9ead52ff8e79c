"""A preview is told in a line, with the reasons below it."""

from __future__ import annotations

import io
import json

import pytest

from signoff.cli.show.output import CommandOutput
from signoff.cli.show.previews import in_words, show_preview
from signoff.v1 import runner_pb2 as pb


@pytest.mark.parametrize(
    ("kept", "to_judge", "to_make", "told"),
    [
        (13, 0, 0, "13 of 13 kept"),
        (11, 1, 1, "11 of 13 kept, 1 to judge, 1 to do"),
        (0, 0, 1_300, "0 of 1,300 kept, 1,300 to do"),
    ],
)
def test_the_counts_are_one_line(kept: int, to_judge: int, to_make: int, told: str) -> None:
    assert in_words(pb.PreviewExecutionResponse(kept=kept, to_judge=to_judge, to_make=to_make)) == told


FOUND = pb.PreviewExecutionResponse(
    kept=2,
    to_judge=1,
    to_make=2,
    with_other_prompts=1,
    tasks=[
        pb.PreviewedTask(task_id="1", work=pb.PREVIEWED_WORK_JUDGE, changes=["criteria"], execution_id="e1"),
        pb.PreviewedTask(task_id="2", work=pb.PREVIEWED_WORK_MAKE),
    ],
)


def test_reasons_and_what_is_from_other_prompts_are_told_below() -> None:
    out = io.StringIO()
    show_preview(FOUND, CommandOutput(out=out))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines == [
        "2 of 5 kept, 1 to judge, 2 to do",
        "1 of those kept is from other versions of prompts; --fresh-prompts does the work anew",
        "WORK TASK BECAUSE OF",
        "judge 1 criteria",
        "do 2 it is new",
        "… and 1 more",
    ]


def test_programs_get_the_counts_and_a_record_for_each_task() -> None:
    out = io.StringIO()
    show_preview(FOUND, CommandOutput(json=True, out=out))
    counts, first, second = map(json.loads, out.getvalue().splitlines())
    assert counts == {"kept": 2, "to_judge": 1, "to_make": 2, "with_other_prompts": 1}
    assert (first["work"], first["changes"], first["execution_id"]) == ("judge", ["criteria"], "e1")
    assert (second["task_id"], second["changes"]) == ("2", [])
