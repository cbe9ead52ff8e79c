"""Makes a candidate of the files that a program or a function has written."""

from __future__ import annotations

from pathlib import Path

from worker_svc.assignment import Assignment, Report
from worker_svc.files.aside import aside
from worker_svc.files.collecting import collected


async def manifest_of_outputs(folder: Path, assignment: Assignment, report: Report) -> bytes:
    """Returns the manifest of the files below a folder that the task's patterns match, once the runner keeps them.

    Raises FilesRefused, OSError and LeaseEnded, as Report.files does.
    """
    patterns, limit = tuple(assignment.task.output.files), report.files_limit
    found = await aside(lambda tick: collected(folder, patterns, limit, tick), lambda: report.tokens(0))
    return await report.files(folder, found.paths, found.main)
