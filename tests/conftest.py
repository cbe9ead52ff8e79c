"""Rules of all tests: nothing leaves this machine, long tests run only when asked for, Ctrl-C can be sent.

Where Python is told to keep no bytecode, the processes under test keep theirs in a temporary folder: there are hundreds
of them, and each would compile all of the product anew.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support import draws
from tests.support.servers.loopback import loopback_only

# A busy machine must not fail a test, and every run must try the same.
hypothesis.settings.register_profile("signoff", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("signoff")


_NO_BYTECODE, _BYTECODE = "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"


def pytest_configure(config: pytest.Config) -> None:
    """Ctrl-C reaches the processes under test also when the tests run in a shell's background, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--long"):
        draws.try_all()
    if os.environ.pop(_NO_BYTECODE, ""):
        os.environ[_BYTECODE] = tempfile.mkdtemp(prefix="signoff-bytecode-")
        config.add_cleanup(_forget_bytecode)


def _forget_bytecode() -> None:
    shutil.rmtree(os.environ.pop(_BYTECODE), ignore_errors=True)
    os.environ[_NO_BYTECODE] = "1"


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    with loopback_only():
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="Run the tests that take minutes too.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names bytes by their number: processes that share the tests may have made them at different times."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None
