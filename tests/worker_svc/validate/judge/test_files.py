"""Judges read the texts of a candidate with files, see its pictures where they may, and say so where they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import Heard, Saying, task, to_judge, verdicts, with_files
from tests.worker_svc.prompts.test_files import png
from worker_svc.mock import MockModel
from worker_svc.prompts.messages import MAX_TOTAL_CHARS
from worker_svc.prompts.pictures import MOST_PICTURES
from worker_svc.validate.judge.files import NO_PICTURES, NOTHING_TO_READ
from worker_svc.validate.judge.panel import Judgement, judgement

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
WHOLE = {"kind": "whole", "quotes": [], "subject": "", "count": 0}


async def judged(
    model: Saying | MockModel,
    folder: Path,
    files: Mapping[str, bytes],
    *criteria: str,
    images: bool = False,
    report: Heard | None = None,
) -> Judgement:
    candidate = with_files(folder, files, next(iter(files)))
    assignment = to_judge("", task(criteria=criteria, judge=plan_pb2.JudgeSpec(images=images)))
    return await judgement(model, assignment, candidate, criteria, report or Heard())


async def test_quotations_are_looked_up_in_the_texts_and_not_in_names_or_facts(tmp_path: Path) -> None:
    files = {"report.md": b"Mars is a red planet.", "more/a.txt": b"Venus is a hot planet.", "x.png": png()}
    model = Saying(verdicts("pass", evidence="Venus is a hot planet"))
    result = await judged(model, tmp_path, files, "Says what Venus is.")
    assert [each.outcome for each in result.results] == [PASS]
    prompt = model.requests[0].messages[1]
    assert "report.md (text/markdown)\n<<<BEGIN " in prompt.content
    assert "more/a.txt (text/plain)\n<<<BEGIN " in prompt.content
    assert "It is a picture of 6 × 4 pixels." in prompt.content
    assert prompt.pictures == ()
    for elsewhere in ("report.md (text/markdown)", "It is a picture of 6 × 4 pixels."):
        result = await judged(Saying(verdicts("pass", evidence=elsewhere)), tmp_path, files, "Says what Venus is.")
        assert [each.outcome for each in result.results] == [ERROR]


async def test_pictures_are_shown_where_the_plan_says_so(tmp_path: Path) -> None:
    files = {"report.md": b"Mars is red.", "x.png": png()}
    model, heard = Saying(verdicts("pass", evidence=WHOLE)), Heard()
    result = await judged(model, tmp_path, files, "The chart is red.", images=True, report=heard)
    assert [each.outcome for each in result.results] == [PASS]
    system, user = model.requests[0].messages
    (picture,) = user.pictures
    assert (picture.path, picture.media_type, picture.content) == ("x.png", "image/png", files["x.png"])
    assert not system.pictures
    assert "1. x.png (image/png, 6 × 4 pixels, SHA-256 " in user.content
    assert "no text, so they are not shown" not in user.content
    assert all(isinstance(text, str) and "base64" not in text for _, text in heard.prompts[0])
    assert picture.digest in heard.prompts[0][1][1]


@pytest.mark.guard(name="only what pictures show needs no quotation")
async def test_what_texts_must_say_is_quoted_also_beside_pictures(tmp_path: Path) -> None:
    files = {"report.md": b"Mars is red.", "x.png": png()}
    model = Saying(verdicts("pass", evidence=WHOLE))
    result = await judged(model, tmp_path, files, "Says what Venus is.", images=True)
    assert [each.outcome for each in result.results] == [ERROR]
    without = await judged(model, tmp_path, files, "The chart is red.")
    assert [each.outcome for each in without.results] == [ERROR]


async def test_without_texts_and_pictures_the_judge_is_not_asked(tmp_path: Path) -> None:
    model = Saying(verdicts("pass"))
    for images, files, reason in (
        (False, {"x.png": png()}, NOTHING_TO_READ),
        (True, {"x.zip": b"PK\0"}, NO_PICTURES),
        (True, {"x.png": b"\x89PNG\0 nonsense"}, NO_PICTURES),
    ):
        (result,) = (await judged(model, tmp_path / str(images), files, "Is good.", images=images)).results
        assert (result.outcome, result.reason) == (ERROR, reason)
    assert not model.requests


async def test_more_pictures_than_fit_are_facts(tmp_path: Path) -> None:
    files = {f"{n:02}.png": png(n + 1) for n in range(MOST_PICTURES + 2)}
    model = Saying(verdicts("pass", evidence=WHOLE))
    await judged(model, tmp_path, files, "The bars are red.", images=True)
    user = model.requests[0].messages[1]
    assert len(user.pictures) == MOST_PICTURES
    assert "09.png" in user.content
    assert 'What you are not shown you cannot judge: say "cannot_tell" where it matters.' in user.content


async def test_texts_that_do_not_fit_one_request_are_judged_in_parts(tmp_path: Path) -> None:
    files = {"a.txt": b"a line of it\n" * (MAX_TOTAL_CHARS // 20), "b.txt": b"Mars is red, they say.\n" * 9_000}
    model = Saying(verdicts("fail"), verdicts("pass", evidence="Mars is red, they say"))
    result = await judged(model, tmp_path, files, "Mentions what Mars is.")
    assert [each.outcome for each in result.results] == [PASS]
    assert len(model.requests) >= 2
    assert all(len(request.messages[1].content) < MAX_TOTAL_CHARS + 10_000 for request in model.requests)
    assert "this is part 1 of " in model.requests[0].messages[1].content


async def test_the_mock_judges_texts_and_passes_what_is_said_of_pictures(tmp_path: Path) -> None:
    files = {"report.md": b"Mars is a red planet.", "x.png": png()}
    criteria = "contains 'Mars'", "contains 'Venus'", "The chart is red."
    result = await judged(MockModel(), tmp_path, files, *criteria, images=True)
    assert [each.outcome for each in result.results] == [PASS, FAIL, PASS]
    alone = await judged(MockModel(), tmp_path / "b", {"x.png": png()}, "The chart is red.", images=True)
    assert [each.outcome for each in alone.results] == [PASS]
