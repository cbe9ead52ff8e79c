"""Fixtures of the system tests: a real PostgreSQL, and whole systems of real processes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.processes.cluster import Cluster, Shape
from tests.support.servers.postgres import dsn, own_dsn, own_server, server_dsn

__all__ = ["dsn", "own_dsn", "own_server", "server_dsn"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Starts a system for all tests of a module: the start takes seconds."""
    async with Cluster(Shape(folder=tmp_path_factory.mktemp("cluster"), proxied=True)) as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(shared: Cluster) -> Cluster:
    """Returns the shared system, without faults of the test before."""
    await shared.heal()
    return shared
