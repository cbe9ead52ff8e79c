"""Stored data, laid out for a test. A PostgreSQL server starts when the first test asks for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stored.opened import DATABASES, HEALTHY, WITH_FILES, Laid, Stored
from tests.support.servers.postgres import dsn, own_dsn, own_server, server_dsn

__all__ = ["dsn", "own_dsn", "own_server", "server_dsn"]


@pytest.fixture(params=[*HEALTHY, *DATABASES])
def laid(request: pytest.FixtureRequest, tmp_path: Path) -> Laid:
    """Lays out the healthy data of each version, in each kind of store."""
    return _laid(request, tmp_path)


@pytest.fixture(params=WITH_FILES)
def with_files(request: pytest.FixtureRequest, tmp_path: Path) -> Laid:
    """Lays out the healthy data of each version that knew results of files, in each kind of store."""
    return _laid(request, tmp_path)


def _laid(request: pytest.FixtureRequest, folder: Path) -> Laid:
    stored: Stored = request.param
    return Laid(stored, folder / "db", request.getfixturevalue("dsn") if stored.is_database else "")
