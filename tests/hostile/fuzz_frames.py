"""`python -m tests.hostile.fuzz_frames`: workers and clients that know the grammar talk to a runner, mostly well.

--inputs 100000      how many frames, requests and uploads
--seed 1             which ones

Each drawn worker says Hello, is welcomed, is given work, and answers it with frames and files that are good, odd,
damaged, or about the work of others; drawn clients send requests and streams of every kind. None of them may cause a
bug, end the runner, keep honest workers from finishing an execution, break a page that people look at, change or keep a
file that they may not, or leave a journal that opens to another state. The seed decides what is drawn. The answers of
the runner, and so the known leases, also depend on the moment.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sqlite3
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import structlog
from google.protobuf.duration_pb2 import Duration

from runner_svc.core.decide.turn import State
from runner_svc.core.fleet import rests
from runner_svc.core.fleet.timings import StreamTimings
from runner_svc.engine import Engine
from runner_svc.leftovers import Leftovers
from runner_svc.objects.folder import FolderObjects
from runner_svc.publish.feed import Feed
from runner_svc.publish.metrics import figures_of, page_of
from runner_svc.services.hub import Hub
from runner_svc.store.sqlite import SqliteStore
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2
from tests.hostile.drawn_client import DrawnClient, read_back
from tests.hostile.drawn_files import ODD_PATHS, DrawnFiles
from tests.hostile.drawn_messages import Drawer, Known
from tests.hostile.drawn_worker import DrawnWorker
from tests.hostile.honest_workers import HONEST_FILES, finished
from tests.hostile.outcomes import PATIENCE, Counts, Failed
from tests.support.servers.runner import PlannerOfTexts, Running, running

ROUNDS_A_LOOK = 50
TELL_EVERY = 10_000
UNFINISHED = 12  # executions: with fewer, another one is started
JOURNAL, OBJECTS = "journal.db", "objects"
FILES = plan_pb2.TaskSpec(output=plan_pb2.TaskOutput(files=["*"]))
CANARIES = plan_pb2.Validation(canaries=[plan_pb2.Canary(candidate="x", good=True)])
PLANS = PlannerOfTexts(
    {"canary": plan_pb2.TaskSpec(validation=CANARIES), "h": FILES, "f": FILES, "f1": FILES, "f2": FILES},
    work="a[p]; b[q](p) <- a; g/c(p, q) <- b; g/canary; d <- g; f[r]; e(r) <- f",
    files="f1[x]; f2[y](x) <- f1; e2(x, y) <- f2",
    wide="; ".join(f"t{n}" for n in range(12)),
    honest="h[p]; i(p) <- h",
)
PATIENT = execution_pb2.ExecutionSettings(
    max_failures=20, max_rollbacks=20, max_judge_errors=20, max_losses=20, retry_base=Duration(nanos=1_000_000)
)


class Snapshot(NamedTuple):
    """The state of an execution, for a comparison."""

    sequence: int
    state: int
    counts: tuple[int, ...]  #: of tasks by their status


class Fuzz:
    """Drawn peers of one runner, and the checks in between. `folder`: of its journal and its objects."""

    def __init__(self, runner: Running, seed: int, folder: Path) -> None:
        self.counts = Counts()
        self.story = deque[str](maxlen=60)  #: the last frames, as hex, and requests
        self._runner = runner
        self._folder = folder
        self._known = Known(
            {
                "plan_id": ["work", "wide", "files", "honest", "unknown"],
                "task_id": ["a", "b", "c", "canary", "d", "g", "t1", "f", "f1", "f2", "h", "h"],
                "name": ["p", "q"],
                "path": [*HONEST_FILES, *ODD_PATHS[:5]],
            }
        )
        self._chance = random.Random(f"{seed} frames")
        self._drawer = Drawer(self._chance, self._known)
        self._files = DrawnFiles(self._drawer)
        self._client = DrawnClient(runner, self._drawer, self._files, self.counts, self.story)

    async def run(self, inputs: int) -> AsyncIterator[Counts]:
        """Goes on until so many messages were sent. Yields the counts now and then."""
        told = 0
        await self.look()  # and so there are files to ask for
        while self.counts.inputs < inputs:
            for _ in range(ROUNDS_A_LOOK):
                await self._round()
                if self.counts.inputs >= inputs:
                    break
            await self.look()
            if self.counts.inputs - told >= TELL_EVERY:
                told = self.counts.inputs
                yield self.counts

    async def _round(self) -> None:
        await self._start_more()
        workers = [self._worker() for _ in range(self._chance.randint(1, 3))]
        await asyncio.gather(*(worker.work() for worker in workers), self._client.ask())

    async def _start_more(self) -> None:
        listed = await self._runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_size=UNFINISHED))
        unfinished = [one for one in listed.executions if one.state == execution_pb2.EXECUTION_STATE_RUNNING]
        if len(unfinished) < UNFINISHED:
            plan = self._chance.choice(("work", "wide", "files"))
            request = runner_pb2.StartExecutionRequest(plan_id=plan, settings=PATIENT)
            started = await self._runner.stub.StartExecution(request)
            self._known.add("execution_id", started.execution.execution_id, most=UNFINISHED)

    def _worker(self) -> DrawnWorker:
        return DrawnWorker(self._runner.channel, self._drawer, self._files, self.counts, self.story)

    # ------------------------------------------------------------ what must hold

    async def look(self) -> None:
        """Reads everything that people may look at, and has honest workers finish an execution."""
        ids = [one.execution_id for one in await self._listed() if not one.HasField("pruned_at")]
        await self._runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())
        for execution_id in self._chance.sample(ids, min(5, len(ids))):
            ref = runner_pb2.ExecutionRef(execution_id=execution_id)
            every = runner_pb2.TASK_SELECTION_ALL
            await self._runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=every))
            async for _ in self._runner.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref)):
                pass
            async for _ in self._runner.stub.WatchExecution(
                runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0)
            ):
                pass
        page = page_of(await self._runner.engine.ask(figures_of), {})
        if b"signoff" not in page.body:
            raise Failed(f"expected the figures of the runner, but got {page.body[:200]!r}")
        ref = await finished(self._runner, "honest")
        self._known.add("execution_id", ref.execution_id, most=UNFINISHED)
        self._client.with_files = [*self._client.with_files[-2:], ref.execution_id]
        await self._look_at_files(ref)
        self.counts.looks += 1

    async def _look_at_files(self, ref: runner_pb2.ExecutionRef) -> None:
        """Checks that leftovers go, and nothing else, once the uploads that were left have ended."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while stray := await self._strays():
            if asyncio.get_running_loop().time() > deadline:
                raise Failed(f"expected nothing without a living lease, an event or a row, but there is {stray}")
            await asyncio.sleep(0.05)
        self.counts.read += await read_back(self._runner, ref, "h", HONEST_FILES)

    async def _strays(self) -> set[str]:
        """Removes leftovers. Returns leases that have ended and still have some, and objects without a row."""
        await Leftovers(self._runner.engine, kept_for=-1).remove()
        leases = await self._runner.engine.ask(lambda state: {*state.roster.leases})
        return (_staged(self._folder) - leases) | (_objects(self._folder) - _rows(self._folder))

    async def _listed(self) -> list[execution_pb2.Execution]:
        found, token = list[execution_pb2.Execution](), ""
        while True:
            answer = await self._runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_token=token))
            found += answer.executions
            if not (token := answer.next_page_token):
                return found


