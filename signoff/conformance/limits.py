"""The limits that the kit's Welcome names. They are small, so that small results reach them."""

from __future__ import annotations

from signoff.rpc.frames import LEAST_FRAME_BYTES

FRAME_LIMIT = LEAST_FRAME_BYTES  # the least that Welcome may say
INLINE_LIMIT = 16 * 1024  # bytes of a candidate in its message
MOST_BYTES = 1_000_000  # of a candidate
MOST_FILES = 20  # of a candidate
