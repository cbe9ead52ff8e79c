"""Tables: their head, their rows, and the values of their columns."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.files import check_of, picture
from worker_svc.validate.checking.files import table
from worker_svc.validate.checking.looked_at import LookedAt
from worker_svc.validate.checks import check_result

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
SALES = "day,shop,amount\n2026-01-01,Bern,1.10\n2026-01-02,Bern,2.2\n2026-01-03,Chur,3\n"
MIB = 1024**2


def reason(content: str | bytes, *columns: Any, media_type: str = "text/csv", **fields: Any) -> str:
    """Returns the reason why a table fails; empty: it passes."""
    check = check_of("table", **fields, **({"columns": list(columns)} if columns else {}))
    result = check_result(check, content.encode() if isinstance(content, str) else content, media_type)
    assert result.outcome == (FAIL if result.reason else PASS)
    return result.reason


def test_a_table_with_all_that_is_asked_for_passes() -> None:
    day = {"name": "day", "type": "date", "unique": True}
    amount = {"name": "amount", "type": "number", "min": 1.1, "max": 3, "sum": 6.3}
    assert reason(SALES, amount, day, "shop", only_these=True, min_rows=3, max_rows=3) == ""
    assert reason("\ufeff" + SALES, day) == ""
    assert reason(SALES.replace("\n", "\r\n"), day, amount) == ""
    assert reason(SALES.replace(",", ";"), day, amount) == ""


def test_tabs_stand_between_values_where_the_name_or_the_type_says_so() -> None:
    tabs = SALES.replace(",", "\t")
    assert reason(tabs, "shop", media_type="text/tab-separated-values") == ""
    check = check_of("table", columns=["shop"])
    table.check_table(check, LookedAt(path="a/SALES.TSV", size=len(tabs), content=tabs.encode()))
    assert "expected the columns 'shop', but the head has 'day\\tshop\\tamount'" in reason(tabs, "shop")


def test_values_may_hold_delimiters_quotes_and_ends_of_lines() -> None:
    content = 'name,n\n"Bern, ""city""\nof bears",1\nChur,x\n'
    assert reason(content, {"name": "n", "type": "integer"}) == "line 4, 'n': expected a whole number, but got 'x'"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "expected a table with a head, but it is empty"),
        ("\n\n", "expected a table with a head, but it is empty"),
        (SALES + "2026-01-04,Bern\n", "line 5 has 2 fields, and the head 3"),
        (SALES + "\n\n1,2,3,4\n", "line 7 has 4 fields, and the head 3"),
        (SALES + 'a,"b,c\n', "in the row of line 5: unexpected end of data; is a quotation mark not closed?"),
        (SALES + 'a,"b"c,d\n', "expected a table, but in the row of line 5: ',' expected after '\"'"),
        (SALES + "a,b\0,c\n", "expected text, but line 5 has a NUL (0x00)"),
        (SALES.encode() + b"a,\xff,c\n", "in UTF-8, but near line 1 there is a byte 0xff (invalid start byte)"),
        (SALES.encode("utf-16"), "expected a table in UTF-8, but near line 1 there is a byte 0xff"),
        (picture(), "expected a table in UTF-8, but near line 1 there is a byte 0x89"),
    ],
)
def test_what_is_no_table_fails_with_the_line(content: str | bytes, says: str) -> None:
    assert says in reason(content)


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ({}, ["a", " "], "line 3, 'x': a value is missing"),
        ({"may_be_empty": True}, ["a", ""], ""),
        ({"unique": True}, ["a", "b", "a"], "line 4, 'x': expected each value once, but 'a' stands in line 2, too"),
        ({"unique": True, "may_be_empty": True}, ["a", "", ""], ""),
        ({"type": "text"}, ["a", "1"], ""),
        ({"type": "integer"}, ["1", "-2", "+3"], ""),
        ({"type": "integer"}, ["1.0"], "line 2, 'x': expected a whole number, but got '1.0'"),
        ({"type": "number"}, ["1", ".5", "1e3", "-2.", " 3 "], ""),
        ({"type": "number"}, ["1,5"], "expected a number, but got '1,5'"),
        ({"type": "number"}, ["nan"], "expected a number, but got 'nan'"),
        ({"type": "number"}, ["1e9999"], "expected a number, but got '1e9999'"),
        ({"type": "number"}, ["١"], "expected a number, but got '١'"),
        ({"type": "date"}, ["2026-11-29", "2026-11-29T08:00", "2026-11-29 08:00:01.5Z"], ""),
        ({"type": "date"}, ["2026-02-30"], "expected a day such as 2026-11-29, or one with a time, but got"),
        ({"type": "date"}, ["29.11.2026"], "expected a day such as 2026-11-29"),
        ({"type": "date"}, ["2026-11-29T25:00"], "expected a day such as 2026-11-29"),
        ({"type": "boolean"}, ["true", "NO", "1", "0"], ""),
        ({"type": "boolean"}, ["2"], "expected true, false, yes, no, 1 or 0, but got '2'"),
        ({"min": 0.1}, ["0.1", "0.099"], "line 3, 'x': expected at least 0.1, but got '0.099'"),
        ({"max": 19.99}, ["19.99", "20"], "line 3, 'x': expected at most 19.99, but got '20'"),
        ({"sum": 0.3}, ["0.1", "0.2"], ""),
        ({"sum": 1e9}, ["999999999.5"], ""),
        ({"sum": 0}, ["0.1", "-0.1"], ""),
        ({"sum": 5, "may_be_empty": True}, ["2", "", "3"], ""),
        ({"sum": 0}, [], ""),
    ],
)
def test_the_values_of_a_column_are_what_is_asked_for(column: Any, values: list[str], says: str) -> None:
    quoted = "".join(f'"{value}",1\n' for value in values)
    said = reason(f"x,y\n{quoted}", {"name": "x", **column})
    assert says in said
    assert bool(said) == bool(says)


@pytest.mark.guard(name="a sum is the sum of all rows")
def test_a_sum_is_that_of_all_rows() -> None:
    said = reason("x\n1000\n0.5\n", {"name": "x", "sum": 1200})
    assert said == "'x': expected a sum of 1,200, but got 1,000.5"


def test_columns_of_other_names_are_named() -> None:
    assert reason(SALES, "Day", "sum") == "expected the columns 'Day', 'sum', but the head has 'day', 'shop', 'amount'"
    assert reason(SALES, "day", only_these=True) == "expected no columns but 'day', but the head has 'shop', 'amount'"
    assert reason("a,b,a\n1,2,3\n", "a") == "expected each column once, but the head has 'a' twice"
    assert reason("a\x1b[31m,b\n1,2\n", "a") == "expected the columns 'a', but the head has 'a\\x1b[31m', 'b'"


def test_too_few_and_too_many_rows_are_counted_without_the_head() -> None:
    assert reason(SALES, min_rows=4) == "expected at least 4 rows below the head, but got 3"
    assert reason(SALES, max_rows=2) == "expected at most 2 rows below the head, but got 3"


def test_the_first_few_problems_are_told() -> None:
    content = "x\n" + "a\n" * 50
    said = reason(content, {"name": "x", "type": "integer"})
    assert said.count("expected a whole number") == table.MOST_PROBLEMS
    assert said.endswith("; and perhaps more")


def test_a_type_of_another_version_is_no_failure_and_no_pass() -> None:
    check = check_of("table", columns=["day"])
    check.table.columns[0].type = 99  # type: ignore[assignment]
    result = check_result(check, SALES.encode())
    assert (result.outcome, result.reason) == (
        ERROR,
        "this version of signoff does not know the type of column 'day'",
    )
    assert plan_pb2.ColumnType.Name(plan_pb2.COLUMN_TYPE_UNSPECIFIED)


# ---------------------------------------------------------------- hostile


@pytest.mark.guard(name="a line of a table is bounded")
def test_a_line_of_a_table_is_bounded() -> None:
    said = reason(b"a,b\n" + b"x" * (100 * MIB))
    assert said == "expected lines of at most 16,777,216 characters, but line 2 has more"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b",".join([b"a"] * 1_000_000), "expected at most 10,000 columns, but line 1 has 1,000,000"),
        (b'a,b\n"' + b"x\n" * (2 * MIB), "a field has more than 1,048,576 characters; is a quotation mark not closed?"),
        (b"a,b\n1," + b"9" * (2 * MIB), "a field has more than 1,048,576 characters"),
    ],
    ids=["columns", "quotation", "field"],
)
def test_a_table_takes_no_more_memory_than_a_few_of_its_rows(content: bytes, says: str) -> None:
    assert says in reason(content)


def test_a_number_of_many_digits_is_none() -> None:
    assert "expected a number" in reason("x,y\n" + "9" * 100_000 + ",1\n", {"name": "x", "type": "number"})
