"""The page: the built bundle beside this package, with the path prefix written into index.html.

Every path that is no file and not under /api is the page itself: it reads the path, so that deep links work.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from signoff.web.safety.refusals import NotFound

STATIC = Path(__file__).parents[1] / "static"
INDEX = "index.html"
TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".json": "application/json", ".map": "application/json", ".svg": "image/svg+xml", ".png": "image/png",
    ".ico": "image/x-icon", ".webp": "image/webp", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}  # fmt: skip

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>signoff</title></head>
<body><h1>signoff</h1>
<p>The page is not built: there is no signoff/web/static/index.html. The HTTP API works without it:
<a href="api/openapi.json">api/openapi.json</a> describes it.</p></body></html>
"""

_HEAD = re.compile(rb"<head[^>]*>", re.IGNORECASE)
_BASE = re.compile(rb"<base\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of the page, read for each request: they are small, and a new build shows at once."""

    prefix: str = ""
    folder: Path = STATIC

    def response(self, request: Request, path: str) -> Response:
        """Answers with a file, or with the page. Raises NotFound for a file that is not there."""
        file = self._file(path)
        if file is not None and file.name != INDEX:
            return _answer(request, file.read_bytes(), TYPES.get(file.suffix.lower(), "application/octet-stream"))
        if file is None and self._is_meant_as_file(request, path):
            raise NotFound(f"expected a path of the page or of the API, but there is nothing at {path[:100]!r}")
        return _answer(request, self._index(), TYPES[".html"])

    def _file(self, path: str) -> Path | None:
        """Returns the file of a path; None when it is none, or lies outside."""
        try:
            file = (self.folder / path.lstrip("/")).resolve()
            # guard: files of the bundle alone -> return file if file.is_file() else None
            return file if file.is_relative_to(self.folder.resolve()) and file.is_file() else None
        except (OSError, ValueError):
            return None  # no file has such a name

    def _is_meant_as_file(self, request: Request, path: str) -> bool:
        """Tells whether a browser asks for a script, a picture and so on, and not for a page."""
        return Path(path).suffix.lower() in TYPES and "text/html" not in request.headers.get("accept", "")

    def _index(self) -> bytes:
        """Returns index.html with the base of its relative URLs, so that it works at any depth and any prefix."""
        try:
            page = (self.folder / INDEX).read_bytes()
        except FileNotFoundError:
            page = NOT_BUILT.encode()
        base = f'<base href="{html.escape(self.prefix)}/">'.encode()
        page = _BASE.sub(b"", page)
        return _HEAD.sub(lambda found: found[0] + base, page, count=1)


def _answer(request: Request, content: bytes, media_type: str) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Type": media_type}
    if request.headers.get("if-none-match", "") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers)
