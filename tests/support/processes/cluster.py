"""The whole system as real processes: a planner, a runner, five executors and three validators.

    async with Cluster(Shape(folder=tmp_path)) as cluster:
        watched = await cluster.start(plan)
        await cluster["runner"].kill()
        await cluster["runner"].start()
        await cluster.ended()
        await cluster.check()

One more executor and validator live in this process, over the same sockets: they record which results the runner
acknowledges. Every execution is watched from its first event on.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runner_svc.core.decide.turn import State
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.v1 import execution_pb2
from tests.support import journal_checks
from tests.support.servers.proxy import Proxy
from tests.support.servers.recording_workers import recording_workers
from tests.support.servers.service import LOOK_AGAIN, PATIENCE, Service, until
from tests.support.values.plans import Plan, random_plan
from tests.support.watched_execution import WITHIN, WatchedExecution

PING, GRACE = 0.4, 3.0  # seconds; three missed pings, and the grace, scaled down for tests
QUICK = ("--ping-interval", str(PING), "--resume-grace", str(GRACE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The parts of a cluster, and their settings."""

    folder: Path
    executors: int = 5
    validators: int = 3
    slots: int = 2  #: of each worker
    model: str = "mock:delay=0.05"  #: an executor's answer takes six of these, a judgement three
    runner_flags: tuple[str, ...] = QUICK
    runner_wrapper: tuple[str, ...] = ()
    worker_flags: tuple[str, ...] = ()
    store: str = ""  #: a postgresql:// address; empty: SQLite
    store_lease: float = 2.0  #: seconds
    proxied: bool = False  #: workers reach the runner through a proxy, each through one of its own
    recorded: bool = True  #: with the two recording workers in this process


