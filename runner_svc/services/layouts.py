"""GetLayout: the layout of a plan that was set, or of the map that an execution runs, part by part from the store."""

from __future__ import annotations

from collections.abc import AsyncIterator

from runner_svc.core.decide.turn import State
from runner_svc.core.model.map import map_key
from runner_svc.store.port import Store
from signoff.errors import InvalidField, LayoutNotFound, NoLayout
from signoff.v1 import plan_pb2, runner_pb2


def _tags(*fields: int) -> frozenset[bytes]:
    """Returns the first bytes of kinds of parts: a part on the wire begins with the tag of its only field."""
    return frozenset(bytes([number << 3 | 2]) for number in fields)


_LAYOUT = _tags(plan_pb2.MapPart.HEADER_FIELD_NUMBER, plan_pb2.MapPart.LAYOUT_FIELD_NUMBER)
_TASKS = _tags(plan_pb2.MapPart.GROUPS_FIELD_NUMBER, plan_pb2.MapPart.TASKS_FIELD_NUMBER)


def layout_key(state: State, request: runner_pb2.GetLayoutRequest) -> str:
    """Returns the key of the requested map. Raises LayoutNotFound, or ExecutionNotFound."""
    if request.HasField("execution"):
        by_id = request.execution.WhichOneof("ref") == "execution_id"
        known = state.overview(request.execution.execution_id if by_id else state.latest_of(request.execution.plan_id))
        # guard: an execution keeps its map -> return state.layout_key(known.plan_id)
        return map_key(known.plan_id, known.map_digest)
    try:
        return state.layout_key(request.plan_id)
    except NoLayout as none:
        raise LayoutNotFound(str(none)) from None


def check_request(request: runner_pb2.GetLayoutRequest) -> None:
    """Raises InvalidField for a request that names no map, or two."""
    if not request.HasField("execution"):
        return
    if request.execution.WhichOneof("ref") is None:
        raise InvalidField("execution", "an execution_id or a plan_id", "neither")
    if request.plan_id:
        raise InvalidField("execution", "a plan_id or an execution", "both")


async def layout_parts(store: Store, key: str, *, tasks: bool) -> AsyncIterator[bytes]:
    """Yields the answers, serialized: header and layout, and `tasks` with their groups. One part is in memory.

    Raises LayoutNotFound when the store has lost the map.
    """
    shown = _LAYOUT | _TASKS if tasks else _LAYOUT
    found = await store.map_part(key, -1)
    if found is None:
        raise LayoutNotFound(f"expected the map {key} in the store, but it is not there")
    while found is not None:
        number, body = found
        if body[:1] in shown:
            yield runner_pb2.GetLayoutResponse(part=plan_pb2.MapPart.FromString(body)).SerializeToString()
        found = await store.map_part(key, number)
