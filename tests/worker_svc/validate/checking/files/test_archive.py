"""Archives: what unpacks without harm passes, and everything else fails with the member."""

from __future__ import annotations

import gzip
import stat
import struct
import tarfile
from typing import Any

import pytest

from signoff.v1 import execution_pb2
from tests.support.work.files import check_of, tar_header, tarred, zipped
from worker_svc.validate.checks import check_result

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL
LINK = stat.S_IFLNK | 0o777


def reason(content: bytes, **fields: Any) -> str:
    """Returns the reason why an archive fails; empty: it passes."""
    result = check_result(check_of("archive_safe", **fields), content)
    assert result.outcome == (FAIL if result.reason else PASS)
    return result.reason


def nested(times: int) -> bytes:
    content = zipped(("a", b"x"))
    for _ in range(times):
        content = zipped(("inner.zip", content))
    return content


@pytest.mark.parametrize(
    "content",
    [
        zipped(("a/b.txt", b"x"), ("c", b"y"), ("d/", b"")),
        zipped(("b", b"x"), ("a", b"b", LINK)),
        nested(100),
        *(tarred(("d", "folder"), ("d/a", b"x"), ("./b", b"y"), form=form) for form in ("w", "w:gz", "w:bz2", "w:xz")),
        tarred((".", "folder"), ("d/a", "../b"), ("b", b"x"), ("c", "=b")),
    ],
)
def test_an_archive_that_unpacks_without_harm_passes(content: bytes) -> None:
    assert reason(content) == ""


@pytest.mark.guard(name="members of an archive stay in its folder")
@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "a//b", "a\\..\\b", "a\nb", "./../a"])
def test_a_path_that_leads_out_fails_with_its_name(path: str) -> None:
    for content in (zipped((path, b"x")), tarred((path, b"x"))):
        assert reason(content).startswith("expected a path ")
        assert reason(content).endswith(f": {path!r}")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(("C:/a", b"x")), "expected a path without the letter of a drive: 'C:/a'"),
        (zipped(("a/" * 200 + "b", b"x")), "expected at most 100 folders above a member"),
        (zipped(("a", b"x"), ("A", b"x")), "expected paths that differ in more than their case, but got 'a' and 'A'"),
        (zipped(("a", b"x"), ("a/b", b"x")), "expected 'a' to be a file or a folder, but 'a/b' is in it"),
        (zipped(("a/", b""), ("a", b"x")), "expected 'a' to be a file or a folder, but 'a' is both"),
        (zipped(("a", b"x", stat.S_IFIFO)), "expected files, folders and links alone, but 'a' is a device or a pipe"),
        (tarred(("a", "device")), "expected files, folders and links alone, but 'a' is a device or a pipe"),
        (tarred(("a", "pipe")), "expected files, folders and links alone, but 'a' is a device or a pipe"),
        (zipped(("a", b"x" * 5_000, LINK)), "expected links of at most 4,096 bytes, but 'a' has 5,000"),
        (b"no archive", "expected a tar archive, plain or packed by gzip, bzip2 or xz, or a ZIP, but "),
        (b"", "expected a tar archive, plain or packed by gzip, bzip2 or xz, or a ZIP, but empty file"),
        (gzip.compress(b"no archive", mtime=0), "expected a tar archive"),
        (zipped(), "expected an archive with members, but it has none"),
        (zipped(("a", b"x"))[:-30], "expected a ZIP that can be unpacked, but File is not a zip file"),
        (tarred(("a", b"x" * 5_000))[:3_000], "expected a tar archive, plain or packed"),
    ],
)
def test_what_would_do_harm_fails_and_says_what(content: bytes, says: str) -> None:
    assert says in reason(content)


@pytest.mark.guard(name="a link stays in the archive")
@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "d/../../x", "..", "C:/x", "\\x", "a\x1b"])
def test_a_link_that_leads_out_fails(target: str) -> None:
    expected = f"expected links that stay inside, but 'a' leads to {target!r}"
    assert reason(zipped(("a", target.encode(), LINK))) == expected
    assert reason(tarred(("a", target))) == expected


def test_so_does_a_hard_link() -> None:
    assert reason(tarred(("d/a", "=../x"))) == "expected links that stay inside, but 'd/a' leads to '../x'"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        # Each of the two alone stays inside; together they lead out of it.
        (
            tarred(("a/b/one", "../.."), ("two", "a/b/one/..")),
            "expected links that lead through no other, but 'two' leads through 'a/b/one'",
        ),
        (tarred(("one", "d"), ("ONE/x/y", b"z")), "expected 'one' to be a file or a folder"),
        (tarred(("one", "d"), ("one/e", "folder")), "expected no member behind a link, but 'one/e' is behind 'one'"),
    ],
)
def test_nothing_may_lie_behind_a_link(content: bytes, says: str) -> None:
    assert says in reason(content)


# ---------------------------------------------------------------- bounds


@pytest.mark.guard(name="members of an archive are counted")
def test_members_are_counted() -> None:
    many = [(f"{n}", b"") for n in range(4)]
    for content in (zipped(*many), tarred(*many)):
        assert reason(content, max_members=4) == ""
        assert reason(content, max_members=3) == "expected at most 3 members, but it has more"


@pytest.mark.guard(name="bytes of an archive are counted as they come out")
@pytest.mark.parametrize("content", [zipped(("a", bytes(200_000))), tarred(("a", bytes(200_000)), form="w:xz")])
def test_bytes_are_counted_as_they_come_out(content: bytes) -> None:
    assert len(content) < 1_000
    assert reason(content, max_unpacked_bytes=200_000) == ""
    said = reason(content, max_unpacked_bytes=199_999)
    assert said == "expected at most 199,999 bytes to come out, but at 'a' it is more"


def lying(content: bytes, size: int) -> bytes:
    """Returns a ZIP of one member that claims another size for it, in both of its heads."""
    changed, central = bytearray(content), content.index(b"PK\x01\x02")
    changed[22:26] = changed[central + 24 : central + 28] = struct.pack("<I", size)
    return bytes(changed)


def test_a_size_that_a_zip_claims_is_not_believed() -> None:
    content = lying(zipped(("a", bytes(200_000))), 10)
    assert reason(content) == "'a' claims to have 10 bytes, but 200,000 come out"
    assert reason(content, max_unpacked_bytes=100) == "expected at most 100 bytes to come out, but at 'a' it is more"
    assert "claims to have 4,000,000,000 bytes" in reason(lying(zipped(("a", b"x")), 4_000_000_000))


def test_a_member_with_holes_counts_as_what_would_be_written() -> None:
    content = tar_header("holes", tarfile.GNUTYPE_SPARSE, 0, real_size=2**33 - 1) + bytes(1_024)
    assert reason(content) == "expected at most 1,073,741,824 bytes to come out, but at 'holes' it is more"


@pytest.mark.guard(name="a packed archive is read up to its bound")
def test_what_is_packed_behind_the_last_member_is_counted_too() -> None:
    content = gzip.compress(tarred(("a", b"x")) + bytes(2_000_000))
    assert len(content) < 10_000
    assert reason(content) == ""
    said = reason(content, max_members=1, max_unpacked_bytes=1)
    assert said.startswith("expected at most 1,052,673 bytes with all headers to come out")


def test_headers_are_bounded_for_they_are_read_whole() -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        content = gzip.compress(tar_header("x", kind, 2**32) + bytes(5_000_000))
        assert reason(content) == "expected headers of at most 1,048,576 bytes, but one has 4,294,967,296"
