"""The ways of one lease's files: those of its inputs come, and those of its candidate go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signoff.v1 import worker_pb2
from worker_svc.link.input_files import FetchFiles, files_fetcher
from worker_svc.link.uploads import Uploads


@dataclass(frozen=True, slots=True)
class LeaseFiles:
    """Fetches and brings the files of one lease."""

    fetch: FetchFiles
    uploads: Uploads


def files_of(address: str, addresses: Sequence[str], assign: worker_pb2.Assign) -> LeaseFiles:
    """Returns the ways of an assignment's files.

    `address`: of the runner that has sent it; `addresses`: of all runners, for the upload may end at another one.
    """
    return LeaseFiles(files_fetcher(address, assign), Uploads(",".join(addresses), assign.lease_id))
