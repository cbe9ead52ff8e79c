"""One set of real services for all tests of the door that leave them standing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import door


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[door.Services]:
    with door.services(tmp_path_factory.mktemp("services")) as found:
        yield found


@pytest.fixture(scope="session")
def finished(services: door.Services) -> str:
    """Returns the id of an execution that has succeeded."""
    execution_id = services.started()
    services.ended(execution_id)
    return execution_id


@pytest.fixture(scope="session")
def protected(services: door.Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Returns the address of a door that needs a token, under a prefix, for a host of another name."""
    flags = ("--prefix", "/signoff", "--allow-host", "signoff.example")
    env = {"SIGNOFF_UI_TOKEN": TOKEN}
    with door.door(services, tmp_path_factory.mktemp("door"), *flags, env=env) as address:
        yield address


TOKEN = "a-token-that-is-hard-to-guess"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("folder")
