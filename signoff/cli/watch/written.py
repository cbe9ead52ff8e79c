"""Waits until the runner has written results as files for people: it does so a moment after they are signed off."""

from __future__ import annotations

import asyncio

from signoff.cli.show.amounts import counted
from signoff.client.client import Client
from signoff.client.values import Ref

SHOWN = "`signoff artifact` shows what is signed off"
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5  # seconds between two looks: each is half as long again as the one before
STANDS_STILL = 30.0  # seconds without one more file on the disk, after which nothing is waited for


async def until_written(client: Client, ref: Ref) -> str:
    """Returns once the files of an execution's results are on the disk of its runner.

    Returns what is not there, as a sentence: files that could not be written, or that do not come; empty for none.
    """
    pending, pause, waited = -1, FIRST_PAUSE, 0.0
    # guard: a command ends when the results are written ->
    #     while (written := await client.output_files(ref)) is not None and False:
    while (written := await client.output_files(ref)) is not None and written.pending:
        waited = 0.0 if written.pending != pending else waited + pause
        if waited > STANDS_STILL:
            break
        pending = written.pending
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    if written is not None and written.pending:
        return f"the runner has not written {counted(written.pending, 'result')} as output.json: {SHOWN}"
    if written is not None and written.failed:
        return (
            f"the runner could not write {counted(written.failed, 'result')} as output.json, its log says why: {SHOWN}"
        )
    return ""
