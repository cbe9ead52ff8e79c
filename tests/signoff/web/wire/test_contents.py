"""Contents are hostile: names, types and ranges of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from signoff.v1 import execution_pb2 as pb
from signoff.web.safety.refusals import RangeNotSatisfiable
from signoff.web.wire.contents import QUIET_TYPES, bare_type, content_response, file_name, span_in

ACTIVE = (
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/xml",
    "text/javascript",
    "text/css",
    "application/pdf",
)


async def headers_of(media_type: str, name: str = "result", query: bytes = b"") -> dict[str, str]:
    async def nothing() -> AsyncGenerator[bytes, None]:
        yield b""

    request = Request({"type": "http", "method": "GET", "headers": [], "query_string": query})
    info = pb.ArtifactInfo(name=name, media_type=media_type, size_bytes=0, digest="0" * 64)
    return dict((await content_response(request, info, nothing())).headers)


@pytest.mark.guard(name="active contents are downloads")
@pytest.mark.parametrize("media_type", [*ACTIVE, "x", "text/html; charset=utf-8", "TEXT/HTML", "a\r\nb/c"])
async def test_what_could_act_in_a_browser_is_a_download(media_type: str) -> None:
    headers = await headers_of(media_type)
    assert headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in headers["content-security-policy"]
    assert "\r" not in "".join(headers.values())


@pytest.mark.parametrize("media_type", sorted(QUIET_TYPES))
async def test_what_cannot_act_is_shown_unless_a_download_is_asked_for(media_type: str) -> None:
    assert (await headers_of(media_type))["content-disposition"].startswith("inline;")
    assert (await headers_of(media_type, query=b"download=1"))["content-disposition"].startswith("attachment;")


@given(st.text(), st.text())
def test_a_file_name_is_one_part_that_a_header_can_hold(name: str, media_type: str) -> None:
    found = file_name(pb.ArtifactInfo(name=_encodable(name), media_type=_encodable(media_type)))
    assert found.isascii()
    assert found.isprintable()
    assert not set('/\\";') & set(found)
    assert found.strip(". ")
    assert "/" in bare_type(media_type)


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


@given(st.integers(1, 50), st.integers(0, 60), st.integers(0, 60))
def test_ranges_are_those_of_a_slice(size: int, first: int, last: int) -> None:
    content = bytes(range(size))
    expected = content[first : last + 1] if first <= last else content
    try:
        span = span_in(f"bytes={first}-{last}", size)
    except RangeNotSatisfiable:
        assert first >= size
        return
    assert (content if span is None else content[span.first : span.last + 1]) == expected
