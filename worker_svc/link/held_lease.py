"""A lease and the work under it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from signoff.v1 import worker_pb2
from worker_svc.assignment import Result
from worker_svc.link.lease_files import LeaseFiles
from worker_svc.link.lease_report import LeaseReport


@dataclass(slots=True)
class HeldLease:
    """A lease and the work under it."""

    assign: worker_pb2.Assign
    files: LeaseFiles
    report: LeaseReport
    came_at: float  #: on the event loop's clock
    confirmed: bool = True  #: on this stream, by Assign or Keep; until then its result stays here
    task: asyncio.Task[None] | None = None  #: None: the work waits for a slot
    result: Result | None = None

    @property
    def lease_id(self) -> str:
        return self.assign.lease_id
