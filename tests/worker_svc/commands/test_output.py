"""The output of programs: the place of a failure, by a traceback."""

from __future__ import annotations

from tests.support.patterns import Run, outgrows
from worker_svc.commands.output import python_place

BEGIN = "Traceback (most recent call last):\n"


def test_the_place_of_a_failure_is_the_last_line_of_own_code() -> None:
    own, installed = '  File "/job/check.py", line 12, in main\n', '  File "/lib/python3.11/json.py", line 3, in f\n'
    assert python_place(f"{BEGIN}{own}{installed}ValueError") == "check.py:12 in main"


def test_output_of_empty_lines_is_read_in_linear_time() -> None:
    assert not outgrows(python_place, Run(BEGIN, "\n", "x"), 2_000, most=8, floor=0.004)
