"""A log that goes on when the disk does not."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from signoff.service.logs import LossyLogFile


def test_lines_that_found_no_room_are_counted_and_told_of_once_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "log", os.write
    with path.open("w") as file:
        log = LossyLogFile(file)
        print("first", file=log)

        def full(_descriptor: int, _body: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        print("second", file=log)
        print("third", file=log)
        monkeypatch.setattr(os, "write", write)
        print("fourth", file=log)
    missing = "2 lines of this log are missing: [Errno 28] No space left on device"
    assert path.read_text().splitlines() == ["first", missing, "fourth"]


@pytest.mark.guard(name="a full disk ends no log")
def test_a_device_that_is_always_full_ends_nothing() -> None:
    with Path("/dev/full").open("w") as file:
        log = LossyLogFile(file)
        for number in range(3):
            print(number, file=log, flush=True)


def test_a_stream_that_is_no_file_takes_the_lines_too() -> None:
    stream = io.StringIO()
    print("half \ud83d", file=LossyLogFile(stream))
    assert stream.getvalue() == "half \ud83d\n"


LOGGING = """
import structlog
from signoff.service.process import configure_logs

configure_logs("console", "info")
try:
    raise ValueError("a model said \\x1b[31m\\u202e")
except ValueError as error:
    structlog.get_logger().error("bug", exc_info=error)
"""


@pytest.mark.guard(name="logs are visible texts")
def test_the_story_of_a_bug_that_quotes_a_model_is_visible() -> None:
    run = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True)
    assert "a model said \\x1b[31m\\u202e" in run.stderr
    assert "\x1b" not in run.stderr
