"""Differences between two candidates, and the sentence where no lines can be compared."""

from __future__ import annotations

import pytest

from signoff.display import differences
from signoff.display.differences import Side, difference


def between(before: bytes, after: bytes) -> str:
    return difference(Side(name="attempt 1", content=before), Side(name="attempt 2", content=after))


def test_lines_that_have_changed_stand_in_their_context() -> None:
    assert between(b"a\nb\nc\n", b"a\nB\nc\n").splitlines() == [
        "--- attempt 1", "+++ attempt 2", "@@ -1,3 +1,3 @@", " a", "-b", "+B", " c",
    ]  # fmt: skip


def test_a_last_newline_is_a_difference() -> None:
    assert between(b"a\n", b"a").splitlines()[-3:] == ["-a", "+a", "\\ No newline at end of file"]
    assert between(b"", b"a\n").splitlines()[-1] == "+a"


def test_only_newlines_end_lines() -> None:
    told = between("a\u2028b\r\n".encode(), "a\u2028c\r\n".encode())
    assert told.split("\n")[-3:-1] == ["-a\u2028b\r", "+a\u2028c\r"]


def test_what_is_the_same_is_said_to_be() -> None:
    assert between(b"\xff\x00", b"\xff\x00") == "attempt 2 made the same 2 bytes as attempt 1\n"


@pytest.mark.parametrize("binary", [b"\xff\xfe", b"a\x00b", "\ud800".encode(errors="surrogatepass")])
def test_of_what_is_no_text_sizes_and_digests_are_told(binary: bytes) -> None:
    for told in (between(binary, b"abc"), between(b"abc", binary)):
        assert told.startswith("no text that could be compared: attempt 1 has ")
        assert "3 bytes with digest ba7816bf8f01" in told


def test_of_what_is_too_large_the_first_line_that_differs_is_told() -> None:
    lines = [f"{number}" for number in range(20_000)]
    one_changed = [*lines[:12_345], "changed", *lines[12_346:]]
    assert "-12345\n+changed\n" in between("\n".join(lines).encode(), "\n".join(one_changed).encode())
    all_changed = [*lines[:100], *(line + "x" for line in lines[100:])]
    told = between("\n".join(lines).encode(), "\n".join(all_changed).encode())
    assert told.startswith("too large to compare: attempt 1 has 108,889 bytes with digest ")
    assert told.endswith("; the first line that differs is 101\n")
    large = b"x" * (differences.MOST_BYTES + 1)
    assert between(large, b"x").startswith("too large to compare")