async def fuzz(inputs: int, seed: int, folder: Path) -> Counts:
    """Sends so many frames, requests and uploads to a runner. Raises Failed, with the last messages in its notes."""
    errors = list[Any]()
    with _errors_into(errors):
        store, objects = SqliteStore(folder / JOURNAL), FolderObjects(folder / OBJECTS)
        await objects.open()
        timings = StreamTimings(accept_deadline=2.0, resume_grace=0.5)
        async with (
            _short_rests(),
            running(
                PLANS, folder / "db", store=store, objects=objects, timings=timings, checkpoint_every=500
            ) as runner,
        ):
            one = Fuzz(runner, seed, folder)
            try:
                async for counts in one.run(inputs):
                    _say(f"seed {seed}: {counts}")
                    _check(errors)
                _check(errors)
            except Failed as failed:
                for sent in one.story:
                    failed.add_note(sent)
                raise
            before = await runner.engine.ask(_snapshots)
        if left := [*(folder / OBJECTS / "incoming").iterdir()]:
            raise Failed(f"expected no half objects, but there are {len(left)}")
        _compare(before, *await _reopened(folder))
        _check(errors)
    return one.counts


@contextlib.asynccontextmanager
async def _short_rests() -> AsyncIterator[None]:
    """Has workers that give much back, as drawn ones do, wait no longer than a moment for new work."""
    with mock.patch.multiple(rests, FIRST_REST=0.001, LONGEST_REST=0.002):
        yield


