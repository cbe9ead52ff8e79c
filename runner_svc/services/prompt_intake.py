"""The intake of prompts: collects their chunks, and makes signals of whole ones. What no lease wants is dropped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from runner_svc.codec.assignments import INLINE_LIMIT
from runner_svc.codec.contents import content_of
from runner_svc.core.decide.on_report import wants_prompt
from runner_svc.core.model import signals
from runner_svc.core.model.values import LeaseId
from runner_svc.engine import Engine
from runner_svc.services.hub import Hub, SessionWriter
from runner_svc.services.uploads import CandidateUpload, CandidateUploads
from signoff.errors import InvalidField
from signoff.v1 import worker_pb2

MIB = 1024 * 1024
MOST_PROMPTS_OF_A_SESSION, MOST_PROMPTS_OF_ALL = 16 * MIB, 128 * MIB  # bytes of unfinished ones

CROWDED = "more bytes of unfinished prompts than are collected at once"


class PromptIntake:
    """Takes in the prompts of one session."""

    def __init__(
        self,
        engine: Engine,
        hub: Hub,
        session: SessionWriter,
        uploads: CandidateUploads,
        report: Callable[[], Awaitable[None]],
    ) -> None:
        """`uploads`: the unfinished prompts of all sessions, bounded in bytes.

        `report`: hands the session's earlier messages to the engine.
        """
        self._engine = engine
        self._hub = hub
        self._session = session
        self._uploads = uploads
        self._report = report

    async def signal_of(self, chunk: worker_pb2.PromptChunk) -> signals.PromptSent | None:
        """Returns the signal of a prompt once it is whole. Raises InvalidField for a chunk that is out of order."""
        if chunk.offset + len(chunk.data) > chunk.size_bytes:
            expected = f"at most {chunk.size_bytes:,} bytes, as the chunk says"
            raise InvalidField("prompt_chunk.data", expected, f"{chunk.offset + len(chunk.data):,}")
        lease = LeaseId(chunk.lease_id)
        if not self._hub.has_lent(self._session, lease):
            self._uploads.take(self._session.id, lease)
            return None
        is_whole = not chunk.offset and len(chunk.data) == chunk.size_bytes
        body = chunk.data if is_whole else self._collected(lease, chunk)
        return None if body is None else await self._signal(lease, body)

    def _collected(self, lease: LeaseId, chunk: worker_pb2.PromptChunk) -> bytes | None:
        """Returns the whole prompt with its last chunk; None before, and for one that was given up."""
        session = self._session.id
        if chunk.offset == 0:
            self._uploads.begin(session, lease, self._session.hello.slots)
        upload = self._uploads.find(session, lease)
        if upload is None:
            return None  # its lease was not held when it began
        if chunk.offset != upload.size:
            expected = f"{upload.size}: chunks in order, from 0"
            raise InvalidField("prompt_chunk.offset", expected, f"offset {chunk.offset}")
        for crowded in self._uploads.add(upload, chunk.data):
            self._uploads.give_up(crowded, CROWDED)
        return self._whole(upload) if upload.size == chunk.size_bytes else None

    def _whole(self, upload: CandidateUpload) -> bytes | None:
        self._uploads.take(upload.session, upload.lease)
        return None if upload.problem else bytes(upload.body)

    async def _signal(self, lease: LeaseId, body: bytes) -> signals.PromptSent | None:
        """Returns the signal. A large prompt is stored before its event, under its lease, but only if it is wanted."""
        signal = signals.PromptSent(
            at=self._engine.now(), session=self._session.id, lease=lease, content=content_of(body), body=body
        )
        if len(body) <= INLINE_LIMIT:
            return signal
        await self._report()  # earlier prompts count
        # guard: a prompt that is not wanted is not stored -> if False:
        if await self._engine.ask(lambda state: wants_prompt(state, signal) is None):
            return None
        # guard: a prompt is brought under its lease -> await self._engine.contents.put(signal.content.digest, body)
        await self._engine.contents.put(signal.content.digest, body, lease)
        return signals.PromptSent(at=signal.at, session=signal.session, lease=lease, content=signal.content, body=None)
