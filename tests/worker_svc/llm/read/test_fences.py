"""The fence around a whole document goes, with the words around it; fences of the document itself stay."""

from __future__ import annotations

import pytest

from signoff.plan.formats import format_of
from tests.support.patterns import Run, outgrows
from worker_svc.llm.read.fences import unfenced

CODE = "def f():\n    return 1\n"
REPORT = "# Report\n\n```bash\nmake\n```\n\nDone.\n"


@pytest.mark.parametrize(
    ("output_format", "answer"),
    [
        ("Python", f"```python\n{CODE}```"),
        ("Python", f"```python\n{CODE}```\n"),
        ("Python", f"```\n{CODE}```"),
        ("Python", f"~~~ python title=x\n{CODE}~~~"),
        ("Python", f"Here is the script:\n\n```py\n{CODE}```"),
        ("Python", f"```python\n{CODE}"),
        ("Python", f"\n\n{CODE}"),
        ("Python", CODE),
    ],
)
def test_code_comes_out_of_its_fence_as_the_model_wrote_it(output_format: str, answer: str) -> None:
    assert unfenced(answer, format_of(output_format)) == (CODE, "")


@pytest.mark.parametrize(
    ("output_format", "language", "document"),
    [
        ("CSV", "csv", "a,b\n1,2\n"),
        ("CSV", "text", "a,b\n1,2\n"),
        ("TSV", "tsv", "a\tb\n"),
        ("SQL query", "sql", "SELECT 1;\n"),
        ("YAML", "yml", "  a: 1\n  b: 2\n"),
        ("JSON Lines", "json", "{}\n{}\n"),
        ("HTML page", "html", "<p>x</p>\n\n\n"),
        ("unified diff", "diff", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n"),
        ("plain text", "", "Dear Sir,\n\nyes.\n"),
        ("Markdown", "markdown", "# T\n"),
        ("Markdown", "md", REPORT),
        ("Markdown", "markdown", "# T\n\n```\nbare\n```\n\n~~~\nother\n~~~\n"),
    ],
)
def test_every_text_format_loses_the_outermost_fence_alone(output_format: str, language: str, document: str) -> None:
    assert unfenced(f"```{language}\n{document}```", format_of(output_format)) == (document, "")
    assert unfenced(f"Here it is:\n\n```{language}\n{document}```\n", format_of(output_format))[0] == (
        document if language or output_format != "Markdown" else f"Here it is:\n\n```{language}\n{document}```\n"
    )


def test_a_longer_fence_holds_shorter_ones() -> None:
    assert unfenced("````markdown\n```python\nx\n````", format_of("Markdown")) == ("```python\nx\n", "")


def test_a_bare_fence_around_markdown_goes_when_there_are_named_ones_in_it() -> None:
    assert unfenced(f"```\n{REPORT}```", format_of("Markdown")) == (REPORT, "")


@pytest.mark.guard(name="a document keeps its own fences")
def test_a_document_that_may_be_one_block_of_code_keeps_its_fence() -> None:
    assert unfenced("```\ncode\n```", format_of("Markdown")) == ("```\ncode\n```", "")


@pytest.mark.parametrize(
    ("output_format", "answer"),
    [
        ("Markdown", "```python\ncode\n```"),
        ("Markdown", "```markdown\n# A\n```\n\n```md\nB\n```"),
        ("Markdown", REPORT),
        ("Markdown", "# How to write Markdown\n\n```markdown\n# T\n```\n"),
        ("Markdown", "One.\n\nTwo.\n\n```markdown\n# T\n```\n"),
        ("plain text", "```markdown\nx\n```"),
        ("Python", "```python\na\n```\n\nand\n\n```python\nb\n```"),
        ("Python", "```bash\nls\n```"),
        ("", "```json\n{}\n```"),
    ],
)
def test_what_may_be_the_documents_own_fence_stays(output_format: str, answer: str) -> None:
    assert unfenced(answer, format_of(output_format)) == (answer, "")


@pytest.mark.parametrize(
    ("answer", "remark"),
    [
        (f"```python\n{CODE}```\nRun it with `python x.py`.", "Run it with `python x.py`."),
        (f"I could not do it.\n\nThis is only an example:\n```python\n{CODE}```", "I could not do it."),
        (f"```bash\npip install x\n```\nThen:\n```python\n{CODE}```", "pip install x"),
    ],
)
def test_more_than_a_sentence_that_announces_it_goes_to_the_judge(answer: str, remark: str) -> None:
    document, around = unfenced(answer, format_of("a Python script"))
    assert document == CODE
    assert remark in around


def test_a_diff_ends_its_last_line() -> None:
    assert unfenced("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y", format_of("diff"))[0].endswith("+y\n")


def test_lines_that_end_as_on_windows_are_kept() -> None:
    assert unfenced("```csv\r\na,b\r\n1,2\r\n```\r\n", format_of("CSV")) == ("a,b\r\n1,2\r\n", "")


@pytest.mark.parametrize("run", [Run("Here it is.\n```", " ", "`\n"), Run("Here it is.\n", "~", "`\n")])
def test_a_line_that_is_almost_a_fence_is_read_in_linear_time(run: Run) -> None:
    form = format_of("Markdown")
    assert unfenced(run.text(100), form) == (run.text(100), "")
    assert not outgrows(lambda text: unfenced(text, form), run, 1_000, most=8, floor=0.01)
