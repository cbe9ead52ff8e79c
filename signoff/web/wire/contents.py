"""Contents as answers: artifacts and candidates are bytes of a model, and hostile.

A browser gets them in a sandbox without scripts, styles or requests, and as a download unless they are of a type that
cannot act.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from signoff.v1 import execution_pb2 as pb
from signoff.web.safety.refusals import RangeNotSatisfiable
from signoff.web.wire.streamed import Streamed

#: Types that a browser shows without running anything of them.
QUIET_TYPES = frozenset(
    {
        "text/plain",
        "text/markdown",
        "text/csv",
        "application/json",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
    }
)
SANDBOX = "default-src 'none'; frame-ancestors 'none'; sandbox"
EXTENSIONS: Mapping[str, str] = {
    "text/plain": "txt",
    "text/markdown": "md",
    "text/csv": "csv",
    "text/html": "html",
    "text/xml": "xml",
    "text/css": "css",
    "text/javascript": "js",
    "text/x-python": "py",
    "application/json": "json",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/yaml": "yaml",
    "application/xml": "xml",
    "application/javascript": "js",
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
}

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
_NOT_IN_A_NAME = re.compile(r"[^\w.() +-]+", re.ASCII)


def bare_type(media_type: str) -> str:
    """Returns the type without parameters; that of unknown bytes when it is none."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare if _TYPE.fullmatch(bare) else "application/octet-stream"


def file_name(info: pb.ArtifactInfo) -> str:
    """Returns a name for a file: letters, digits and a few signs, never a path, never hidden."""
    stem = _NOT_IN_A_NAME.sub("_", info.name)[:100].strip(". ") or "output"
    extension = EXTENSIONS.get(bare_type(info.media_type), "bin")
    return stem if stem.lower().endswith(f".{extension}") else f"{stem}.{extension}"


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes that were asked for, the last one included."""

    first: int
    last: int


def span_in(header: str, size: int) -> Span | None:
    """Reads the header Range. None: the whole, also for several ranges at once. Raises RangeNotSatisfiable."""
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:  # the last bytes
        first, last = max(0, size - int(found[2])), size - 1
        is_there = int(found[2]) > 0 and size > 0
    else:
        first, last = int(found[1]), min(size - 1, int(found[2] or size))
        if found[2] and int(found[2]) < first:
            return None  # no valid range: it is as if there was none
        is_there = first < size
    if not is_there:
        raise RangeNotSatisfiable(f"expected a range within {size:,} bytes, but got {header[:60]!r}")
    return Span(first, last)


async def content_response(request: Request, info: pb.ArtifactInfo, chunks: AsyncGenerator[bytes, None]) -> Response:
    """Answers with a content: whole, a range of it, or 304 when the client has it."""
    tag = f'"{info.digest}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        **_safe_headers(request, info),
    }
    if tag in [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]:
        await chunks.aclose()
        return Response(status_code=304, headers=headers)
    size, given = int(info.size_bytes), request.headers.get("range", "")
    is_same = request.headers.get("if-range", tag) == tag
    span = span_in(given, size) if given and is_same else None
    if span is None:
        return Streamed(chunks, 200, {**headers, "Content-Length": str(size)})
    partial = {
        "Content-Range": f"bytes {span.first}-{span.last}/{size}",
        "Content-Length": str(span.last - span.first + 1),
    }
    return Streamed(_part(chunks, span), 206, {**headers, **partial})


def _safe_headers(request: Request, info: pb.ArtifactInfo) -> dict[str, str]:
    kind = bare_type(info.media_type)
    # guard: active contents are downloads -> wants_download = False
    wants_download = kind not in QUIET_TYPES or request.query_params.get("download", "") in ("1", "true")
    name = file_name(info)
    return {
        "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "Content-Disposition": f"{'attachment' if wants_download else 'inline'}; "
        f"filename=\"{name}\"; filename*=UTF-8''{quote(name)}",
        # guard: contents are in a sandbox -> "X-Sandbox": SANDBOX,
        "Content-Security-Policy": SANDBOX,
    }


async def _part(chunks: AsyncGenerator[bytes, None], span: Span) -> AsyncIterator[bytes]:
    place = 0
    try:
        async for chunk in chunks:
            piece = chunk[max(0, span.first - place) : span.last + 1 - place]
            place += len(chunk)
            if piece:
                yield piece
            if place > span.last:
                return
    finally:
        await chunks.aclose()
