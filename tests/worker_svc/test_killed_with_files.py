"""A worker that is killed while it brings files: the next one leaves nothing of it behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from signoff.v1 import runner_pb2
from tests.support.processes.commands import ROOT
from tests.support.servers.scripted_files import ScriptedFiles
from tests.support.servers.scripted_runner import ScriptedRunner, assign
from tests.support.work.programs import WITHIN
from worker_svc.files.scratch import PREFIX

WRITES = "[open(f'outputs/{n}.bin', 'wb').write(bytes([n]) * 300_000) for n in range(20)]"


async def worker_of(runner: ScriptedRunner, folder: Path) -> Process:
    command = (sys.executable, "-P", "-m", "worker_svc", "--role", "executor", "--runner", runner.address)
    env = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(
        *command, "--allow-commands", "--slots", "1", "--grace", "0", env=env, stdout=PIPE, stderr=PIPE
    )


def left_in(folder: Path) -> list[Path]:
    return list(folder.glob(f"{PREFIX}*"))


@pytest.mark.long
async def test_what_a_killed_worker_leaves_is_removed_by_the_next_one(tmp_path: Path) -> None:
    message = assign("L1")
    message.assign.task.executor.command.argv.extend(["python", "-c", WRITES])
    message.assign.task.output.files.append("*.bin")
    async with ScriptedRunner() as runner:
        runner.files = files = _Held()
        first = await worker_of(runner, tmp_path)
        await runner.welcomed(message)
        await asyncio.wait_for(files.begun.wait(), WITHIN)
        (folder,) = left_in(tmp_path)
        first.send_signal(signal.SIGKILL)
        await first.communicate()
        files.goes_on.set()
        assert left_in(tmp_path) == [folder]
        second = await worker_of(runner, tmp_path)
        stream = await runner.welcomed(message)
        while (said := await stream.next()).WhichOneof("kind") != "candidate":
            assert said.WhichOneof("kind") in {"accepted", "progress"}
        assert len(files.kept) == 20
        assert folder not in left_in(tmp_path)
        second.terminate()
        await second.communicate()
    assert left_in(tmp_path) == []


class _Held(ScriptedFiles):
    """Holds the first upload in its middle."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def received(
        self, messages: AsyncIterator[runner_pb2.UploadFilesRequest], context: grpc.aio.ServicerContext[Any, Any]
    ) -> runner_pb2.UploadFilesResponse:
        async def held() -> AsyncIterator[runner_pb2.UploadFilesRequest]:
            async for message in messages:
                yield message
                if len(self.uploads[-1]) == 3:
                    self.begun.set()
                    await self.goes_on.wait()

        return await super().received(held(), context)
