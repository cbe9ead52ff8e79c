"""All endpoints of the API in one table: routing and the OpenAPI document are made from it."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.web.api import (
    aliases,
    commands,
    contents,
    events,
    executions,
    files,
    plans,
    prompts,
    results,
    services,
    session,
    tasks,
)
from signoff.web.wire.calls import Endpoint

ENDPOINTS: Sequence[Endpoint] = (
    *plans.ENDPOINTS,
    *executions.ENDPOINTS,
    *commands.ENDPOINTS,
    *contents.ENDPOINTS,
    *results.ENDPOINTS,
    *tasks.ENDPOINTS,
    *files.ENDPOINTS,
    *prompts.ENDPOINTS,
    *events.ENDPOINTS,
    *services.ENDPOINTS,
    *session.ENDPOINTS,
    *aliases.ENDPOINTS,
)
