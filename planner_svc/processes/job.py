"""A compile as a job: it takes a plan in a file, and makes diagnostics and the plan's files, beside their places.

Jobs and answers are lines of JSON between the service (pool.py) and the process that compiles (child.py). Plans,
diagnostics and maps may have a GiB, so they are in files and never in those lines. The work is in carrying_out.py: the
service starts without the compiler.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileJob:
    """A plan to compile."""

    infer: bool
    cpu_seconds: int  #: CPU that the job may take before its process is ended
    folder: str = ""  #: the folder of all plans; empty: the plan is only checked
    plan_id: str = ""  #: a folder's name; empty: the plan is only checked
    token: str = ""  #: of the staged files


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileAnswer:
    """The outcome of a job."""

    refused: str = ""  #: the first error, when the plan has errors and was to be stored
    too_large: str = ""  #: why it could not be compiled here
    storage: str = ""  #: the error of the disk
    bug: str = ""  #: a traceback
    diagnostics: int = 0
    tasks: int = 0
    stages: int = 0
    memory_bytes: int = 0  #: the most that the process has had since it began


def job_to_line(job: CompileJob) -> bytes:
    return json.dumps(asdict(job)).encode() + b"\n"


def job_from_line(line: bytes) -> CompileJob:
    return CompileJob(**json.loads(line))


def answer_to_line(answer: CompileAnswer) -> bytes:
    return json.dumps(asdict(answer)).encode() + b"\n"


def answer_from_line(line: bytes) -> CompileAnswer:
    return CompileAnswer(**json.loads(line))


def default_plan_id(digest: str) -> str:
    """Returns the id of a plan whose client gave none, made from the SHA-256 of plan.json in hex."""
    return f"plan-{digest[:12]}"
