"""Contents as answers: artifacts and candidates are bytes of a model, and hostile.

A browser gets them in a sandbox without scripts, styles or requests, and as a download unless they are of a type that
cannot act. The files of a result have fewer types still: pictures have their own, all else is plain text or bytes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from signoff.manifest.manifest import FileEntry
from signoff.manifest.media_types import suffix_of
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
#: Types of pictures: a file of a result has them, and an <img> shows them. An SVG by itself is a download.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml"})
DRAWN = "image/svg+xml"
PLAIN, BYTES = "text/plain", "application/octet-stream"

_TEXTS = frozenset(  # besides text/*: a browser shows their source
    {
        "application/json",
        "application/jsonl",
        "application/x-ndjson",
        "application/yaml",
        "application/xml",
        "application/sql",
        "application/javascript",
        "application/toml",
    }
)
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
    suffix = suffix_of(info.media_type)
    return stem if stem.lower().endswith(suffix) else f"{stem}{suffix}"


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

    async def opened(span: Span | None) -> AsyncIterator[bytes]:
        return chunks if span is None else _part(chunks, span)

    try:
        answer = await _answer(request, info.digest, int(info.size_bytes), _safe_headers(request, info), opened)
    except RangeNotSatisfiable:
        await chunks.aclose()
        raise
    if answer.status_code == 304:
        await chunks.aclose()
    return answer


Opened = Callable[[Span | None], Awaitable[AsyncIterator[bytes]]]


async def file_response(request: Request, entry: FileEntry, opened: Opened) -> Response:
    """Answers with a file of a result, as `content_response` does. `opened` gives its bytes, or those of a range."""
    return await _answer(request, entry.digest, entry.size, _file_headers(request, entry), opened)


async def _answer(request: Request, digest: str, size: int, safe: Mapping[str, str], opened: Opened) -> Response:
    tag = f'"{digest}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache", **safe}
    if tag in [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    given = request.headers.get("range", "")
    is_same = request.headers.get("if-range", tag) == tag
    span = span_in(given, size) if given and is_same else None
    if span is None:
        return Streamed(await opened(None), 200, {**headers, "Content-Length": str(size)})
    partial = {
        "Content-Range": f"bytes {span.first}-{span.last}/{size}",
        "Content-Length": str(span.last - span.first + 1),
    }
    return Streamed(await opened(span), 206, {**headers, **partial})


def file_type(media_type: str) -> str:
    """Returns the type that a browser is told for a file of a result: of a picture, plain text, or unknown bytes."""
    kind = bare_type(media_type)
    if kind in PICTURES:
        return kind
    # guard: files are no documents -> return kind
    return PLAIN if kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+json", "+xml")) else BYTES


def _file_headers(request: Request, entry: FileEntry) -> dict[str, str]:
    kind, name = file_type(entry.media_type), entry.path.rpartition("/")[2][:200]
    # guard: active files are downloads -> is_shown = True
    is_shown = kind not in (BYTES, DRAWN) and not is_download(request)
    plain = _NOT_IN_A_NAME.sub("_", name)[:100].strip(". ") or "file"
    return {
        "Content-Type": f"{kind}; charset=utf-8" if kind == PLAIN else kind,
        "Content-Disposition": f"{'inline' if is_shown else 'attachment'}; "
        f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        # guard: files are in a sandbox -> "X-Sandbox": SANDBOX,
        "Content-Security-Policy": SANDBOX,
    }


def is_download(request: Request) -> bool:
    """Tells whether a client asks for an attachment."""
    return request.query_params.get("download", "") in ("1", "true")


def _safe_headers(request: Request, info: pb.ArtifactInfo) -> dict[str, str]:
    kind = bare_type(info.media_type)
    # guard: active contents are downloads -> wants_download = False
    wants_download = kind not in QUIET_TYPES or is_download(request)
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
