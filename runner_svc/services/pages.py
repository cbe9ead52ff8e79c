"""Pages of long lists. A token says where the next page begins; a page may be shorter than its requested size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from runner_svc.codec.views import overview_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.model.values import ExecutionId
from runner_svc.listings import listed_of, searched
from runner_svc.store.port import ListingQuery
from signoff.bounds import bounds_of
from signoff.errors import InvalidField
from signoff.rpc.frames import AnyMessage, runs
from signoff.v1 import runner_pb2

EXECUTIONS_A_PAGE, MOST_EXECUTIONS = 100, int(bounds_of(runner_pb2.ListExecutionsRequest, "page_size").max)
SHOWN_A_TURN = 300  # executions in one turn of the loop, which takes 15 ms
_UNKNOWN_NEED = 30  # the bit of needs that this version does not know


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


def listing_query(state: State, request: runner_pb2.ListExecutionsRequest) -> ListingQuery:
    """Returns the question to the store's index. Quarantined executions are besides: the index does not know."""
    return ListingQuery(
        older=page_start(request.page_token) if request.page_token else None,
        limit=min(SHOWN_A_TURN, page_size(request.page_size, EXECUTIONS_A_PAGE, MOST_EXECUTIONS)),
        plan_id=request.plan_id,
        states=[*request.states],
        needs=_needs(request),
        created_from=_unix(request.created_after) if request.HasField("created_after") else None,
        created_before=_unix(request.created_before) if request.HasField("created_before") else None,
        text=searched(request.text),
        besides=[*state.quarantined, *state.readmitted],
    )


def executions_page(
    state: State,
    request: runner_pb2.ListExecutionsRequest,
    query: ListingQuery,
    rows: Sequence[tuple[int, str]],
) -> runner_pb2.ListExecutionsResponse:
    """Returns the executions of some rows of the index, the newest first. A token is the number of the last one.

    The index is asked first, and the state afterwards: what is no longer asked for by then is left out.
    """
    found = [(number, known) for number, known in rows if _is_asked_for(state, ExecutionId(known), query)]
    executions = fitting(overview_to_proto(state.overview(known)) for _, known in found)
    more = rows[-1][0] if len(rows) == query.limit else 0
    if len(executions) < len(found):
        more = found[len(executions) - 1][0]
    return runner_pb2.ListExecutionsResponse(executions=executions, next_page_token=str(more) if more > 1 else "")


def _needs(request: runner_pb2.ListExecutionsRequest) -> int:
    """Returns the bits of the needs that are asked for. One that this version lacks is none's: it finds nothing."""
    # guard: no need is negative -> bits = {min(need, _UNKNOWN_NEED) for need in request.awaiting if need}
    bits = {need if 0 < need < _UNKNOWN_NEED else _UNKNOWN_NEED for need in request.awaiting if need}
    return sum(1 << bit for bit in bits)


def _is_asked_for(state: State, known: ExecutionId, query: ListingQuery) -> bool:
    seen = state.glance(known)
    if seen is None or query.plan_id not in ("", seen.plan_id):
        return False
    if (query.states and int(seen.state) not in query.states) or (query.needs and not seen.needs & query.needs):
        return False
    if query.created_from is not None and seen.created_at < query.created_from:
        return False
    if query.created_before is not None and seen.created_at >= query.created_before:
        return False
    return known not in state.quarantined or query.text in listed_of(state.quarantined[known]).text


def _unix(at: Timestamp) -> float:
    """Returns the seconds of any timestamp. Protobuf's own conversion refuses years that no calendar has."""
    return at.seconds + at.nanos / 1e9
