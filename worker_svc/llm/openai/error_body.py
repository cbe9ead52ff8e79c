"""Bounds the body of a refusal: the client's library would read it to its end, however long it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from typing import TYPE_CHECKING

from worker_svc.llm.openai.bounds import ERROR_BYTES

if TYPE_CHECKING:
    import httpx2

_OK = range(200, 300)


async def refusals_are_bounded(response: httpx2.Response) -> None:
    """A hook of the HTTP client: reads only the beginning of a refusal, and nothing of a packed one."""
    if response.status_code not in _OK and response.is_stream_consumed is False:
        is_packed = response.headers.pop("content-encoding", "identity") != "identity"
        response.stream = _beginning()(response.stream, 0 if is_packed else ERROR_BYTES)


@cache
def _beginning() -> type:
    """Returns the class of a stream that ends after some bytes; made late, for the library takes long to import."""
    from httpx2 import AsyncByteStream

    class Beginning(AsyncByteStream):
        def __init__(self, whole: AsyncByteStream, most: int) -> None:
            self._whole = whole
            self._left = most

        async def __aiter__(self) -> AsyncIterator[bytes]:
            if self._left <= 0:
                return
            async for piece in self._whole:
                yield piece[: self._left]
                self._left -= len(piece)
                if self._left <= 0:
                    return

        async def aclose(self) -> None:
            await self._whole.aclose()

    return Beginning
