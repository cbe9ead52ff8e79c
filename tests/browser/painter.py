"""A worker's function that makes a picture of pixels: 40 by 30 of them, all green."""

from __future__ import annotations

import struct
import zlib

from signoff.app import App, Output

WIDTH, HEIGHT = 40, 30

app = App()


@app.executor
def paint() -> Output:
    return Output(png(), "image/png")


def png() -> bytes:
    """Returns a PNG picture: a signature and three chunks, each with its length and its checksum."""
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes((0, 128, 0)) * WIDTH) * HEIGHT
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
