"""The connected workers, as clients are shown them."""

from __future__ import annotations

import asyncio

from runner_svc.codec.times import timestamp
from runner_svc.core.roster import Roster
from runner_svc.core.terms import usual_abilities
from runner_svc.core.values import Role
from runner_svc.services.hub import Hub
from signoff.v1 import runner_pb2, worker_pb2

WORKERS_A_TURN = 500  # of the loop, in 10 ms


def _handlers(hello: worker_pb2.Hello) -> list[str]:
    """What it named, or else what every worker of its role does."""
    return list(hello.handlers) or sorted(usual_abilities(Role(hello.role)).handlers)


async def workers_to_proto(roster: Roster, hub: Hub) -> list[runner_pb2.Worker]:
    """Sorted by role, then name; those that may still come back after the connected ones of no known role."""
    workers = []
    for number, session in enumerate(list(hub.sessions.values()), start=1):
        if not number % WORKERS_A_TURN:
            await asyncio.sleep(0)
        known = roster.sessions.get(session.id)
        workers.append(
            runner_pb2.Worker(
                name=session.hello.name,
                role=session.hello.role,
                slots=session.hello.slots,
                leases=len(known.leases) if known else 0,
                labels=dict(session.hello.labels),
                connected=True,
                draining=session.draining,
                connected_at=timestamp(session.connected_at),
                version=session.hello.version,
                models=session.hello.models,
                handlers=_handlers(session.hello),
            )
        )
    for name, (_, leases) in roster.absent.items():
        workers.append(runner_pb2.Worker(name=name, leases=len(leases), connected=False))
    return sorted(workers, key=lambda worker: (not worker.connected, worker.role, worker.name))
