"""Media types by the bytes of a file, and not by its name."""

from __future__ import annotations

import gzip

import pytest

from signoff.v1 import execution_pb2
from tests.support.work.files import check_of, picture, tarred, zipped
from worker_svc.validate.checking.files.media_type import check_media_type
from worker_svc.validate.checking.looked_at import LookedAt
from worker_svc.validate.checking.reading import CheckFailed
from worker_svc.validate.checks import check_result

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL
SVG = b'<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg"><path/></svg>'
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LAUGHS = b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'


@pytest.mark.parametrize(
    ("types", "content"),
    [
        (["image/png"], picture()),
        (["image/x-png"], picture()),
        (["image/*"], picture("WEBP")),
        (["image/jpeg"], picture("JPEG")),
        (["image/jpg"], picture("JPEG")),
        (["image/gif"], picture("GIF")),
        (["image/avif"], picture("AVIF")),
        (["image/bmp"], picture("BMP")),
        (["image/jpeg", "image/png"], picture()),
        (["application/pdf"], picture("PDF")),
        (["application/zip"], zipped(("a", b"b"))),
        ([DOCX], zipped(("[Content_Types].xml", b""), ("word/document.xml", b""))),
        (["application/epub+zip"], zipped(("mimetype", b"application/epub+zip"))),
        (["application/x-tar"], tarred(("a", b"b"))),
        (["application/gzip"], gzip.compress(b"a", mtime=0)),
        (["application/vnd.sqlite3"], b"SQLite format 3\0" + bytes(100)),
        (["audio/wav"], b"RIFF\x24\0\0\0WAVEfmt " + bytes(20)),
        (["video/mp4"], b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"),
        (["application/vnd.apache.parquet"], b"PAR1" + bytes(50) + b"PAR1"),
        (["image/svg+xml"], SVG),
        (["image/*"], SVG),
        (["application/xml"], b"<a><b/></a>"),
        (["application/json"], b'{"a": [1, 2]}'),
        (["application/geo+json"], b'{"a": [1, 2]}'),
        (["application/jsonl"], b'{"a": 1}\n{"a": 2}\n'),
        (["application/yaml"], b"a: 1\nb: [2]\n"),
        (["text/csv"], b"day,amount\n2026-01-01,3\n"),
        (["text/csv"], "\ufeffday;amount\n2026-01-01;3\n".encode()),
        (["text/tab-separated-values"], b"day\tamount\n2026-01-01\t3\n"),
        (["text/html"], b"<!DOCTYPE html><p>"),
        (["text/markdown"], "# Ü".encode()),
        (["text/x-python"], b"print()"),
        (["text/*"], b"BMW is a car"),
    ],
)
def test_a_file_is_of_the_type_that_its_bytes_tell(types: list[str], content: bytes) -> None:
    result = check_result(check_of("media_type", types=types), content)
    assert (result.outcome, result.reason) == (PASS, "")


@pytest.mark.parametrize(
    ("wanted", "content", "is_told"),
    [
        ("image/jpeg", picture(), "image/png"),
        ("video/x-msvideo", picture("WEBP"), "image/webp"),
        ("text/csv", picture(), "image/png"),
        ("text/*", picture(), "image/png"),
        ("image/bmp", b"BMW is a car", "text"),
        ("image/*", b"BMW is a car", "text"),
        ("application/pdf", b"PDF is a format", "text"),
        (DOCX, zipped(("a", b"b")), "application/zip"),
        ("application/zip", b"PK\x03\x04 and nothing more \xff", "of no kind that is known"),
        ("application/json", b"{'a': 1}", "text (expected JSON, but at line 1, column 2"),
        ("text/csv", b"Hello, world\nthis, is, prose", "text (expected CSV, but line 2 has 3 fields"),
        ("text/csv", b"just one line of prose", "text (expected CSV, but it has no row of two fields)"),
        ("image/svg+xml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "application/xml (expected SVG, but"),
        ("image/svg+xml", LAUGHS, "text (expected XML without entities of its own"),
        ("text/plain", "ü".encode("latin-1"), "of no kind that is known"),
        ("text/plain", b"", "empty"),
        ("image/png", b"", "empty"),
        ("image/png", b'{"a": 1}', "application/json"),
    ],
)
def test_a_file_of_another_type_fails_with_the_one_that_it_is(wanted: str, content: bytes, is_told: str) -> None:
    result = check_result(check_of("media_type", types=[wanted]), content)
    assert result.outcome == FAIL
    assert result.reason.startswith(f"expected {wanted}, but by its bytes it is {is_told}")


def test_a_name_decides_only_whether_one_column_is_a_table() -> None:
    check = check_of("media_type", types=["text/csv"])
    check_media_type(check, LookedAt(path="names.csv", size=9, content=b"name\nMars\n"))
    with pytest.raises(CheckFailed, match=r"by its bytes it is image/png"):
        check_media_type(check, LookedAt(path="names.csv", size=len(picture()), content=picture()))
