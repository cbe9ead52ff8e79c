"""The references of a message are found in its bytes; nothing that was added is ever missed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from runner_svc.prune.references import References, digests_in
from signoff.v1 import execution_pb2 as pb
from tests.support.draws import so_many


def a_digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def test_a_digest_is_found_wherever_it_stands_in_an_event() -> None:
    first, second = a_digest(1), a_digest(2)
    made = pb.CandidateStored(lease_id="0123456789abcdef", attempt=48, digest=first, size_bytes=0x61, maker="f" * 64)
    event = pb.Event(sequence=7, task_id="a" * 64, artifact_reused=pb.ArtifactReused(candidate=made))
    assert first.encode() in digests_in(event.SerializeToString())
    event = pb.Event(prompt_kept=pb.PromptKept(lease_id="0" * 63, digest=second, size_bytes=99))
    assert second.encode() in digests_in(event.SerializeToString())


def _digest_fields(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        if "digest" in field.name:
            yield field
        if field.message_type is not None:
            yield from _digest_fields(field.message_type, seen)


def test_every_digest_of_an_event_is_a_text_of_its_own() -> None:
    fields = list(_digest_fields(pb.Event.DESCRIPTOR, set()))
    assert {field.full_name.removeprefix("signoff.v1.") for field in fields} >= {
        "CandidateStored.digest",
        "OrphanStored.digest",
        "CheckpointStored.digest",
        "PromptKept.digest",
    }
    assert {field.type for field in fields} == {FieldDescriptor.TYPE_STRING}


def test_what_was_added_is_there_and_what_was_not_is_not() -> None:
    chance = random.Random(1)
    numbers = chance.sample(range(10**9), so_many(2_000, long=200_000))
    added, others = numbers[::2], numbers[1::2]
    references = References()
    references.add(a_digest(number).encode() for number in added)
    assert all(a_digest(number).encode() in references for number in added)
    assert not any(a_digest(number).encode() in references for number in others)
