"""Guards of the worker against the code of its users."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard(
        name="functions never run on the worker's own loop",
        file="worker_svc/functions/places.py",
        code="outcome = await self._place_of(callee).run(callee, job, line)",
        without="outcome = await callee.awaited(job, line) if callee.function.is_async else callee.called(job, line)",
        fault="a function blocks",
    ),
    Guard(
        name="a cancelled call keeps its seat",
        file="worker_svc/functions/thread_place.py",
        code="            line.cancel()\n            raise\n",
        without="            line.cancel()\n            self._seats.leave(callee.name)\n            raise\n",
        fault="functions do not heed a cancellation",
    ),
    Guard(
        name="a process is killed with all it has started",
        file="worker_svc/functions/process_place.py",
        code="        os.killpg(child.pid, signal.SIGKILL)",
        without="        child.kill()",
        fault="a function that started programs is cancelled",
    ),
    Guard(
        name="forks leave gRPC alone",
        file="worker_svc/__init__.py",
        code='os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")',
        without='os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "1"',
        fault="a process is started while the stream is busy",
    ),
)
