"""The connected workers, as clients are shown them."""

from __future__ import annotations

import asyncio

from runner_svc.codec.times import timestamp
from runner_svc.core.fleet.roster import Roster
from runner_svc.core.model.requirements import usual_abilities
from runner_svc.core.model.values import Role
from runner_svc.services.hub import Hub
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.rpc.frames import MESSAGE_HEADER, runs
from signoff.v1 import runner_pb2, worker_pb2

MOST_BYTES = MAX_FRAME_BYTES * 3 // 4  # of all workers: what canaries say of them is in the same message
MOST_NAMES = 3  # of a worker's models and handlers, when all are told in short
WORKERS_A_TURN = 500  # of the loop, in 10 ms


def _handlers(hello: worker_pb2.Hello) -> list[str]:
    """What it named, or else what every worker of its role does."""
    return list(hello.handlers) or sorted(usual_abilities(Role(hello.role)).handlers)


async def workers_to_proto(roster: Roster, hub: Hub) -> list[runner_pb2.Worker]:
    """Sorted by role, then name; those that may still come back after the connected ones of no known role.

    They fit one message, whatever the workers have said of themselves.
    """
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
                draining=session.is_leaving,
                connected_at=timestamp(session.connected_at),
                version=session.hello.version,
                models=session.hello.models,
                handlers=_handlers(session.hello),
            )
        )
    workers.extend(
        runner_pb2.Worker(name=name, leases=len(roster.held_by(name)), connected=False) for name in roster.absent
    )
    return _fitting(sorted(workers, key=lambda worker: (not worker.connected, worker.role, worker.name)))


def _fitting(workers: list[runner_pb2.Worker]) -> list[runner_pb2.Worker]:
    """When they are too much for one message, all are told in short; and as many as fit then."""
    if sum(worker.ByteSize() + MESSAGE_HEADER for worker in workers) <= MOST_BYTES:
        return workers
    for worker in workers:
        worker.ClearField("labels")
        del worker.models[MOST_NAMES:], worker.handlers[MOST_NAMES:]
    return next(runs(workers, MOST_BYTES), [])
