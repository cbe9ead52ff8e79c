"""What fields of messages may hold: read from the options in the protos, compiled once for each type of message.

`check` refuses what is out of bounds with the path of the field, and cuts or clamps in place where the option says so.
A field that is unset is within its bounds. Messages of our protos are not recursive, and a check is as deep as they
are: nothing that a peer sends makes it deeper.
"""

from __future__ import annotations

from signoff.bounds.messages import check, checker
from signoff.bounds.options import bounds_in, bounds_of
from signoff.bounds.texts import ELLIPSIS, FORMS, clipped, depth_of, quoted

__all__ = [
    "ELLIPSIS",
    "FORMS",
    "bounds_in",
    "bounds_of",
    "check",
    "checker",
    "clipped",
    "depth_of",
    "quoted",
]
