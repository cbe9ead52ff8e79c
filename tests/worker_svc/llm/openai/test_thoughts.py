"""Thoughts in the text of an answer are separated from the answer, for every user of a model."""

from __future__ import annotations

import pytest

from tests.support.patterns import Run, outgrows
from tests.support.servers.model_server import streams, without_proxies
from tests.worker_svc.llm.openai.test_dialects import answered, failed
from worker_svc.llm.openai.thoughts import AnswerAndThoughts, parted


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


@pytest.mark.parametrize(
    "text",
    [
        "<think>hm</think># Report",
        "<think>\nhm\n</think>\n\n# Report",
        "\n<THINK>hm</Think>\n# Report",
        "<think></think>\n# Report",
        "<think>first</think><think>second</think># Report",
        "<thinking>hm</thinking>\n# Report",
        "<thought>hm</thought># Report",
        "<thoughts>hm</thoughts># Report",
        "<reasoning>hm</reasoning>\n# Report",
        "<seed:think>hm</seed:think># Report",
        "[THINK]hm[/THINK]# Report",
        "◁think▷hm◁/think▷# Report",
        "<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|># Report<|end_of_solution|>",
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|># Report<|return|>",
        "<think>hm</think>\n<answer># Report</answer>",
        "hm, let me see\n</think>\n# Report",
        "so `</think>` ends it.\n</think>\n\n# Report",
        "hm</think>\n# Report",
        "hm\n</think># Report",
    ],
)
def test_thoughts_before_an_answer_are_no_part_of_it(text: str) -> None:
    assert parted(text) == AnswerAndThoughts("# Report", has_thoughts=True)


@pytest.mark.parametrize(
    "text",
    [
        "# Report\n\nModels think in `<think>…</think>`.",
        "# Report\n\n<think>is a tag</think> of some models",
        "The tag </think> ends a thought, and prose goes on.",
        "```\n<think>hm</think>\n```\nis what it looks like",
        "```\nhm\n</think>\n# Report\n```",
        "~~~\nhm\n</think>\n~~~",
        "<thinker>hm</thinker>",
        "<thoughts><thought>one</thought></thoughts>",
        "<reasoning>the document itself</reasoning>",
        "  # Report  ",
        "",
    ],
)
def test_a_document_that_speaks_of_thoughts_is_left_as_it_is(text: str) -> None:
    assert parted(text) == AnswerAndThoughts(text, has_thoughts=False)


@pytest.mark.parametrize("text", ["<think>hm", "<think>hm</thinking>", "[THINK]hm"])
def test_thoughts_that_never_end_are_no_answer(text: str) -> None:
    assert parted(text) == AnswerAndThoughts("", has_thoughts=True, is_open=True)


def test_thoughts_and_nothing_else_are_an_empty_answer() -> None:
    assert parted("<think>hm</think>\n") == AnswerAndThoughts("", has_thoughts=True)


@pytest.mark.guard(name="thoughts are no answer")
async def test_a_model_gives_its_answer_without_its_thoughts() -> None:
    assert (await answered(streams("<thi", "nk>h", "m</think", ">\n# Report"))).text == "# Report"
    assert "gave thoughts and no answer" in (await failed(streams("<think>hm"))).message


def test_many_thoughts_are_taken_off_in_linear_time() -> None:
    assert parted("<think></think>" * 3 + "x") == AnswerAndThoughts("x", has_thoughts=True)
    assert not outgrows(parted, Run("", "<think></think>", "x"), 100_000, most=8, floor=0.02)
