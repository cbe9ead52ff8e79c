"""The table of peers: the driver, the environment and the workloads of each. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.shapes import SHAPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An engine, and one way to use it."""

    environment: str  #: name of its virtual environment
    module: str
    flags: tuple[str, ...] = ()
    shapes: frozenset[str] = frozenset(SHAPES)
    most_tasks: int = 10_000  #: more would only prove that it takes minutes
    program: str = ""  #: something it also needs on the PATH


#: By environment, what pip installs.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "airflow": ("apache-airflow",),
    "autogen": ("autogen-core", "autogen-ext[grpc]"),
    "celery": ("celery[redis]",),
    "dask": ("distributed",),
    "dbos": ("dbos",),
    "langgraph": ("langgraph", "langgraph-checkpoint-sqlite"),
    "luigi": ("luigi",),
    "prefect": ("prefect", "fastapi<0.150"),  # Prefect 3.8.8 does not import with FastAPI 0.165
    "ray": ("ray",),
}

PEERS: Mapping[str, Peer] = {
    "asyncio": Peer(environment="", module="benchmarks.peers.asyncio_loop"),
    "langgraph-memory": Peer(
        environment="langgraph", module="benchmarks.peers.langgraph", flags=("--checkpoint", "none")
    ),
    "langgraph-sqlite": Peer(environment="langgraph", module="benchmarks.peers.langgraph"),
    "autogen-grpc": Peer(environment="autogen", module="benchmarks.peers.autogen"),
    "dask": Peer(environment="dask", module="benchmarks.peers.dask"),
    "ray": Peer(environment="ray", module="benchmarks.peers.ray"),
    "celery-redis": Peer(environment="celery", module="benchmarks.peers.celery", program="redis-server"),
    "dbos-sqlite": Peer(environment="dbos", module="benchmarks.peers.dbos", most_tasks=1000),
    "luigi": Peer(environment="luigi", module="benchmarks.peers.luigi", most_tasks=1000),
    "prefect": Peer(environment="prefect", module="benchmarks.peers.prefect", most_tasks=1000),
    "airflow-dagtest": Peer(environment="airflow", module="benchmarks.peers.airflow", most_tasks=200),
}
