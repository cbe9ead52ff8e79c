"""The forks of a service that starts programs: gRPC has no part in them."""

from __future__ import annotations

import os


def leave_grpc_out_of_forks() -> None:
    """Turns off gRPC's fork handlers. A package calls it in its `__init__`, before anything imports gRPC.

    The handlers crash about one in twenty of the processes that uvloop starts while a stream is busy. They are for
    forks that go on as they are: every fork of the services starts another program. A person's own setting stays.
    """
    # guard: forks leave gRPC alone -> os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "1"
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
