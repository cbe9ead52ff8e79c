"""The orders that `signoff top` gives a runner, and the questions it asks it. Each returns a sentence for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from signoff.cli.remote.ask import describe_progress
from signoff.cli.remote.candidate import CandidateComparison, describe_state, header, look
from signoff.cli.remote.result_files import HEADINGS, file_lines
from signoff.cli.show.output import aligned
from signoff.client.client import Client
from signoff.client.values import Ref
from signoff.display.differences import text_of
from signoff.display.visible_text import one_line
from signoff.display.waiting import describe_waiting
from signoff.errors import WrongState
from signoff.v1 import execution_pb2 as pb

BY = "stopped in signoff top"


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders about one execution, which stays the same while a person makes up their mind."""

    client: Client
    ref: Ref
    plan_id: str

    async def pause_or_resume(self, state: int) -> str:
        """Pauses what runs, and resumes all else."""
        if state == pb.EXECUTION_STATE_RUNNING:
            return _told(await self.client.pause(self.ref, "paused in signoff top"))
        warnings: list[str] = []
        resumed = await self.client.resume(self.ref, warnings.append)
        return "; ".join([_told(resumed), *warnings])

    async def stop(self) -> str:
        return _told(await self.client.stop(self.ref, BY))

    async def retry(self, task_id: str) -> str:
        await self.client.retry(self.ref, task_id)
        return f"{task_id} and everything downstream of it are done again"

    async def why(self, task_id: str) -> str:
        """Returns why a task is not finished, and why its earlier attempts did not count."""
        task = await self.client.task(self.ref, task_id)
        return "\n".join([describe_waiting(task), *(f"    {line}" for line in task.earlier_failures)])

    async def candidate(self, task_id: str) -> CandidateComparison:
        """Returns the candidate that waits for a verdict, or the last one that was made."""
        return await look(self.client, self.ref, task_id, 0, compare=True)

    async def judge(self, found: CandidateComparison, *, passes: bool, reason: str, person: str) -> str:
        """Gives a verdict on just the candidate that was shown, by its digest and attempt."""
        seen = found.candidate.info
        task_id = seen.artifact.task_id
        # guard: a verdict in top is on what was shown -> seen = None
        await self.client.judge(self.ref, task_id, passes=passes, reason=reason, person=person, seen=seen)
        return f"{task_id} was {'signed off' if passes else 'rejected'} as {person or 'a person'}"


def require_waiting(found: CandidateComparison) -> None:
    """Raises WrongState unless the candidate waits for a person's verdict."""
    info = found.candidate.info
    if info.state != pb.CANDIDATE_STATE_WAITS_FOR_PERSON:
        of = f"the candidate of attempt {info.artifact.attempt} of {info.artifact.task_id}"
        raise WrongState(f"expected one that waits for a person's verdict, but {of} is not: {describe_state(info)}")


def candidate_text(plan_id: str, found: CandidateComparison) -> str:
    """Returns what is known of a candidate, all of it, and the difference to the one before."""
    parts = [*header(plan_id, found.candidate.info), "----- the candidate", *_content(found)]
    if found.before is not None:
        before = found.before.info
        parts += [f"----- the difference to attempt {before.artifact.attempt}, {describe_state(before)}"]
        parts += [found.difference]
    return "\n".join(parts)


def _content(found: CandidateComparison) -> Iterator[str]:
    """Yields the text of a candidate; of one with files their names, and the text of the main one."""
    if found.files is None:
        text = text_of(found.candidate.content)
        yield text if text is not None else "it is no text: `signoff candidate` with -o FILE writes it"
        return
    rows = [[one_line(cell) for cell in row] for row in file_lines(found.files)]
    yield aligned(HEADINGS, rows).rstrip("\n")
    yield "`signoff candidate` with --file PATH prints one of them, with -o FOLDER it writes all"
    main = text_of(found.main) if found.main is not None else None
    if main is not None:
        yield from (f"----- the main file, {one_line(found.files.main)}", main)


def _told(after: pb.Execution) -> str:
    return f"{after.plan_id} {describe_progress(after)}"
