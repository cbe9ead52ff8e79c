"""The prompts of one lease: each distinct one is sent once, and again on the next stream."""

from __future__ import annotations

import json
from collections.abc import Iterator

from signoff.v1 import worker_pb2
from worker_svc.assignment import Prompt
from worker_svc.link.codec import Limits

MOST_PROMPTS = 16  # of a lease: the runner keeps no more
MOST_BYTES = 1024 * 1024  # of a prompt
CUT = "\n[cut: the rest of this prompt is too long to be kept]"
LEAST_ROOM = 1024  # bytes that each message keeps for its mark and the JSON around it


def content_of(prompt: Prompt) -> bytes:
    """Returns a prompt as JSON text. One that is too long is cut in its messages, from the end."""
    content = _written(prompt)
    # guard: a prompt that is kept is bounded -> if True:
    if len(content) <= MOST_BYTES:
        return content
    room, cut = MOST_BYTES - LEAST_ROOM * (len(prompt) + 1), list[tuple[str, str]]()
    for role, text in prompt:
        kept = _fitting(text, room)
        room -= _size(kept)
        cut.append((role, kept if kept == text else kept + CUT))
    return _written(tuple(cut))


def _written(prompt: Prompt) -> bytes:
    messages = [{"role": role, "content": text} for role, text in prompt]
    return json.dumps(messages, ensure_ascii=False).encode(errors="replace")


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode(errors="replace"))


def _fitting(text: str, room: int) -> str:
    """Returns the beginning of a text that takes at most `room` bytes as JSON."""
    while text and (size := _size(text)) > room:
        text = text[: max(0, min(len(text) - 1, len(text) * room // size))]
    return text


class LeasePrompts:
    """Collects the prompts of a lease until the stream takes them."""

    def __init__(self) -> None:
        self._kept: dict[bytes, None] = {}
        self._unsent: dict[bytes, None] = {}  # on this stream

    def add(self, content: bytes) -> bool:
        """Takes in a prompt. Tells whether it is to be sent: it is new, and not one too many."""
        # guard: a prompt is sent once -> if len(self._kept) >= MOST_PROMPTS:
        if content in self._kept or len(self._kept) >= MOST_PROMPTS:
            return False
        self._kept[content] = self._unsent[content] = None
        return True

    def take(self, lease_id: str, limits: Limits) -> Iterator[worker_pb2.WorkerMessage]:
        """Yields the chunks that are due, each once."""
        unsent, self._unsent = self._unsent, {}
        for content in unsent:
            for offset in range(0, len(content), limits.payload):
                data = content[offset : offset + limits.payload]
                chunk = worker_pb2.PromptChunk(lease_id=lease_id, offset=offset, data=data, size_bytes=len(content))
                yield worker_pb2.WorkerMessage(prompt_chunk=chunk)

    @property
    def must_be_sent(self) -> bool:
        return bool(self._unsent)

    def stream_lost(self) -> None:
        """Makes all prompts due again: those that were sent may not have arrived."""
        self._unsent = dict(self._kept)
