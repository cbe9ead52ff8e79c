"""Waits until the runner has written results as files for people: it does so a moment after they are signed off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from signoff.cli.show.amounts import counted
from signoff.client.client import Client
from signoff.client.values import Ref

SHOWN = "`signoff artifact` shows what is signed off"
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5  # seconds between two looks: each is half as long again as the one before
SILENT_FOR = 2.0  # seconds, after which a person is told
STANDS_STILL = 30.0  # seconds without one more file on the disk, after which nothing is waited for


async def until_written(client: Client, ref: Ref, say: Callable[[str], None]) -> None:
    """Returns once the files of an execution's results are on the disk of its runner.

    `say` is told what is waited for, after a while, and in the end what is not there: files that could not be written,
    or that do not come.
    """
    begun = progress_at = time.monotonic()
    pending, pause, is_told = 0, FIRST_PAUSE, False
    # guard: a command ends when the results are written ->
    #     while (written := await client.output_files(ref)) is not None and False:
    while (written := await client.output_files(ref)) is not None and written.pending:
        now = time.monotonic()
        if written.pending != pending:
            pending, progress_at = written.pending, now
        if now - progress_at > STANDS_STILL:
            break
        if not is_told and now - begun > SILENT_FOR:
            is_told = True
            say(f"the runner is still to write {counted(pending, 'result')} as output.json")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    if written is not None and written.pending:
        say(f"the runner has not written {counted(written.pending, 'result')} as output.json: {SHOWN}")
    elif written is not None and written.failed:
        say(f"the runner could not write {counted(written.failed, 'result')} as output.json, its log says why: {SHOWN}")
