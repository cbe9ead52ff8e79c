"""A process of its own for checks that may never end.

Patterns and schemas come from plans, and a pattern such as `(a+)+$` can keep Python's `re`, and with it every thread
of the process, busy for hours. So those checks run in a child that is killed when it takes too long. The child keeps
Python's own `re`, which is what a plan is promised; a regex engine with a time limit would be another dialect, and
would leave the JSON Schema keywords (`pattern`, `uniqueItems`, recursive `$ref`) without a limit.

The child is started when first needed, answers one request at a time, and lives until it is killed or closed. Both
directions carry frames: four bytes of length, then the bytes. The child greets with an empty frame. A request names the
kind of the check, which is answered with an empty frame when its imports are done; then come the Check and the
candidate, a frame each, and the answer is the CriterionResult. So the time limit is for the check alone.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta
from typing import BinaryIO

from signoff.v1 import execution_pb2, plan_pb2
from worker_svc import checks

TIME_LIMIT = timedelta(seconds=5)  # an honest check takes milliseconds
START_LIMIT = timedelta(seconds=30)  # for an interpreter and its imports on a machine with much to do
ALONE_LIMIT = 60  # seconds a child without a parent may go on with a check


class CheckProcess:
    """Runs checks with a time limit; a check that passes it is OUTCOME_ERROR. Cancelling a call kills the child."""

    def __init__(self, time_limit: timedelta = TIME_LIMIT) -> None:
        self._time_limit = time_limit
        self._one_at_a_time = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None

    async def check_result(self, check: plan_pb2.Check, content: bytes) -> execution_pb2.CriterionResult:
        """As checks.check_result, but bounded in time."""
        async with self._one_at_a_time:
            try:
                # asyncio.timeout and not wait_for, which loses a cancellation that comes together with the result
                async with asyncio.timeout(START_LIMIT.total_seconds()):
                    child = await self._ready_child()
                    await _prepare(child, check.WhichOneof("kind") or "")
                async with asyncio.timeout(self._time_limit.total_seconds()):
                    return await _ask(child, check.SerializeToString(), content)
            except TimeoutError:
                await self._kill()
                return checks.broken(
                    check, f"not decided within {self._time_limit.total_seconds():g} s: it was given up"
                )
            except (OSError, asyncio.IncompleteReadError) as error:
                await self._kill()
                return checks.broken(check, f"the process that runs checks ended: {error}")
            except asyncio.CancelledError:
                await self._kill()
                raise

    async def close(self) -> None:
        await self._kill()

    async def _ready_child(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            pipe = asyncio.subprocess.PIPE
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", __name__, stdin=pipe, stdout=pipe, start_new_session=True
            )
            await _read_frame(self._stdout(self._child))
        return self._child

    async def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.returncode is None:
            child.kill()
        await child.communicate(b"")  # reaps it and closes the pipes

    @staticmethod
    def _stdout(child: asyncio.subprocess.Process) -> asyncio.StreamReader:
        assert child.stdout is not None
        return child.stdout


async def _prepare(child: asyncio.subprocess.Process, kind: str) -> None:
    """Returns when the child is ready for a check of this kind."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(_frame(kind.encode()))
    await _read_frame(child.stdout)


async def _ask(child: asyncio.subprocess.Process, check: bytes, content: bytes) -> execution_pb2.CriterionResult:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.writelines([_frame(check), _frame(content)])
    await child.stdin.drain()
    return execution_pb2.CriterionResult.FromString(await _read_frame(child.stdout))


async def _read_frame(stream: asyncio.StreamReader) -> bytes:
    return await stream.readexactly(int.from_bytes(await stream.readexactly(4)))


def _frame(content: bytes) -> bytes:
    return len(content).to_bytes(4) + content


# ---------------------------------------------------------------- the child


def answer_requests(requests: BinaryIO, answers: BinaryIO) -> None:
    """The child's life: greets, then answers until its parent is gone."""
    _write(answers, b"")
    while (kind := _read(requests)) is not None:
        signal.alarm(ALONE_LIMIT)  # ends the child by itself: a parent that was killed cannot
        checks.prepare(kind.decode())
        _write(answers, b"")
        check, content = _read(requests), _read(requests)
        if check is None or content is None:
            return
        result = checks.check_result(plan_pb2.Check.FromString(check), content)
        signal.alarm(0)
        _write(answers, result.SerializeToString())


def _read(stream: BinaryIO) -> bytes | None:
    length = stream.read(4)
    return stream.read(int.from_bytes(length)) if len(length) == 4 else None


def _write(stream: BinaryIO, content: bytes) -> None:
    stream.write(_frame(content))
    stream.flush()


if __name__ == "__main__":
    answer_requests(sys.stdin.buffer, sys.stdout.buffer)
