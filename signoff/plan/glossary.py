"""Names that are the same on the wire, in the core and in what people read."""

from __future__ import annotations

MODEL, COMMAND, JUDGE = "model", "command", "judge"  # handlers that need no app: worker.proto, Hello
PERSON_APPROVES = "A person approves"  # the criterion of a person's verdict
