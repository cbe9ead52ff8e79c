"""The digests that something refers to, in bounded memory.

A digest in an event is a text of 64 hex digits, so it stands in the bytes of a row behind its length, 64, which is "@".
Whatever stands there like a digest counts as one: a field that is new, or of a newer version, cannot be overlooked.

They are kept in a filter: a digest that was added is always found. One that was not is found by mistake in fewer than
one of a million cases while there are a million of them, and in one of fifteen when there are ten million. Such a
content merely stays on the disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from signoff.manifest.manifest import MANIFEST_TYPE

_DIGEST = re.compile(rb"@([0-9a-f]{64})")
_DIGEST_OF_FILE = re.compile(rb'"digest":"([0-9a-f]{64})"')
_MANIFEST = MANIFEST_TYPE.encode()
FILTER_BYTES = 8 * 1024 * 1024
_PLACES = 8  # bits that are set for a digest, each by eight of its hex digits


def digests_in(body: bytes) -> Iterable[bytes]:
    """Returns all that stands in a serialized message like the digest of a content."""
    return _DIGEST.findall(body)


def may_name_manifest(body: bytes) -> bool:
    """Tells whether one of the digests in a serialized message may be that of a manifest, which names further ones."""
    return _MANIFEST in body


def digests_in_manifest(body: bytes) -> Iterable[bytes]:
    """Returns the digests of the files that a manifest names; of any other content, at most too many."""
    return _DIGEST_OF_FILE.findall(body)


class References:
    """A set of digests that errs on the side of having one."""

    def __init__(self) -> None:
        self._bits = bytearray(FILTER_BYTES)

    def add(self, digests: Iterable[bytes]) -> None:
        for digest in digests:
            for byte, bit in _places(digest):
                self._bits[byte] |= bit

    def __contains__(self, digest: bytes) -> bool:
        return all(self._bits[byte] & bit for byte, bit in _places(digest))


def _places(digest: bytes) -> Iterable[tuple[int, int]]:
    number = int(digest, 16)
    for _ in range(_PLACES):
        place = number % (FILTER_BYTES * 8)
        yield place >> 3, 1 << (place & 7)
        number >>= 32
