"""Docstrings, comments, messages and pages are plain English, as far as rules can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sentences import faults_in, files


def test_all_sentences_keep_the_rules() -> None:
    assert [str(fault) for path in files() for fault in faults_in(path)] == []


@pytest.mark.parametrize("opening", ["What a task made.", "Of one model.", "Whether it has room.", "Those that wait."])
def test_a_docstring_opens_with_what_a_thing_does_or_is(tmp_path: Path, opening: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(f'def function() -> None:\n    """{opening}"""\n', encoding="utf-8")
    assert [fault.text for fault in faults_in(path)] == [opening]


@pytest.mark.parametrize("text", ["# for whoever asks\n", 'raise ValueError("nobody has room")\n'])
def test_comments_and_messages_name_who_acts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    assert [fault.line for fault in faults_in(path)] == [1]


def test_names_in_the_code_are_no_sentences(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('def nobody() -> str:\n    """Returns a name."""\n    return whoever\n', encoding="utf-8")
    assert faults_in(path) == []
