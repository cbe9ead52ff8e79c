"""No bytes make a check of files raise, or pass without a reason: it ends in a sentence, in the time that it has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signoff.v1 import execution_pb2
from tests.support.draws import so_many
from tests.support.work.files import check_of, picture, png_that_claims, tarred, zipped
from worker_svc.validate.check_process import CheckProcess
from worker_svc.validate.checking.files import image
from worker_svc.validate.checks import check_result

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
MIB = 1024**2
NUMBER = {"name": "a", "type": "number", "unique": True, "min": 0, "max": 9, "sum": 1}
CHECKS = (
    check_of("file_size", max_bytes=9),
    check_of(
        "media_type",
        types=["image/png", "image/svg+xml", "text/csv", "application/json", "application/yaml", "text/html"],
    ),
    check_of("media_type", types=["image/*", "text/*", "application/zip", "application/xml"]),
    check_of("image", min_width=2),
    check_of("table", columns=[NUMBER, {"name": "b", "type": "date"}], min_rows=1),
    check_of("archive_safe", max_members=5, max_unpacked_bytes=100_000),
)
SEEDS = (
    *(picture(form) for form in image.FORMATS),
    png_that_claims(9, 9),
    zipped(("a", b"b"), ("c/d", b"e" * 99)),
    *(tarred(("a", b"b"), ("c", "a"), form=form) for form in ("w", "w:gz", "w:bz2", "w:xz")),
    b"a,b\n1,2026-01-01\n",
    b'{"a": [1, null]}',
    b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """Draws a file that was whole, with a few bytes changed, and a piece left out or twice there."""
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 8))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    begin, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    return bytes(content[:end] + content[begin:] if draw(st.booleans()) else content[:begin] + content[end:])


@settings(max_examples=so_many(300, long=20_000), derandomize=True, deadline=None)
@given(st.one_of(changed(), st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
@example(b"")
@example(b"\0")
def test_no_bytes_make_a_check_raise(content: bytes) -> None:
    for check in CHECKS:
        result = check_result(check, content)
        assert result.outcome in (PASS, FAIL), result.reason
        assert (result.outcome == PASS) == (not result.reason)
        assert result.reason.isprintable(), result.reason


def seven_zips() -> bytes:
    """Makes a ZIP of ZIPs of zeros: what is inside of the inner ones is not unpacked."""
    content = zipped(("0", bytes(10 * MIB)))
    for _ in range(3):
        content = zipped(*((f"{n}.zip", content) for n in range(16)))
    return content


LARGE: Mapping[str, Callable[[], bytes]] = {
    "a picture of one colour, as large as may be": lambda: picture("PNG", (10_000, 10_000), is_blank=True),
    "a picture that claims too much": lambda: png_that_claims(2**31 - 1, 2**31 - 1),
    "a table of one line": lambda: b"a,b\n" + b"x" * (100 * MIB),
    "a table of a million columns": lambda: b",".join([b"a"] * 1_000_000) + b"\n" + b"," * 1_000_000,
    "ZIPs in ZIPs": seven_zips,
    "a packed tar of a gigabyte": lambda: tarred(("a", bytes(1024 * MIB)), form="w:gz"),
    "deep XML": lambda: b"<a>" * 1_000_000,
    "deep JSON": lambda: b"[" * 1_000_000,
}


@pytest.fixture
async def process() -> AsyncIterator[CheckProcess]:
    process = CheckProcess(timedelta(seconds=5), all_limit=timedelta(seconds=60), memory_bytes=1024 * MIB)
    yield process
    await process.close()


@pytest.mark.long
@pytest.mark.parametrize("name", LARGE)
async def test_large_and_hostile_files_end_in_time(name: str, process: CheckProcess) -> None:
    content = LARGE[name]()
    async with asyncio.timeout(90), process.looking_at(content) as look:
        for check in CHECKS:
            result = await look.check_result(check)
            assert "the process that runs checks ended" not in result.reason
            assert (result.outcome == PASS) == (not result.reason), result.reason
