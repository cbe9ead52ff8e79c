"""Lies of a worker: wrong digests, contradictions, second thoughts, and results under leases of others."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence

from signoff.v1 import execution_pb2, worker_pb2
from tests.simulation.nature.weather import Weather

#: What the weather may do to what workers say.
LIES = ("wrong digests", "contradictions", "second thoughts", "forgeries")
_RESULTS = frozenset({"candidate", "verdict", "failure"})
_FORGED = b"forged"

#: None of these may ever be in the journal, but in an orphan.
MARKS = (_FORGED, hashlib.sha256(_FORGED).hexdigest().encode())

Message = worker_pb2.WorkerMessage


class Liar:
    """A liar that falsifies the frames of one worker. `foreign` returns the leases that others hold or held."""

    def __init__(self, chance: random.Random, weather: Weather, foreign: Callable[[], Sequence[str]]) -> None:
        self._chance = chance
        self._weather = weather
        self._foreign = foreign

    def falsified(self, frame: worker_pb2.ConnectRequest) -> worker_pb2.ConnectRequest:
        """Returns the frame to send: a falsified one, or the same when the worker does not lie now."""
        lies = self._weather.kinds(LIES)
        results = [message for message in frame.messages if message.WhichOneof("kind") in _RESULTS]
        if not lies or not results:
            return frame
        told = [said for message in frame.messages for said in self._told(message, lies)]
        return worker_pb2.ConnectRequest(messages=told)

    def _told(self, message: Message, lies: Sequence[str]) -> Iterator[Message]:
        kind = message.WhichOneof("kind")
        lie = self._chance.choice(lies)
        if kind not in _RESULTS or self._chance.random() > self._weather.rate(lie):
            yield message
        elif lie == "wrong digests" and kind == "candidate":
            yield _changed(message, digest="0" * 64)
        elif lie == "contradictions" and kind == "verdict":
            yield (
                _leaving_out(message) if sum(message.verdict.lease_id.encode()) % 2 else _contradicting_itself(message)
            )
        elif lie == "second thoughts":
            yield message
            yield _second_thought(message)
        elif lie == "forgeries" and (foreign := self._foreign()):
            yield self._forged(self._chance.choice(foreign))
            yield message
        else:
            yield message

    def _forged(self, lease: str) -> Message:
        return self._chance.choice((_forged_candidate, _forged_verdict, _forged_failure, _forged_abandon))(lease)


def _changed(message: Message, *, digest: str) -> Message:
    changed = Message()
    changed.CopyFrom(message)
    changed.candidate.digest = digest
    return changed


def _contradicting_itself(message: Message) -> Message:
    changed = Message()
    changed.CopyFrom(message)
    changed.verdict.outcome = execution_pb2.OUTCOME_PASS
    changed.verdict.results.add(criterion="is true", outcome=execution_pb2.OUTCOME_FAIL)
    return changed


def _leaving_out(message: Message) -> Message:
    """Returns a pass without results."""
    lease_id = message.verdict.lease_id
    return Message(verdict=worker_pb2.Verdict(lease_id=lease_id, outcome=execution_pb2.OUTCOME_PASS))


def _second_thought(message: Message) -> Message:
    """Returns the opposite verdict, under the same lease."""
    if message.WhichOneof("kind") == "verdict":
        passes = message.verdict.outcome == execution_pb2.OUTCOME_PASS
        outcome = execution_pb2.OUTCOME_FAIL if passes else execution_pb2.OUTCOME_PASS
        return Message(verdict=worker_pb2.Verdict(lease_id=message.verdict.lease_id, outcome=outcome))
    lease = message.candidate.lease_id or message.failure.lease_id
    return Message(failure=worker_pb2.Failure(lease_id=lease, message="on second thoughts"))


def _forged_candidate(lease: str) -> Message:
    digest = hashlib.sha256(_FORGED).hexdigest()
    return Message(
        candidate=worker_pb2.Candidate(lease_id=lease, inline=_FORGED, size_bytes=len(_FORGED), digest=digest)
    )


def _forged_verdict(lease: str) -> Message:
    result = execution_pb2.CriterionResult(criterion=_FORGED.decode(), outcome=execution_pb2.OUTCOME_PASS)
    return Message(verdict=worker_pb2.Verdict(lease_id=lease, outcome=execution_pb2.OUTCOME_PASS, results=[result]))


def _forged_failure(lease: str) -> Message:
    return Message(failure=worker_pb2.Failure(lease_id=lease, message=_FORGED.decode()))


def _forged_abandon(lease: str) -> Message:
    return Message(abandon=worker_pb2.Abandon(lease_id=lease, reason=_FORGED.decode()))
