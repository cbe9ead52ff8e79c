"""Plan files on the command line: reading one, naming its plan, and showing its diagnostics."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signoff.errors import ConfigurationError
from signoff.files.data_directory import PLAN_FILES, PLAN_JSON
from signoff.files.notes import read_note
from signoff.files.writing import write_atomically

if TYPE_CHECKING:
    from signoff.cli.show.output import CommandOutput
    from signoff.v1 import plan_pb2

STDIN = "-"
PLAN_ID_LENGTH, DIGEST = 128, 8  # characters


def read_plan(plan: str) -> bytes:
    """Returns the bytes of a plan file; "-" is standard input."""
    if plan == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(plan).read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"expected a plan file, but there is no {plan}") from None
    except OSError as error:
        raise ConfigurationError(f"expected a plan file, but {plan} cannot be read: {error.strerror}") from None


def path_of(plan: str) -> str:
    """Returns the path of a plan file, which standard input has as well."""
    return "/dev/stdin" if plan == STDIN else plan


def plan_id_of(plan: str) -> str:
    """Returns a plan's default id: its file's name, or its folder's name when the file is plan.json.

    When the name has letters that an id cannot have, a digest is added: 季报 and 年报 are two plans. Empty for standard
    input: the planner then makes an id from the content.
    """
    if plan == STDIN:
        return ""
    named = _named(plan)
    short = _with_what_may_be_in_ids(named)
    lost = len(named) > PLAN_ID_LENGTH or any(
        was != now and was.isalnum() for was, now in zip(named, short, strict=True)
    )
    if not lost:
        return short
    digest = hashlib.sha256(named.encode(errors="surrogateescape")).hexdigest()[:DIGEST]
    return f"{short[: PLAN_ID_LENGTH - DIGEST - 1].strip('_') or 'plan'}-{digest}"


def plan_id_in(data_dir: Path, plan: str) -> str:
    """Returns a plan's default id in a data directory, where each id belongs to one file.

    A plan that an earlier version has run there under an id without a digest keeps that id. Raises ConfigurationError
    when the id belongs to another file that still exists.
    """
    plan_id = plan_id_of(plan)
    earlier = "" if plan == STDIN else _with_what_may_be_in_ids(_named(plan))[:PLAN_ID_LENGTH]
    if earlier != plan_id and (data_dir / earlier / PLAN_JSON).exists() and _is_free(data_dir, earlier, plan):
        plan_id = earlier
    # guard: an id is one file's -> if False:
    if plan_id and not _is_free(data_dir, plan_id, plan):
        raise ConfigurationError(
            f"expected an id of its own for {plan}, but {plan_id} is that of {_file_of(data_dir, plan_id)}: "
            "name one with --plan-id"
        )
    return plan_id


def remember_file(data_dir: Path, plan_id: str, plan: str) -> None:
    """Notes that a plan id belongs to this file. Raises ConfigurationError when the data directory is read-only."""
    if plan == STDIN or not plan_id:
        return
    try:
        write_atomically(data_dir / PLAN_FILES / plan_id, os.fsencode(Path(plan).resolve()), durable=False)
    except OSError as error:
        raise ConfigurationError(f"expected a data directory that can be written, but got {error}") from error


def _named(plan: str) -> str:
    path = Path(plan).absolute()
    named = path.parent.name if path.name == PLAN_JSON else path.stem.removesuffix(".plan")
    return unicodedata.normalize("NFC", named)  # some systems keep é as two characters


def _with_what_may_be_in_ids(named: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", named)


def _is_free(data_dir: Path, plan_id: str, plan: str) -> bool:
    """Tells whether an id belongs to this file, or to no file that still exists: it may have been moved here."""
    known = _file_of(data_dir, plan_id)
    return known is None or known == Path(plan).resolve() or not known.exists()


def _file_of(data_dir: Path, plan_id: str) -> Path | None:
    known = read_note(data_dir / PLAN_FILES / plan_id)
    return Path(os.fsdecode(known)) if known else None


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
        """The finding as a line, for example "warning own-ancestor at tasks[3].dependencies[0]: ..."."""
        said = not self.path or self.message.startswith(self.path)
        place = "" if said else f" at {self.path}"
        return f"{self.severity} {self.code}{place}: {self.message}"


def finding_from_proto(diagnostic: plan_pb2.Diagnostic) -> Finding:
    from signoff.display.wire_names import severity_name

    return Finding(
        code=diagnostic.code,
        severity=severity_name(diagnostic.severity),
        task_ids=tuple(diagnostic.task_ids),
        message=diagnostic.message,
        path=diagnostic.path,
    )


def show_findings(output: CommandOutput, findings: Sequence[Finding], *, at_most: int = sys.maxsize) -> None:
    """Prints findings on standard error, one a line: every error, and at most so many warnings."""
    errors = [finding for finding in findings if finding.severity == "error"]
    warnings = [finding for finding in findings if finding.severity != "error"]
    for finding in [*errors, *warnings[:at_most]]:
        output.note(finding.sentence)
    if len(warnings) > at_most:
        output.note(f"and {len(warnings) - at_most} more warnings: `signoff compile` shows them all")
