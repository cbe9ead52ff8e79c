"""Objects in a bucket of S3, or wherever else obstore leads to.

The credentials, the region and the endpoint are as obstore reads them from the environment: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL and the like. An upload of several parts that a kill cuts off stays
with the provider until its own rule for unfinished uploads removes it: no object has its name.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from runner_svc.objects.port import MARKER, PIECE_BYTES
from signoff.errors import ConfigurationError, StorageFailed, content_lost
from signoff.manifest.manifest import is_digest

PART_BYTES = 8 * 1024 * 1024  # of an upload in parts
PARTS_AT_ONCE = 2
LISTED_AT_ONCE = 1_000


class BucketObjects:
    """An object store below a URL such as s3://bucket/folder. `options`: for obstore, besides the environment's."""

    def __init__(self, url: str, **options: Any) -> None:
        self.where = self._url = url
        try:
            self._store = from_url(url, **options)
        except (BaseError, ValueError) as error:
            raise ConfigurationError(f"expected the URL of an object store, but got {url!r}: {error}") from error

    async def open(self) -> None:
        async for _ in self.listed():
            return  # it answers, and lets this runner in

    async def owner(self) -> str:
        try:
            found = await obstore.get_async(self._store, MARKER)
            return bytes(await found.bytes_async()).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return ""
        except (BaseError, OSError) as error:
            raise StorageFailed(f"cannot read whose the object store {self._url} is: {error}") from error

    async def take(self, journal: str) -> None:
        try:
            await obstore.put_async(self._store, MARKER, journal.encode())
        except (BaseError, OSError) as error:
            raise StorageFailed(f"cannot take the object store {self._url}: {error}") from error

    async def remove_unfinished(self) -> None:
        """Does nothing: only the provider knows of uploads in parts that were cut off."""

    async def put(self, digest: str, pieces: AsyncIterator[bytes]) -> None:
        try:
            await obstore.put_async(
                self._store, _checked(digest), pieces, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )
        except (BaseError, OSError) as error:
            raise StorageFailed(f"the object store {self._url} refused {digest}: {error}") from error

    async def read(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        if start >= end:
            return
        try:
            found = await obstore.get_async(self._store, _checked(digest), options={"range": (start, end)})
            async for chunk in found.stream(min_chunk_size=PIECE_BYTES):
                piece = bytes(chunk)
                for place in range(0, len(piece), PIECE_BYTES):
                    yield piece[place : place + PIECE_BYTES]
        except FileNotFoundError as error:
            raise content_lost(f"the object store {self._url} has lost {digest}: {error}") from error
        except (BaseError, OSError) as error:
            raise StorageFailed(f"the object store {self._url} did not give {digest}: {error}") from error

    async def delete(self, digests: Sequence[str]) -> None:
        for start in range(0, len(digests), LISTED_AT_ONCE):
            paths = [_checked(digest) for digest in digests[start : start + LISTED_AT_ONCE]]
            try:
                await obstore.delete_async(self._store, paths)
            except FileNotFoundError:
                pass  # some providers say so of what is not there
            except (BaseError, OSError) as error:
                raise StorageFailed(f"the object store {self._url} refused to remove objects: {error}") from error

    async def listed(self, before: float = math.inf) -> AsyncIterator[Sequence[str]]:
        try:
            async for page in obstore.list(self._store, chunk_size=LISTED_AT_ONCE):
                put = [found for found in page if found["last_modified"].timestamp() <= before]
                names = [str(found["path"]).rpartition("/")[2] for found in put]
                yield [name for name in names if is_digest(name)]
        except (BaseError, OSError) as error:
            raise StorageFailed(f"the object store {self._url} cannot be listed: {error}") from error

    async def close(self) -> None:
        """Does nothing: obstore closes its connections by itself."""


def _checked(digest: str) -> str:
    if not is_digest(digest):
        raise StorageFailed(f"expected the digest of an object, but got {digest[:80]!r}")
    return digest
