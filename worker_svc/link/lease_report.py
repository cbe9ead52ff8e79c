"""The report of a lease: the latest state of its work, not a queue of messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from signoff.v1 import worker_pb2
from worker_svc.assignment import Prompt
from worker_svc.files.collecting import FilesLimit
from worker_svc.files.opening import FilesRefused
from worker_svc.link.codec import UTF8_MOST, Limits, one_line, plain
from worker_svc.link.lease_prompts import LeasePrompts, content_of
from worker_svc.link.uploads import Uploads
from worker_svc.spent import Spent

MAX_UNSENT_THINKING = 64 * 1024  # characters a lease keeps; older ones are dropped and the gap is marked

Message = worker_pb2.WorkerMessage


@dataclass(slots=True)
class LeaseReport:
    """Collects the reports of a piece of work until the stream takes them. Implements assignment.Report."""

    lease_id: str
    changed: Callable[[str], None]
    thinking_wanted: bool
    prompts_wanted: bool = False
    files_limit: FilesLimit = FilesLimit()  # noqa: RUF009 - frozen
    uploads: Callable[[], Uploads] | None = None  #: None: there is no way to bring files
    _thinking: deque[str] = field(default_factory=deque)
    _length: int = 0
    _gap: bool = False
    _has_thought: bool = False  # aloud, on this stream
    _tokens: int = 0
    _has_progress: bool = False  # since the last message
    _checkpoint: bytes = b""  # the last one
    _checkpoint_is_sent: bool = True  # on this stream
    _prompts: LeasePrompts = field(default_factory=LeasePrompts)
    _usage: dict[str, worker_pb2.Usage] = field(default_factory=dict)  # by model: totals
    _unsent: dict[str, None] = field(default_factory=dict)  # models whose totals this stream has not carried

    def thinking(self, text: str) -> None:
        if not self.thinking_wanted:
            return
        self._thinking.append(text)
        self._has_progress = True
        self._length += len(text)
        # guard: unsent thinking is bounded -> while False:
        while self._length > MAX_UNSENT_THINKING:
            self._length -= len(self._thinking.popleft())
            self._gap = True
        self.changed(self.lease_id)

    def tokens(self, received: int) -> None:
        self._tokens, self._has_progress = received, True
        self.changed(self.lease_id)

    def checkpoint(self, content: bytes) -> None:
        self._checkpoint, self._checkpoint_is_sent = content, False
        self.changed(self.lease_id)

    async def prompt(self, prompt: Prompt) -> None:
        if self.prompts_wanted and self._prompts.add(content_of(prompt)):
            self.changed(self.lease_id)

    async def files(self, folder: Path, paths: Sequence[str], main: str) -> bytes:
        if self.uploads is None:
            raise FilesRefused("expected a runner that takes files, but there is no way to bring them")
        return await self.uploads().bring(folder, paths, main, self.files_limit, self._goes_on)

    def _goes_on(self) -> None:
        """Reports that files move, which is progress."""
        self._has_progress = True
        self.changed(self.lease_id)

    def usage(self, model: str, spent: Spent) -> None:
        self._usage[model] = worker_pb2.Usage(lease_id=self.lease_id, model=one_line(model), **asdict(spent))
        self._unsent[model] = None
        self.changed(self.lease_id)

    def attend(self, thinking_wanted: bool) -> None:
        """Keeps thinking from now on, or drops it, as clients begin or cease to watch."""
        self.thinking_wanted = thinking_wanted
        if not thinking_wanted:
            self._forget_thinking()

    def take(self, limits: Limits) -> Iterator[Message]:
        """Yields the messages that are due, each once."""
        thinking, gap, unsent = "".join(self._thinking), self._gap, self._unsent
        self._has_thought = self._has_thought or bool(thinking)
        self._forget_thinking()
        self._unsent = {}
        least, self._has_progress = int(self._has_progress), False
        # guard: thinking fits -> step = len(thinking) + 1
        step = limits.payload // UTF8_MOST
        for start in range(0, max(len(thinking), least), step):
            piece = plain(thinking[start : start + step], step)
            progress = worker_pb2.Progress(lease_id=self.lease_id, thinking=piece, tokens=self._tokens, gap=gap)
            yield Message(progress=progress)
            gap = False
        yield from self._prompts.take(self.lease_id, limits)
        if not self._checkpoint_is_sent:
            self._checkpoint_is_sent = True
            kept = worker_pb2.Progress(lease_id=self.lease_id, tokens=self._tokens, checkpoint=self._checkpoint)
            yield Message(progress=kept)
        yield from (Message(usage=self._usage[model]) for model in unsent)

    def costs(self) -> Iterator[Message]:
        """Yields the costs that were not sent yet, and nothing else."""
        unsent, self._unsent = self._unsent, {}
        return (Message(usage=self._usage[model]) for model in unsent)

    @property
    def must_be_sent(self) -> bool:
        """Tells whether costs, a checkpoint or a prompt are unsent: these may not be missing in the end."""
        return bool(self._unsent) or not self._checkpoint_is_sent or self._prompts.must_be_sent

    def stream_lost(self) -> None:
        """Makes messages due again that may not have arrived. All costs are sent again: they are totals."""
        # guard: costs are said again -> self._unsent = {}
        self._unsent = dict.fromkeys(self._usage)
        # guard: checkpoints are said again -> self._checkpoint_is_sent = True
        self._checkpoint_is_sent = not self._checkpoint
        # guard: prompts are said again -> (removed)
        self._prompts.stream_lost()
        # guard: thinking that may be lost is a gap -> self._has_thought = False
        self._gap, self._has_thought = self._gap or self._has_thought, False

    def _forget_thinking(self) -> None:
        self._thinking.clear()
        self._length, self._gap = 0, False