class Cluster:
    """A cluster that starts on entry, and leaves no process behind."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.watched: list[WatchedExecution] = []
        self.acknowledged: set[str] = set()  #: leases whose results the runner acknowledged
        self.proxies: dict[str, Proxy] = {}
        self._plans: dict[str, Plan] = {}
        self._services: dict[str, Service] = {}
        self._stack = AsyncExitStack()

    def __getitem__(self, name: str) -> Service:
        return self._services[name]

    @property
    def workers(self) -> list[str]:
        """Returns the names of the worker processes."""
        return [name for name in self._services if name.startswith(("executor", "validator"))]

    # ------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self._stop)
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _stop(self) -> None:
        for service in self._services.values():
            if service.process is not None:
                await service.kill()
                if service.process.stdin is not None:
                    service.process.stdin.close()

    async def _start(self) -> None:
        planner = self._add("planner", "planner_svc", ("--data-dir", str(self.data)), listens=True)
        await planner.start()
        runner = self._add("runner", "runner_svc", self._runner_flags(planner.address), listens=True)
        runner.wrapper = self.shape.runner_wrapper
        if self.shape.store:
            lease = str(self.shape.store_lease)
            runner.variables = {"SIGNOFF_RUNNER_STORE": self.shape.store, "SIGNOFF_RUNNER_STORE_LEASE": lease}
        await runner.start()
        patience = timedelta(seconds=60)
        client = Client(planner=planner.address, runner=runner.address, patience=patience)
        self.client = await self._stack.enter_async_context(client)
        self._stack.push_async_callback(self._stop_watching)
        for role, count in (("executor", self.shape.executors), ("validator", self.shape.validators)):
            for number in range(1, count + 1):
                await self._add_worker(f"{role}-{number}", role)
        if self.shape.recorded:
            workers = recording_workers(runner.address, self.shape.model, self.acknowledged)
            await self._stack.enter_async_context(workers)
        await self.connected()

    @property
    def data(self) -> Path:
        return self.shape.folder / "db"

    @property
    def runner_data(self) -> Path:
        """Returns the data directory as the runner sees it: it may have file systems of its own."""
        return Path(f"/proc/{self['runner'].pid}/root{self.data}")

    def _runner_flags(self, planner: str) -> tuple[str, ...]:
        return ("--data-dir", str(self.data), "--planner", planner, *self.shape.runner_flags)

    def _add(self, name: str, module: str, flags: tuple[str, ...], *, listens: bool = False) -> Service:
        self._services[name] = Service(name=name, module=module, flags=flags, folder=self.shape.folder, listens=listens)
        return self._services[name]

    async def _add_worker(self, name: str, role: str) -> None:
        address = self["runner"].address
        if self.shape.proxied:
            self.proxies[name] = await self._stack.enter_async_context(Proxy(address))
            address = self.proxies[name].address
        flags = ("--role", role, "--name", name, "--runner", address, "--slots", str(self.shape.slots))
        model = ("--model", self.shape.model)
        await self._add(name, "worker_svc", (*flags, *model, *self.shape.worker_flags)).start()

    async def connected(self, within: float = 2 * PATIENCE) -> None:
        """Waits until every worker process that is up has a session."""
        wanted = {name for name in self.workers if self[name].is_up}
        async with asyncio.timeout(within):
            while not wanted <= await self._names_of_sessions():  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(LOOK_AGAIN)

    async def _names_of_sessions(self) -> set[str]:
        return {worker.name for worker in await self.client.workers() if worker.connected}

    async def heal(self) -> None:
        """Ends all faults: starts, thaws and connects everything again."""
        for proxy in self.proxies.values():
            proxy.recover()
        for service in self._services.values():
            if service.is_up:
                service.thaw()
            else:
                await service.start()
        await self.connected()

    # ------------------------------------------------------------ executions

    async def start(self, plan: Plan, **settings: Any) -> WatchedExecution:
        """Starts an execution of a plan, and watches it from its first event on."""
        if plan.plan_id not in self._plans:
            compiled = await self.client.compile_plan(plan.body, plan_id=plan.plan_id)
            assert compiled.ok, compiled.diagnostics
            await self.client.set_layout(plan.plan_id)
            self._plans[plan.plan_id] = plan
        execution = await self.client.start(plan.plan_id, execution_pb2.ExecutionSettings(**settings))
        watched = WatchedExecution(execution.execution_id)
        watched.watching = asyncio.create_task(watched.watch(self.client))
        self.watched.append(watched)
        return watched

    async def busy(self, name: str, executions: int = 6) -> list[WatchedExecution]:
        """Starts executions that keep all workers busy for some seconds; their plans follow from the name."""
        chance = random.Random(name)
        return [await self.start(random_plan(chance, f"{name}-{number}")) for number in range(executions)]

    async def _stop_watching(self) -> None:
        tasks = [watched.watching for watched in self.watched if watched.watching is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ended(self, within: float = 2 * WITHIN) -> None:
        """Waits until every execution has ended. Raises a watcher's error."""
        tasks = [watched.watching for watched in self.watched if watched.watching is not None]
        done, pending = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        stuck = [watched for watched in self.watched if watched.watching in pending]
        assert not stuck, f"{len(stuck)} executions have not ended: {await self._why(stuck[0])}"

    async def _why(self, watched: WatchedExecution) -> str:
        """Returns what an execution that has not ended waits for, and how many events its watcher has received."""
        ref = by_execution(watched.execution_id)
        tasks = await self.client.tasks(ref, unfinished=True)
        waiting = [f"{task.task_id}: {task.waiting.message}" for task in tasks]
        state = await self.client.get(ref)
        received = f"the watcher has received {len(watched.events)} of {state.sequence} events"
        return "; ".join([f"{state.plan_id} is in state {state.state}", received, *waiting])

    async def given(self, worker: str) -> str:
        """Returns the next lease of a worker as soon as it is given out."""
        seen = {watched.execution_id: len(watched.events) for watched in self.watched}

        def new() -> list[str]:
            fresh = [event for one in self.watched for event in one.events[seen.get(one.execution_id, 0) :]]
            given = [event.task_assigned for event in fresh if event.WhichOneof("kind") == "task_assigned"]
            return [part.lease_id for part in given if part.worker == worker]

        await until(lambda: bool(new()), f"{worker} is given a lease")
        return new()[-1]

    async def ends_well(self, within: float = WITHIN) -> State:
        """Waits for the end of everything, and checks the journal."""
        await self.ended(within)
        return await self.check()

    async def check(self) -> State:
        """Checks the journal; all executions must have ended."""
        journal = await self._journal()
        received = {watched.execution_id: watched.events for watched in self.watched}
        assert set(received) == {row.journal for row in journal.rows if row.journal}
        return journal_checks.check(journal, self._plans, received=received, acknowledged=self.acknowledged)

    async def _journal(self) -> journal_checks.Journal:
        """Reads the journal as it is now; with SQLite, as a crash would leave it."""
        if self.shape.store:
            return await journal_checks.postgres_journal(self.shape.store)
        taken = self.shape.folder / "taken"
        shutil.rmtree(taken, ignore_errors=True)
        self["runner"].freeze()
        try:
            shutil.copytree(self.runner_data / ".signoff", taken, ignore=shutil.ignore_patterns("*-shm"))
        finally:
            self["runner"].thaw()
        return await asyncio.to_thread(journal_checks.sqlite_journal, taken / "journal.db")
