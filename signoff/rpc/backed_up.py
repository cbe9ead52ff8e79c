"""Parts of backups, as both of their ends read them."""

from __future__ import annotations

import hashlib

from signoff.v1 import runner_pb2

_DIGEST_OF_NOTHING = hashlib.sha256().hexdigest()


def tells_of_loss(content: runner_pb2.BackedUpContent) -> bool:
    """Tells whether a message stands for a content that the runner has lost: it comes as a whole, without its bytes."""
    return content.last and not content.piece and content.digest != _DIGEST_OF_NOTHING
