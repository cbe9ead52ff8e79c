"""ListWorkers: the connected workers, and those that may come back, as messages."""

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

MOST_BYTES = MAX_FRAME_BYTES * 3 // 4  # of all workers: the tallies of canaries are in the same message
MOST_NAMES = 3  # of a worker's models and handlers, in the short form
WORKERS_A_TURN = 500  # of the loop, in 10 ms


def _handlers(hello: worker_pb2.Hello) -> list[str]:
    """Returns the handlers that a worker named, or else those of every worker of its role."""
    return list(hello.handlers) or sorted(usual_abilities(Role(hello.role)).handlers)


async def workers_to_proto(roster: Roster, hub: Hub) -> list[runner_pb2.Worker]:
    """Returns the workers, sorted by role and name, as many as fit one message.

    Workers that may still come back stand at the end; their roles are not known.
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
    """Returns all workers when they fit one message; else, in a short form, as many as fit."""
    if sum(worker.ByteSize() + MESSAGE_HEADER for worker in workers) <= MOST_BYTES:
        return workers
    for worker in workers:
        worker.ClearField("labels")
        del worker.models[MOST_NAMES:], worker.handlers[MOST_NAMES:]
    return next(runs(workers, MOST_BYTES), [])
