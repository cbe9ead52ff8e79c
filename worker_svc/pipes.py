"""Frames on the pipes between the worker and its child processes: four bytes of length, then the content.

The worker's side is asynchronous, a child's side is not. Nothing here imports gRPC: the children do without.
"""

from __future__ import annotations

import asyncio
from typing import BinaryIO

_PIECE = 65_536  # bytes of one write: a pipe takes little at once, and the rest of a large write would be copied
_LENGTH = 4  # bytes


async def send(pipe: asyncio.StreamWriter, *parts: bytes) -> None:
    """Sends a frame with these parts."""
    pipe.write(sum(map(len, parts)).to_bytes(_LENGTH))
    for part in parts:
        content = memoryview(part)
        for at in range(0, len(content), _PIECE):
            pipe.write(content[at : at + _PIECE])
            await pipe.drain()


async def receive(pipe: asyncio.StreamReader) -> bytes:
    """Returns the content of the next frame. Raises IncompleteReadError when the pipe ends."""
    return await pipe.readexactly(int.from_bytes(await pipe.readexactly(_LENGTH)))


def read_frame(pipe: BinaryIO) -> bytes | None:
    """Returns the content of the next frame; None: the pipe has ended."""
    length = pipe.read(_LENGTH)
    return pipe.read(int.from_bytes(length)) if len(length) == _LENGTH else None


def write_frame(pipe: BinaryIO, content: bytes) -> None:
    pipe.write(len(content).to_bytes(_LENGTH) + content)
    pipe.flush()
