"""Plan files on the command line: reading one, naming its plan, and saying what the compiler thinks of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signoff.errors import ConfigurationError

if TYPE_CHECKING:
    from signoff.cli.output import Output
    from signoff.v1 import plan_pb2

STDIN = "-"
PLAN_ID_LENGTH = 128


def read_plan(plan: str) -> bytes:
    """The bytes of a plan file; "-" is standard input."""
    if plan == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(plan).read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"expected a plan file, but there is no {plan}") from None
    except OSError as error:
        raise ConfigurationError(f"expected a plan file, but {plan} cannot be read: {error.strerror}") from None


def plan_id_of(plan: str) -> str:
    """The id a plan gets when nobody names one: its file's name, or its folder's when the file is plan.json.

    Empty for standard input: the planner then makes an id of the content.
    """
    if plan == STDIN:
        return ""
    path = Path(plan).absolute()
    named = path.parent.name if path.name == "plan.json" else path.stem.removesuffix(".plan")
    return re.sub(r"[^A-Za-z0-9_-]", "_", named)[:PLAN_ID_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A diagnostic, whether it came from the compiler in this process or over the wire."""

    code: str
    severity: str  #: "error" or "warning"
    task_ids: tuple[str, ...]
    message: str
    path: str

    @property
    def sentence(self) -> str:
        """For example "warning own-ancestor at tasks[3].dependencies[0]: ..."."""
        said = not self.path or self.message.startswith(self.path)
        place = "" if said else f" at {self.path}"
        return f"{self.severity} {self.code}{place}: {self.message}"


def finding_from_proto(diagnostic: plan_pb2.Diagnostic) -> Finding:
    from signoff.words import severity_word

    return Finding(
        code=diagnostic.code,
        severity=severity_word(diagnostic.severity),
        task_ids=tuple(diagnostic.task_ids),
        message=diagnostic.message,
        path=diagnostic.path,
    )


def show_findings(output: Output, findings: Sequence[Finding], *, at_most: int = sys.maxsize) -> None:
    """On standard error, one a line: every error, and at most so many warnings."""
    errors = [finding for finding in findings if finding.severity == "error"]
    warnings = [finding for finding in findings if finding.severity != "error"]
    for finding in [*errors, *warnings[:at_most]]:
        output.note(finding.sentence)
    if len(warnings) > at_most:
        output.note(f"and {len(warnings) - at_most} more warnings: `signoff compile` shows them all")
