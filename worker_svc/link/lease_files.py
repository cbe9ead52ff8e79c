"""The ways of one lease's contents: inputs and their files come, and the files of its candidate go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from signoff.rpc.addresses import Route
from signoff.rpc.channel import Connect, connect
from signoff.v1 import worker_pb2
from worker_svc.link.codec import Fetch
from worker_svc.link.input_files import FetchFiles, files_fetcher
from worker_svc.link.inputs import fetcher
from worker_svc.link.patience import Patience, Pauses
from worker_svc.link.uploads import Uploads


@dataclass(frozen=True, slots=True)
class LeaseFiles:
    """Fetches and brings the contents of one lease."""

    fetch_input: Fetch  #: that is too large for an assignment
    fetch_files: FetchFiles  #: of an input, or of a candidate
    uploads: Uploads


#: Makes the ways of an assignment: of the addresses of all runners, one of which serves.
FilesOf: TypeAlias = Callable[[Sequence[str], worker_pb2.Assign], LeaseFiles]


def files_of(
    addresses: Sequence[str], assign: worker_pb2.Assign, *, connect: Connect = connect, pauses: Pauses | None = None
) -> LeaseFiles:
    """Makes the ways of an assignment. The work outlives its stream, so they may end at another runner."""

    def route() -> Route:
        return Route(",".join(addresses), connect)

    return LeaseFiles(
        fetcher(route(), assign, pauses),
        files_fetcher(route(), assign, pauses),
        Uploads(route(), assign.lease_id, Patience(pauses)),
    )
