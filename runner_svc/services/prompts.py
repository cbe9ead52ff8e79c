"""ListPrompts and GetPrompt: the prompts that a task's models were asked with, read from the journal.

A prompt to a judge is shown once the judge has answered or broken. Until then it stays hidden, because it may be about
a canary, which watchers cannot tell from the candidate before the verdict.
"""

from __future__ import annotations

from collections import deque

from runner_svc.services.task_journal import JournalOfTask, events_of
from runner_svc.store.port import Store
from signoff.errors import PromptNotFound
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2

MOST_PROMPTS = 1_000  # that an answer names: 150 KiB

#: Events that tell the answer of a validator under a lease.
_ANSWERS = ("verdict_passed", "verdict_failed", "person_asked", "judge_failed", "canary_judged")


async def prompts_of(
    store: Store, journal: JournalOfTask, *, attempt: int = 0, phase: pb.Phase.ValueType = pb.PHASE_UNSPECIFIED
) -> list[runner_pb2.PromptInfo]:
    """Returns the prompts that are shown: of an attempt, or of all, and of a phase, or of both."""
    prompts = Prompts()
    async for event in events_of(store, journal):
        prompts.take(event)
    wanted = (info for info in prompts.shown if attempt in (0, info.attempt) and phase in (0, info.phase))
    return [*deque(wanted, maxlen=MOST_PROMPTS)]


async def find_prompt(store: Store, journal: JournalOfTask, digest: str) -> runner_pb2.PromptInfo:
    """Returns the last prompt of a digest that is shown. Raises PromptNotFound."""
    prompts = Prompts()
    async for event in events_of(store, journal):
        prompts.take(event)
    found = [info for info in prompts.shown if info.digest == digest]
    if not found:
        raise PromptNotFound(_not_found(journal.task_id, digest, len(prompts.shown)))
    return found[-1]


def _not_found(task_id: str, digest: str, count: int) -> str:
    known = f"ListPrompts tells of {count:,}" if count else "there is none yet"
    return f"expected the digest of a prompt of {task_id}, but got {digest}: {known}"


class Prompts:
    """The fold of a task's events into the prompts that are shown, each once for an attempt and a phase."""

    def __init__(self) -> None:
        self.shown: list[runner_pb2.PromptInfo] = []
        self._worker: dict[str, str] = {}  # by lease
        self._held_back: dict[str, list[runner_pb2.PromptInfo]] = {}  # by lease: prompts to judges
        self._known = set[tuple[int, int, str, int]]()

    def take(self, event: pb.Event) -> None:
        kind = event.WhichOneof("kind") or ""
        if kind == "task_assigned":
            self._worker = {event.task_assigned.lease_id: event.task_assigned.worker}
        elif kind == "prompt_kept":
            self._kept(event)
        elif kind in _ANSWERS:
            self._answered(getattr(event, kind).lease_id, event.canary_judged.canary)

    def _kept(self, event: pb.Event) -> None:
        kept = event.prompt_kept
        info = runner_pb2.PromptInfo(
            attempt=kept.attempt,
            phase=kept.phase,
            digest=kept.digest,
            size_bytes=kept.size_bytes,
            at=event.at,
            worker=self._worker.get(kept.lease_id, ""),
        )
        # guard: prompts to judges are read after the verdict -> if False:
        if kept.phase == pb.PHASE_VALIDATE:
            self._held_back.setdefault(kept.lease_id, []).append(info)
        else:
            self._show(info)

    def _answered(self, lease_id: str, canary: int) -> None:
        for info in self._held_back.pop(lease_id, ()):
            info.canary = canary
            self._show(info)

    def _show(self, info: runner_pb2.PromptInfo) -> None:
        key = (info.attempt, info.phase, info.digest, info.canary)
        if key not in self._known:
            self._known.add(key)
            self.shown.append(info)
