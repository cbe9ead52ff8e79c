"""The fields that all kinds of check have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseCheck:
    """The fields that all checks have."""

    criterion: int = 0  #: number, from 1, of the criterion that it was made from; 0: the plan states the check
    file: str = ""  #: the file that it looks at, or a pattern of files; empty: the main file, or the one content

    @property
    def texts(self) -> tuple[str, ...]:
        """Returns the texts of the check that go on the wire, besides `file`."""
        return ()

    @property
    def parts(self) -> int:
        """Counts the messages that it is on the wire, each with numbers of its own."""
        return 1
