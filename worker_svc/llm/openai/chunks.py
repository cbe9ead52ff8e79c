"""The chunks of an answer in the body of a response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any

from worker_svc.llm.openai.bounds import Bounds
from worker_svc.llm.openai.dialects import fault_in
from worker_svc.llm.openai.failures import StreamFault
from worker_svc.llm.openai.partial_answer import portions
from worker_svc.llm.openai.sse import Events, WholeBody
from worker_svc.llm.read.json_text import parse_json

DRAIN_SECONDS, DRAIN_BYTES = 0.5, 4096  # for the end of a body behind [DONE]: then its connection can be used again
TURN_SECONDS = 0.01  # of reading bytes that have come already, before other work gets its turn


async def chunks_in(body: AsyncIterator[bytes], bounds: Bounds) -> AsyncGenerator[Any, None]:
    """Yields the chunks in a body. Raises StreamFault for a chunk that reports an error, ValueError and TooMuch."""
    events, now = Events(bounds), asyncio.get_running_loop().time
    turn = now()
    whole: WholeBody | None = None
    async for piece in body:
        if whole is None and piece.strip():
            whole = WholeBody.begun_by(piece, bounds)
        if whole is not None and whole.is_it:
            whole.add(piece)
            continue
        for data in events.feed(piece):
            if data.startswith(b"[DONE]"):
                await _drain(body)
                return
            for number, portion in enumerate(portions(_chunk_of(data))):
                if number:  # a large chunk: other work gets its turn
                    await asyncio.sleep(0)
                yield portion
        if now() - turn > TURN_SECONDS:  # reading bytes that have come already never pauses
            await asyncio.sleep(0)
            turn = now()
    ending = [whole.data] if whole is not None and whole.is_it else events.end()
    for data in ending:
        for portion in portions(_chunk_of(data)):
            yield portion
            await asyncio.sleep(0)


def _chunk_of(data: bytes) -> Any:
    chunk = parse_json(data)
    if (fault := fault_in(chunk)) is not None:
        raise StreamFault.of(fault)
    return chunk


async def _drain(body: AsyncIterator[bytes]) -> None:
    """Reads the end of a body, so that its connection can be used again; an endless one is left alone."""
    read = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for piece in body:
                read += len(piece)
                if read > DRAIN_BYTES:
                    return