def _compare(before: dict[str, Snapshot], after: dict[str, Snapshot], archived: set[str]) -> None:
    """Checks that the state before the end is the state afterwards, unless something more happened by the end."""
    for name, told in before.items():
        again = after.get(name)
        if again is None and name in archived:
            continue
        if again is None or (again.sequence <= told.sequence and again != told):
            raise Failed(f"expected the journal of {name} to open to {told}, but it opened to {again}")


def _staged(folder: Path) -> set[str]:
    """Returns the leases for which contents are kept that no event names."""
    return _column(folder, "SELECT DISTINCT lease FROM staged")


def _rows(folder: Path) -> set[str]:
    return _column(folder, "SELECT digest FROM content WHERE object_size IS NOT NULL")


def _objects(folder: Path) -> set[str]:
    return {file.name for file in (folder / OBJECTS).glob("??/*")}


def _column(folder: Path, query: str) -> set[str]:
    with contextlib.closing(sqlite3.connect(f"file:{folder / JOURNAL}?mode=ro", uri=True)) as db:
        return {row[0] for row in db.execute(query)}


def _check(errors: list[Any]) -> None:
    if errors:
        raise Failed(f"expected no error in the log, but there is {errors[0]}")


@contextlib.contextmanager
def _errors_into(errors: list[Any]) -> Iterator[None]:
    """Collects the logged errors, and drops the rest: every refused stream is logged."""

    def collect(_: Any, __: str, event: Any) -> Any:
        if "exc_info" in event:
            event["story"] = traceback.format_exception(event["exc_info"])
        errors.append(event)
        raise structlog.DropEvent

    def drop(_: Any, method: str, event: Any) -> Any:
        if method not in ("error", "exception", "critical"):
            raise structlog.DropEvent
        return event

    processors = structlog.get_config()["processors"]
    before = processors.copy()
    processors[:] = [drop, collect]  # in place, as structlog's own capture_logs: loggers keep the list
    try:
        yield
    finally:
        processors[:] = before


def _snapshots(state: State) -> dict[str, Snapshot]:
    """Returns the state of every execution."""
    if state.quarantined:
        raise Failed(f"expected no execution in quarantine, but there is {next(iter(state.quarantined))}")
    return {
        name: Snapshot(execution.sequence, execution.state, tuple(execution.counts))
        for name, execution in state.executions.items()
    }


async def _reopened(folder: Path) -> tuple[dict[str, Snapshot], set[str]]:
    """Returns the state that the journal opens to, and the executions that are read only when a client asks."""
    store = SqliteStore(folder / JOURNAL)
    feed = Feed()
    engine = Engine(store, performer=Hub(feed), feed=feed)
    try:
        await engine.open()
        return _snapshots(engine._machine.state), {str(name) for name in engine._machine.state.archived}
    finally:
        await store.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile.fuzz_frames",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = asyncio.run(fuzz(arguments.inputs, arguments.seed, Path(folder)))
    _say(f"seed {arguments.seed}: {counts}")
    _say("\n".join(f"{count:9,} of {kind}" for kind, count in counts.kinds.most_common()))
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
