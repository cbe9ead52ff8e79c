"""Several commands on one data directory: the first starts the services, the others use them and may outlive it.

The command that starts the services holds a lock, which the kernel releases however the process dies. It writes to a
file where the services listen and what their workers offer. The other commands use the services and wait for the lock.
The one that gets it starts services of its own at the same addresses, so that all clients find them again.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from signoff.errors import ConfigurationError, SignoffError
from signoff.files.data_directory import SERVICES_LOCK, SERVICES_RECORD
from signoff.files.notes import read_note
from signoff.files.writing import write_atomically
from signoff.local.child import ServiceDied
from signoff.local.services import LocalServices, LocalSettings, Say

LOOK_AGAIN = 0.1  # seconds; a lock sends no event
START_WITHIN = 60.0  # seconds for another command to say where its services listen
LEAVE_WITHIN = 30.0  # seconds for the services of a command that died to end: they drain first


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesRecord:
    """The addresses of a data directory's services, and what the workers started with them can do."""

    planner: str
    runner: str
    pid: int  #: of the command that started them
    offer: Mapping[str, str]  #: empty: it started no workers


def offer_of(settings: LocalSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the settings that decide what workers can do: commands with the same settings may share workers."""
    if not (settings.executors or settings.validators):
        return {}
    model = settings.model or environment.get("SIGNOFF_MODEL", "")
    models = str(settings.models or environment.get("SIGNOFF_MODELS", ""))
    return {
        "--model": model,
        "--judge-model": settings.judge_model or model,
        "--models": str(Path(models).absolute()) if models else "",
        "OPENAI_BASE_URL": environment.get("OPENAI_BASE_URL", ""),
        "--app": ",".join(settings.apps) + (f" in {Path.cwd()}" if settings.apps else ""),
        "--allow-commands": "yes" if settings.allow_commands else "no",
        "--prices": str(settings.prices.absolute()) if settings.prices else "",
        "--limits": str(settings.limits.absolute()) if settings.limits else "",
    }


class ServicesLock:
    """The lock on the services of a data directory, and the record of the command that holds it."""

    def __init__(self, data_dir: Path) -> None:
        self._path, self._record = data_dir / SERVICES_LOCK, data_dir / SERVICES_RECORD
        self._file: int | None = None

    def take(self) -> bool:
        """Takes the lock unless another command has it. Raises ConfigurationError when it cannot write there."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ConfigurationError(f"expected a data directory that can be written, but got {error}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def read_record(self) -> ServicesRecord | None:
        """Returns the record of the lock's last holder; None when there is none that can be read."""
        try:
            return ServicesRecord(**json.loads(read_note(self._record) or b""))
        except (ValueError, TypeError):
            return None

    def write_record(self, record: ServicesRecord) -> None:
        write_atomically(self._record, json.dumps(asdict(record)).encode(), durable=False)

    def release(self) -> None:
        """Removes the record, and releases the lock."""
        if self._file is None:
            return
        self._record.unlink(missing_ok=True)
        os.close(self._file)
        self._file = None


@dataclass(slots=True)
class SharedServices:
    """The services of a data directory: those that run already, or else new ones, which are drained on exit.

    `say` tells a person whose services are used, and what happens to them. With `exclusive`, raises ConfigurationError
    when services run already.
    """

    settings: LocalSettings
    say: Say
    exclusive: bool = False
    planner_address: str = ""
    runner_address: str = ""
    _lock: ServicesLock = field(init=False)
    _own: LocalServices | None = None
    _ended: asyncio.Future[SignoffError] = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = ServicesLock(self.settings.data_dir)

    @property
    def are_ours(self) -> bool:
        """Tells whether this command has started them."""
        return self._own is not None

    async def __aenter__(self) -> Self:
        self._ended = asyncio.get_running_loop().create_future()
        try:
            if await self._locked_or_found():
                await self._start()
            else:
                self._tasks.append(asyncio.create_task(self._take_over()))
        except BaseException:
            self._lock.release()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            if self._own is not None:
                await self._own.stop()
        finally:
            self._lock.release()

    async def lost(self) -> SignoffError:
        """Waits until the services are lost for good, and returns the error. Cancel it when the work is over."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """Ends every service of ours at once. Nothing that was acknowledged is lost."""
        if self._own is not None:
            self._own.kill()

    # ------------------------------------------------------------ whose they are

    async def _locked_or_found(self) -> bool:
        """Returns True when this command has the lock and must start services; False when it uses another's."""
        deadline = asyncio.get_running_loop().time() + START_WITHIN
        while not self._lock.take():
            found = self._lock.read_record()
            if found is not None and self.exclusive:
                raise ConfigurationError(
                    f"expected {self.settings.data_dir} to be free, but the services of another command (pid "
                    f"{found.pid}) work there: `signoff submit --planner {found.planner} --runner "
                    f"{found.runner} PLAN` uses them; or choose another --data-dir"
                )
            if found is not None and _is_alive(found.pid):
                self._use(found)
                return False
            if asyncio.get_running_loop().time() > deadline:
                raise ConfigurationError(
                    f"expected {self.settings.data_dir} to be free, or to have services, but another command holds "
                    f"it and has not said within {START_WITHIN:.0f} s where they listen"
                )
            await asyncio.sleep(LOOK_AGAIN)
        return True

    def _use(self, found: ServicesRecord) -> None:
        """Uses another command's services. Raises ConfigurationError when their workers have other settings."""
        ours = offer_of(self.settings, os.environ)
        differing = [name for name, value in ours.items() if found.offer and found.offer.get(name, "") != value]
        # guard: a plan is not given to workers of another kind -> if False:
        if differing:
            theirs, wanted = (
                ", ".join(f"{name} {offer.get(name) or 'none'}" for name in differing) for offer in (found.offer, ours)
            )
            raise ConfigurationError(
                f"expected the workers that every plan in {self.settings.data_dir} shares while the command with pid "
                f"{found.pid} runs ({theirs}), but got {wanted}: wait for its end, or choose another --data-dir"
            )
        self.planner_address, self.runner_address = found.planner, found.runner
        self.say(f"using the services of the command (pid {found.pid}) that runs in {self.settings.data_dir}")

    # ------------------------------------------------------------ ours

    async def _start(self) -> None:
        """Starts services, at the known addresses if any. Tries again while the services of a dead command end."""
        deadline = asyncio.get_running_loop().time() + LEAVE_WITHIN
        others_are_ending = self._lock.read_record() is not None
        while True:
            self._own = own = LocalServices(self._settings(), self.say)
            try:
                await own.__aenter__()
                break
            except (ConfigurationError, ServiceDied):
                self._own = None
                if not others_are_ending or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(5 * LOOK_AGAIN)
        self.planner_address, self.runner_address = own.planner_address, own.runner_address
        offer = offer_of(self.settings, os.environ)
        self._lock.write_record(
            ServicesRecord(planner=own.planner_address, runner=own.runner_address, pid=os.getpid(), offer=offer)
        )
        self._tasks.append(asyncio.create_task(self._watch_over(own)))

    def _settings(self) -> LocalSettings:
        # guard (2 lines): services are taken over at their addresses -> return self.settings
        if not self.runner_address:
            return self.settings
        return replace(self.settings, planner_address=self.planner_address, runner_address=self.runner_address)

    async def _watch_over(self, own: LocalServices) -> None:
        self._end(await own.lost())

    async def _take_over(self) -> None:
        """Waits until the command that started the services ends, and starts our own in their place."""
        while not self._lock.take():  # noqa: ASYNC110 - another process has it
            await asyncio.sleep(LOOK_AGAIN)
        self.say("the command that had started the services has ended: starting services here")
        try:
            await self._start()
        except SignoffError as error:
            self._end(error)

    def _end(self, story: SignoffError) -> None:
        if not self._ended.done():
            self._ended.set_result(story)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True
