"""States of executions and tasks as clients see them on the wire: at rest, unfinished, waiting for something.

The runner's core has states of its own, with the same names; runner_svc.core.model.states says what moves them.
"""

from __future__ import annotations

from signoff.v1 import execution_pb2 as pb

#: Nothing happens until a command comes. Watches end there.
AT_REST = frozenset(
    {
        pb.EXECUTION_STATE_SUCCEEDED,
        pb.EXECUTION_STATE_FAILED,
        pb.EXECUTION_STATE_STOPPED,
        pb.EXECUTION_STATE_QUARANTINED,
    }
)

#: A resume goes on with the execution, so that running its plan again starts no new one.
UNFINISHED = frozenset(
    {
        pb.EXECUTION_STATE_READY,
        pb.EXECUTION_STATE_RUNNING,
        pb.EXECUTION_STATE_PAUSED,
        pb.EXECUTION_STATE_STOPPED,
        pb.EXECUTION_STATE_QUARANTINED,
    }
)


def is_at_rest(state: int) -> bool:
    """Tells whether nothing more happens in this state by itself."""
    return state in AT_REST
