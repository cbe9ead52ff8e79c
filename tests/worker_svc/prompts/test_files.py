"""Models read the texts among the files of an input, and are told facts of the others."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.support.work.givens import artifact, to_execute, with_files
from worker_svc.prompts.excerpts import MOST_FACTS
from worker_svc.prompts.messages import MAX_ARTIFACT_CHARS, execute_prompt
from worker_svc.prompts.pieces import files_of


def png(width: int = 6, height: int = 4, colour: str = "red") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(made, "PNG")
    return made.getvalue()


def test_texts_are_blocks_with_their_paths_and_pictures_are_facts(tmp_path: Path) -> None:
    files = {"charts/x.png": png(), "report.md": b"# Sales of Mars", "data.bin": b"\0\1"}
    given = with_files(tmp_path, files, "report.md")
    messages, unread = execute_prompt(to_execute(inputs=(artifact("Venus"), given)))
    prompt = messages[1].content
    assert "sales/report.md (made by task 1_1, text/markdown)\n<<<BEGIN " in prompt
    assert "# Sales of Mars\n<<<END " in prompt
    size = len(files["charts/x.png"])
    assert (
        f"sales/charts/x.png (made by task 1_1, image/png): {size} bytes that are no text, so they are not shown. "
        "It is a picture of 6 × 4 pixels."
    ) in prompt
    assert "sales/data.bin (made by task 1_1, application/octet-stream): 2 bytes that are no text" in prompt
    assert unread is not None
    assert (unread.inputs, unread.cut, unread.left_out) == (4, 0, 2)
    assert [example.name for example in unread.examples] == ["sales/charts/x.png", "sales/data.bin"]


def test_a_block_of_a_file_ends_with_the_digest_of_the_whole_file(tmp_path: Path) -> None:
    given = with_files(tmp_path, {"a.txt": b"." * (MAX_ARTIFACT_CHARS + 1)}, "a.txt")
    (piece,) = files_of(given)
    prompt = execute_prompt(to_execute(inputs=(given,)))[0][1].content
    assert f"<<<END {piece.digest[:32]}" in prompt
    assert f"(Only the first {MAX_ARTIFACT_CHARS} characters of {MAX_ARTIFACT_CHARS + 1} bytes are shown" in prompt


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("tsv", "\t")])
def test_a_table_that_is_cut_says_its_rows_and_columns(suffix: str, separator: str, tmp_path: Path) -> None:
    row = separator.join(("Mars", "4", "red")) + "\n"
    given = with_files(tmp_path, {f"t.{suffix}": (row * 20_001).encode()}, f"t.{suffix}")
    prompt = execute_prompt(to_execute(inputs=(given,)))[0][1].content
    assert "(The table has 20,000 rows below its head, and 3 columns.)" in prompt


def test_many_files_that_are_no_texts_are_counted(tmp_path: Path) -> None:
    given = with_files(tmp_path, {f"{n}.bin": b"\0" for n in range(MOST_FACTS + 7)}, "0.bin")
    prompt = execute_prompt(to_execute(inputs=(given,)))[0][1].content
    assert prompt.count("1 bytes that are no text") == MOST_FACTS
    assert "And 7 more that are no text." in prompt


def test_a_picture_that_is_none_has_no_size(tmp_path: Path) -> None:
    given = with_files(tmp_path, {"x.png": b"\x89PNG\0 and then nonsense"}, "x.png")
    prompt = execute_prompt(to_execute(inputs=(given,)))[0][1].content
    assert "23 bytes that are no text, so they are not shown.\n" in prompt
