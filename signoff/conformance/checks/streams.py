"""Streams that end, and streams that are asked to: the worker comes back with what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc

from signoff.conformance.check import CheckSkipped, NotMet, Section
from signoff.conformance.conversation import WorkerStream
from signoff.conformance.speech import ack, cancel, drain, ping, rotate
from signoff.conformance.trial import Trial

SHORT_PING, LONG_PING = 0.25, 60.0  # seconds
MISSED_PINGS = 3
LATE = 0.5  # seconds that a stream may take from the worker to the kit
PAUSES, LEAST_SPREAD = 6, 0.1  # how many pauses are compared; their spread, as a part of the longest first one
MOST_REFUSALS = 6
ROTATE, DRAIN = 8, 20  # beats: within which a worker is asked to move, or to stop

lost = Section("lost-streams")
backoff = Section("backoff")
asked = Section("drain-and-rotate")
SECTIONS = (lost, backoff, asked)

End = Callable[[WorkerStream], None]


async def _comes_back_with_its_lease(trial: Trial, end: End) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=600)
    end(talk)
    trial.require_held(await trial.comes_back(), lease)


@lost.check("stream.ended", "It comes back when the stream ends in order, and names the leases it holds")
async def stream_ended(trial: Trial) -> None:
    await _comes_back_with_its_lease(trial, lambda talk: talk.end())


@lost.check("stream.cancelled", "It comes back when the stream ends with CANCELLED")
async def stream_cancelled(trial: Trial) -> None:
    await _comes_back_with_its_lease(trial, lambda talk: talk.abort(grpc.StatusCode.CANCELLED))


@lost.check("stream.unavailable", "It comes back when the stream ends with UNAVAILABLE")
async def stream_unavailable(trial: Trial) -> None:
    await _comes_back_with_its_lease(trial, lambda talk: talk.abort(grpc.StatusCode.UNAVAILABLE))


@lost.check("stream.internal", "It comes back when the stream ends with INTERNAL")
async def stream_internal(trial: Trial) -> None:
    await _comes_back_with_its_lease(trial, lambda talk: talk.abort(grpc.StatusCode.INTERNAL))


@lost.check("stream.silent", "It leaves a stream on which no ping comes for three intervals, and not before")
async def stream_silent(trial: Trial) -> None:
    talk = await trial.fresh()
    await trial.welcome(talk, ping_interval=SHORT_PING)
    lease = await trial.assigned(talk, seconds=600)
    for _ in range(MISSED_PINGS + 1):
        await asyncio.sleep(SHORT_PING)
        await talk.say(ping(1))
    try:
        again = await trial.comes_back(MISSED_PINGS * SHORT_PING + trial.tempo.back)
    finally:
        talk.end()
    trial.require_held(again, lease)


@lost.check("stream.patient", "It waits for three of the intervals that the last ping has named, no more and no less")
async def stream_patient(trial: Trial) -> None:
    talk = await trial.fresh()
    await trial.welcome(talk, ping_interval=SHORT_PING)
    lease = await trial.assigned(talk, seconds=600)
    await talk.say(ping(1, next_within=LONG_PING))
    await asyncio.sleep((MISSED_PINGS + 1) * SHORT_PING)
    await talk.say(ping(2, next_within=SHORT_PING))
    await talk.expect("pong", where=lambda pong: pong.nonce == 2)
    try:
        again = await trial.comes_back(MISSED_PINGS * SHORT_PING + trial.tempo.back)
    finally:
        talk.end()
    trial.require_held(again, lease)


@lost.check("stream.kept", "Work that it may keep goes on, and its result comes once")
async def stream_kept(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=trial.beats(4))
    talk.abort(grpc.StatusCode.UNAVAILABLE)
    talk = await trial.comes_back()
    trial.require_held(talk, lease)
    await trial.welcomed(talk, kept=[lease])
    await trial.result(talk, lease)
    await talk.nothing_about(lease, trial.beats(2))
    await talk.say(ack(lease))


@backoff.check("backoff.jitter", "It pauses for a random time before it comes back")
async def backoff_jitter(trial: Trial) -> None:
    while len(trial.pauses) < PAUSES:
        await trial.conversation()
        await trial.fresh()
    spread = max(trial.pauses) - min(trial.pauses)
    if spread < LEAST_SPREAD * trial.tempo.first_pause:
        told = ", ".join(f"{pause:.2f}" for pause in trial.pauses)
        raise NotMet(f"expected pauses of random lengths, but got {told} s")


@backoff.check("backoff.grows", "Refused again and again, it pauses for longer, and tries another connection")
async def backoff_grows(trial: Trial) -> None:
    """The pauses are random, so this goes on until one is longer than any first one may be."""
    talk = await trial.fresh()
    peer, pauses = talk.peer, list[float]()
    for _ in range(MOST_REFUSALS):
        talk.abort(grpc.StatusCode.UNAVAILABLE)
        refused = talk
        talk = await trial.comes_back(trial.tempo.most_pause + trial.tempo.answer)
        pauses.append(talk.began_at - refused.ended_at)
        if pauses[-1] > trial.tempo.first_pause and len(pauses) > 1:
            break
    else:
        told = ", ".join(f"{pause:.2f}" for pause in pauses)
        raise NotMet(f"expected a pause of more than {trial.tempo.first_pause:g} s by now, but got {told} s")
    if talk.peer == peer:
        raise NotMet(f"expected a new connection after {len(pauses)} refusals, but got the one from {peer}")


@asked.check("drain.stops", "Asked to drain, it takes its credit back and finishes what it holds")
async def drain_stops(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=trial.beats(2))
    await talk.say(drain(trial.beats(DRAIN)))
    await talk.expect("credit", where=lambda credit: credit.window == 0)
    await trial.result(talk, lease)
    await talk.say(ack(lease))
    talk.end()
    await trial.welcomed(await trial.comes_back())


@asked.check("rotate.moves", "Asked for a new stream, it opens one in time and takes its leases along")
async def rotate_moves(trial: Trial) -> None:
    await _rotated(trial)


@asked.check("rotate.overlaps", "The new stream continues the session of the old one, which it leaves after Welcome")
async def rotate_overlaps(trial: Trial) -> None:
    old, new, lease = await _rotated(trial)
    if not (old.is_open or new.hello.continues_session_id):
        raise CheckSkipped("it ends the old stream first, which is allowed")
    if new.hello.continues_session_id != old.session_id:
        raise NotMet(f"expected it to continue {old.session_id!r}, but got {new.hello.continues_session_id!r}")
    await trial.welcomed(new, kept=[lease])
    await old.until_over()
    await new.say(cancel(lease))
    await trial.result(new, await trial.assigned(new))


async def _rotated(trial: Trial) -> tuple[WorkerStream, WorkerStream, str]:
    """The old stream, the new one before its Welcome, and the lease that went along."""
    old = await trial.conversation()
    lease = await trial.assigned(old, seconds=600)
    await old.say(rotate(trial.beats(ROTATE)))
    new = await trial.comes_back(trial.beats(ROTATE) + LATE)
    trial.require_held(new, lease)
    return old, new, lease
