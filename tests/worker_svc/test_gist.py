"""The gist of a failure, and failures that may pass."""

from __future__ import annotations

import pytest

from worker_svc.gist import MAX_GIST, gist_of, may_pass


@pytest.mark.guard(name="the gist leaves out what differs from run to run")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("<Row object at 0x7f3a2c01d5e0> is bad", "<Row object at 0x55d1e4a7b2c0> is bad"),
        ("no file /tmp/signoff-0a1b2c3d4e5f6071/x", "no file /tmp/signoff-9f8e7d6c5b4a3928/x"),
        ("no file /tmp/tmpx8k2_f3a", "no file /tmp/tmpq0zz1m9b"),
        ("2026-11-28T17:01:07.123Z: bad row", "2026-11-29 03:12:00: bad row"),
        ("at 17:01:07 row 3 was bad", "at 17:02:11 row 3 was bad"),
        ("bad after 0.31 s", "bad after 12.5 s"),
        ("bad after 250ms", "bad after 17ms"),
        ("stamp 1764349267.114 is bad", "stamp 1764349329.903 is bad"),
        ("job 6f9619ff-8b86-d011-b42d-00c04fc964ff", "job 1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
        ("pid 4711 died", "pid 12 died"),
    ],
)
def test_addresses_moments_durations_and_ids_make_no_difference(first: str, second: str) -> None:
    assert gist_of(first) == gist_of(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("row 3 is bad", "row 4 is bad"),
        ("score 0.71 is below 0.8", "score 0.75 is below 0.8"),
        ("no column price", "no column cost"),
        ("expected 12 entries, but got 11", "expected 12 entries, but got 10"),
        ("ValueError: x", "KeyError: x"),
        ("第三行", "第四行"),
    ],
)
def test_what_may_be_progress_makes_a_difference(first: str, second: str) -> None:
    assert gist_of(first) != gist_of(second)


def test_of_very_long_words_the_end_counts() -> None:
    assert len(gist_of("y " * MAX_GIST)) == MAX_GIST
    assert gist_of("a" + "x " * MAX_GIST) == gist_of("b" + "x " * MAX_GIST)


@pytest.mark.parametrize(
    "words",
    [
        "curl: (7) Failed to connect to example.org port 443",
        "curl: (6) Could not resolve host: example.org",
        "Connection refused",
        "the request timed out",
        "Read timeout",
        "Temporary failure in name resolution",
        "429 Too Many Requests",
        "503 Service Unavailable",
        "sqlite3.OperationalError: database is locked",
        "write error: No space left on device",
        "please try again later",
        "Rate-limit exceeded",
    ],
)
def test_what_tells_of_the_world_outside_may_pass(words: str) -> None:
    assert may_pass(words)


@pytest.mark.parametrize("words", ["ValueError: bad row", "KeyError: 'topic'", "exited with code 3", "", "没有这一列"])
def test_what_tells_of_the_work_does_not_pass_by_itself(words: str) -> None:
    assert not may_pass(words)
