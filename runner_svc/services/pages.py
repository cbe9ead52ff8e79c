"""Pages of long lists. A token says where the next page begins; a page may be shorter than its requested size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from runner_svc.codec.views import overview_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.model.values import ExecutionId
from signoff.bounds import bounds_of
from signoff.errors import InvalidField
from signoff.rpc.frames import AnyMessage, runs
from signoff.v1 import runner_pb2

EXECUTIONS_A_PAGE, MOST_EXECUTIONS = 100, int(bounds_of(runner_pb2.ListExecutionsRequest, "page_size").max)
SHOWN_A_TURN, LOOKED_AT_A_TURN = 300, 5_000  # executions in one turn of the loop, which takes 15 ms


def page_size(asked: int, default: int, most: int) -> int:
    return min(asked or default, most)


def page_start(token: str) -> int:
    """Reads a token. Raises InvalidField for one that no page returned."""
    if token and not (token.isascii() and token.isdigit() and len(token) < 12):
        raise InvalidField("page_token", "the token of the previous page", repr(token[:40]))
    return int(token or 0)


def fitting(messages: Iterable[AnyMessage]) -> Sequence[AnyMessage]:
    """Returns the first messages, as many as fit one answer."""
    # guard: pages are bounded -> return messages
    return next(runs(messages), ())


def executions_page(state: State, request: runner_pb2.ListExecutionsRequest) -> runner_pb2.ListExecutionsResponse:
    """Returns the requested executions, the newest first. A token is the number of executions that are older."""
    size = min(SHOWN_A_TURN, page_size(request.page_size, EXECUTIONS_A_PAGE, MOST_EXECUTIONS))
    older = page_start(request.page_token) if request.page_token else None
    found = list[tuple[int, ExecutionId]]()
    rest = 0  # executions that are older than all that were looked at
    for looked_at, (number, known) in enumerate(state.newest_first(older), start=1):
        rest = number
        if _is_asked_for(state, known, request):
            found.append((number, known))
        if len(found) == size or looked_at == LOOKED_AT_A_TURN:
            break
    executions = fitting(overview_to_proto(state.overview(known)) for _, known in found)
    if len(executions) < len(found):
        rest = found[len(executions) - 1][0]
    return runner_pb2.ListExecutionsResponse(executions=executions, next_page_token=str(rest) if rest else "")


def _is_asked_for(state: State, known: ExecutionId, request: runner_pb2.ListExecutionsRequest) -> bool:
    seen = state.glance(known)
    if request.plan_id not in ("", seen.plan_id) or (request.states and int(seen.state) not in request.states):
        return False
    if request.HasField("created_after") and seen.created_at < _unix(request.created_after):
        return False
    return not request.HasField("created_before") or seen.created_at < _unix(request.created_before)


def _unix(at: Timestamp) -> float:
    """Returns the seconds of any timestamp. Protobuf's own conversion refuses years that no calendar has."""
    return at.seconds + at.nanos / 1e9
