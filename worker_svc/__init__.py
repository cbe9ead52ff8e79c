"""The worker: takes assignments from the runner, executes or validates, and reports."""

import os

# Before gRPC is imported. Its fork handlers crash, before they begin, about one in twenty of the processes that uvloop
# starts while a stream is busy; nobody here forks without starting another program.
# guard: forks leave gRPC alone -> os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "1"
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
