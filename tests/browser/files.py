"""Files of results: a program that writes some, and a door that answers with such as no runner would keep."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.async_api import BrowserContext, Route

from tests.browser.hostile import ELSEWHERE, MARKDOWN, MARKUP, SVG
from tests.browser.plans import Task

HUGE = 200 * 1024 * 1024
LINE = b"a line of many\n"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_WRITES = """
import json, pathlib, sys
for path, body in json.loads(sys.argv[1]).items():
    place = pathlib.Path("outputs", path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(bytes.fromhex(body))
"""


def png(width: int = 60, height: int = 40) -> bytes:
    """Returns a picture of one colour."""
    rows = (b"\0" + b"\x23\x53\xc4" * width) * height
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def writing(task_id: str, files: Mapping[str, bytes], *patterns: str, **more: Any) -> Task:
    """Returns a task whose candidate is these files."""
    told = json.dumps({path: body.hex() for path, body in files.items()})
    return {
        "task_id": task_id,
        "description": f"Write the files of {task_id}",
        "input": {"description": "Nothing"},
        "output": {"artifact": f"files_{task_id}", "files": list(patterns)},
        "executor": {"command": {"argv": [sys.executable, "-c", _WRITES, told]}},
        **more,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """A file as the door tells it, whatever it is. `body`: None for one of 200 MiB."""

    media_type: str
    body: bytes | None


_REPORT = f"""# Report

![own](charts/a.png) ![drawn](charts/evil.svg) ![lie](lie.png) ![out](../../../../plans) ![far]({ELSEWHERE}/far.png)
![slashes](//evil.invalid/a.png) [press](javascript:window.ran=1) [rows](rows.csv)
"""

#: What no runner keeps (names that hide, types that lie), and what any may.
HOSTILE: Mapping[str, Lie] = {
    "report.md": Lie(media_type="text/markdown", body=_REPORT.encode()),
    "charts/a.png": Lie(media_type="image/png", body=png()),
    "charts/evil.svg": Lie(media_type="image/svg+xml", body=SVG.encode()),
    "evil.md": Lie(media_type="text/markdown", body=MARKDOWN.encode()),
    "exe\u202egnp.txt": Lie(media_type="text/plain", body=b"turned round"),
    "a\u0007b\u200b.html": Lie(media_type="text/html", body=MARKUP.encode()),
    "lie.png": Lie(media_type="image/png", body=MARKUP.encode()),
    "n" * 1000: Lie(media_type='x/"><script>', body=MARKUP.encode()),
    "rows.csv": Lie(media_type="text/csv", body=b"city,sum\nBern,12\n"),
    "huge.txt": Lie(media_type="text/plain", body=None),
}


async def scripted(context: BrowserContext) -> None:
    """Makes every candidate in a browser be the hostile files, as a door answers that keeps to its headers."""
    await context.route("**/attempts", _as_files)
    await context.route("**/candidate/files**", _answered)


async def _as_files(route: Route) -> None:
    answer = await route.fetch()
    told = await answer.json()
    for attempt in told["attempts"]:
        if "candidate" in attempt:
            attempt["candidate"]["artifact"]["fileCount"] = len(HOSTILE)
    await route.fulfill(response=answer, json=told)


async def _answered(route: Route) -> None:
    path = unquote(urlsplit(route.request.url).path.partition("/candidate/files")[2]).removeprefix("/")
    if not path:
        await route.fulfill(json={"main": "report.md", "files": [_entry(*one) for one in HOSTILE.items()]})
        return
    lie = HOSTILE[path]
    headers = {
        "Content-Type": lie.media_type if lie.media_type.isprintable() and '"' not in lie.media_type else "x/y",
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    await _send(route, lie, headers)


async def _send(route: Route, lie: Lie, headers: dict[str, str]) -> None:
    found = _RANGE.fullmatch(route.request.headers.get("range", ""))
    if found is None:
        assert lie.body is not None, "expected the page to ask for a part of a huge file"
        await route.fulfill(body=lie.body, headers=headers)
        return
    size = HUGE if lie.body is None else len(lie.body)
    first, end = int(found[1]), min(size, int(found[2]) + 1)
    body = (LINE * ((end - first) // len(LINE) + 1))[: end - first] if lie.body is None else lie.body[first:end]
    span = {"Content-Range": f"bytes {first}-{end - 1}/{size}"}
    await route.fulfill(status=206, body=body, headers={**headers, **span})


def _entry(path: str, lie: Lie) -> dict[str, str]:
    size = HUGE if lie.body is None else len(lie.body)
    digest = hashlib.sha256(lie.body or b"").hexdigest()
    return {"path": path, "mediaType": lie.media_type, "sizeBytes": str(size), "digest": digest}
