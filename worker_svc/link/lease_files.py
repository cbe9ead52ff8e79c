"""The ways of one lease's contents: inputs and their files come, and the files of its candidate go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from signoff.rpc.addresses import Route
from signoff.rpc.channel import Connect, connect
from signoff.v1 import worker_pb2
from worker_svc.link.codec import Fetch
from worker_svc.link.input_files import FetchFiles, files_fetcher
from worker_svc.link.inputs import fetcher
from worker_svc.link.patience import Patience, Pauses
from worker_svc.link.uploads import Uploads


class LeaseFiles:
    """Fetches and brings the contents of one lease. Most leases have none, so each way is made when it is taken.

    The work outlives its stream, so a way may end at another runner than the one that has sent the assignment.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        assign: worker_pb2.Assign,
        *,
        connect: Connect = connect,
        pauses: Pauses | None = None,
    ) -> None:
        """`addresses`: of all runners, one of which serves."""
        self._addresses = addresses
        self._assign = assign
        self._connect = connect
        self._pauses = pauses

    def inputs(self) -> Fetch:
        """Returns the way of inputs that are too large for an assignment."""
        return fetcher(self._route(), self._assign, self._pauses)

    def files(self) -> FetchFiles:
        """Returns the way of files: of inputs, or of a candidate."""
        return files_fetcher(self._route(), self._assign, self._pauses)

    def uploads(self) -> Uploads:
        """Returns the way of the files that the work makes."""
        return Uploads(self._route(), self._assign.lease_id, Patience(self._pauses))

    def _route(self) -> Route:
        return Route(",".join(self._addresses), self._connect)


#: Makes the ways of an assignment, as LeaseFiles does.
FilesOf: TypeAlias = Callable[[Sequence[str], worker_pb2.Assign], LeaseFiles]
