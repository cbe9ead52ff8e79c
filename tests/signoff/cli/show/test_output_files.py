"""Files that a person names for an answer: what is refused, and how an error of the disk is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from signoff.cli.remote.result_files import require_folder
from signoff.cli.show.output_files import write_file
from signoff.errors import ConfigurationError


@pytest.mark.guard(name="no answer is written over the journal")
@pytest.mark.parametrize(
    "name", ["db/.signoff/journal.db", "db/.signoff/new/file", "link", "db/p/../.signoff/journal.db"]
)
def test_no_answer_goes_into_the_folder_of_the_services(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("db/.signoff").mkdir(parents=True)
    Path("db/p").mkdir()
    Path("db/.signoff/journal.db").write_text("journal")
    Path("link").symlink_to("db/.signoff/journal.db")
    with pytest.raises(ConfigurationError, match=r"^expected a place outside of \.signoff for the answer, but "):
        write_file(name, b"x")
    assert [entry.name for entry in Path("db/.signoff").iterdir()] == ["journal.db"]
    assert Path("db/.signoff/journal.db").read_text() == "journal"


@pytest.mark.guard(name="no answer is written over the journal")
@pytest.mark.parametrize("name", [".signoff", ".signoff/results"])
def test_no_folder_of_results_is_in_that_of_the_services(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^expected a place outside of \.signoff"):
        require_folder(tmp_path / name, "the results")


@pytest.mark.guard(name="a slash at the end is a folder's")
@pytest.mark.parametrize("name", ["new/", "new/."])
def test_the_name_of_a_folder_makes_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"^expected the name of a file, .* that of a folder$"):
        write_file(name, b"x")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_disk_names_the_file_as_it_was_typed_and_the_cause() -> None:
    with pytest.raises(ConfigurationError, match=r"^expected a file .*, but /proc/self/comm cannot be: [A-Z][a-z ]+$"):
        write_file("/proc/self/comm", b"x")


def test_a_full_device_is_named_with_the_cause() -> None:
    with pytest.raises(ConfigurationError, match=r"but /dev/full cannot be: No space left on device$"):
        write_file("/dev/full", b"x")
