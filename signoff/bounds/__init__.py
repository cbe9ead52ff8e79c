"""Bounds of the fields of messages: read from options in the protos, compiled once for each type of message.

`check` refuses a value that is out of bounds with the path of its field, and cuts or clamps it where the option says
so. A field that is unset is within its bounds. Our messages are not recursive, so a check never goes deeper than the
protos do, whatever a peer sends.

A bound takes this way through the modules:

    options    reads the option of a field
    texts      forms of texts, such as ids and single lines; the depth of JSON; quoting for errors
    values     the check of a single value, and its cutting or clamping
    messages   the check of a whole message, with its lists and maps

A new bound is an option in protos/signoff/v1/bounds.proto, and a check in `values`.
"""

from __future__ import annotations

from signoff.bounds.messages import check, checker
from signoff.bounds.options import bounds_in, bounds_of
from signoff.bounds.texts import ELLIPSIS, FORMS, clipped, depth_of, quoted
from signoff.bounds.values import seconds_in

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
    "seconds_in",
]
