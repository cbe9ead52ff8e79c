"""How a lease ends before its time, and what a worker does about leases it does not hold."""

from __future__ import annotations

import grpc

from signoff.conformance.check import CheckSkipped, Section
from signoff.conformance.speech import ack, attention, cancel, keep, stop, superseded
from signoff.conformance.trial import Trial

WORK, AFTER = 2, 5  # beats: work that is dropped, and until when its result would have come
MANY = 100  # leases

ends = Section("how-a-lease-ends")
SECTIONS = (ends,)


@ends.check("cancel.drops", "Cancelled work is dropped at once, and not spoken of again")
async def cancel_drops(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=trial.beats(WORK))
    await talk.say(cancel(lease))
    await talk.nothing_about(lease, trial.beats(AFTER))


@ends.check("superseded.drops", "Work whose lease has ended is dropped, and not spoken of again")
async def superseded_drops(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=trial.beats(WORK))
    await talk.say(superseded(lease))
    await talk.nothing_about(lease, trial.beats(AFTER))


@ends.check("superseded.forgets", "A result that came too late is forgotten, not repeated")
async def superseded_forgets(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk)
    await trial.result(talk, lease)
    await talk.say(superseded(lease))
    talk = await trial.fresh()
    trial.require_let_go(talk, lease)


@ends.check("stop.drops", "After a lost stream, work that was given to another worker is dropped")
async def stop_drops(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=trial.beats(WORK))
    talk.abort(grpc.StatusCode.UNAVAILABLE)
    talk = await trial.comes_back()
    trial.require_held(talk, lease)
    await trial.welcomed(talk)
    await talk.nothing_about(lease, trial.beats(AFTER))


@ends.check("lease.room", "A lease that has ended makes room for another")
async def lease_room(trial: Trial) -> None:
    talk = await trial.conversation()
    if talk.window > MANY:
        raise CheckSkipped(f"it grants {talk.window} leases, too many to try")
    for _ in range(talk.window):
        await talk.say(cancel(await trial.assigned(talk, seconds=600)))
    lease = await trial.assigned(talk)
    await trial.result(talk, lease)


@ends.check("lease.unknown", "What it is told about leases it does not hold is passed over")
async def lease_unknown(trial: Trial) -> None:
    talk = await trial.conversation()
    strange = trial.lease()
    orders = (cancel, superseded, ack, keep, stop)
    await talk.say(*(order(strange) for order in orders), attention(strange, thinking_wanted=True))
    await trial.result(talk, await trial.assigned(talk))
