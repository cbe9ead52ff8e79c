"""The values that functions get and may return: plain values that travel between threads and processes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from signoff.app.files import Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A content with its bytes: an input, a candidate, or the candidate that was rejected last time."""

    name: str  #: as the task names it; empty when its maker names none
    task_id: str  #: the task that made it; empty: it is an input of the plan
    media_type: str
    digest: str  #: SHA-256 in hex
    content: bytes

    @property
    def text(self) -> str:
        """The content as text. Raises UnicodeDecodeError when it is not UTF-8."""
        return self.content.decode()

    def json(self) -> Any:
        """Returns the content read as JSON. Raises ValueError when it is not JSON."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The task of a call, and the plan it belongs to."""

    id: str
    description: str = ""
    plan_id: str = ""
    idea: str = ""  #: what the whole plan is for
    attempt: int = 1
    parameters: Any = None  #: the plan's input.parameters, usually a dict; None when it has none
    output_description: str = ""
    output_format: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The reasons why the previous attempt did not count."""

    summary: str
    reasons: tuple[str, ...] = ()  #: one for each check and criterion that did not pass
    candidate: Document | Files | None = None  #: what was rejected; None when the attempt made nothing
    earlier: tuple[str, ...] = ()  #: "attempt 1: too short": of each attempt before that one, the oldest first


@dataclass(frozen=True, slots=True)
class Artifact:
    """In `Annotated[Topic, Artifact("search-config")]`: the input artifact of this name, or made by this task."""

    name: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """In `Annotated[int, Parameter("max-items")]`: the key of this name in the plan's input.parameters."""

    name: str


@dataclass(frozen=True, slots=True)
class Output:
    """A candidate with a media type of its own. Content that is neither text nor bytes becomes JSON."""

    content: Any
    media_type: str = ""  #: empty: as for the bare content


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A validator function's verdict on a candidate."""

    is_pass: bool
    reason: str = ""
    retry: bool = True  #: of a fail: trying again makes sense

    @classmethod
    def passed(cls) -> Verdict:
        return cls(is_pass=True)

    @classmethod
    def failed(cls, reason: str, *, retry: bool = True) -> Verdict:
        """Returns a fail. The next attempt reads the reason. `retry=False`: another attempt would fare no better."""
        return cls(is_pass=False, reason=reason, retry=retry)
