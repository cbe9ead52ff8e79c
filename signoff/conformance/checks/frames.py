"""What holds of every frame. These come late: they also judge all frames that came before."""

from __future__ import annotations

from signoff.conformance.check import EXECUTOR, NotMet, Section
from signoff.conformance.checks.results import collected
from signoff.conformance.speech import cancel, unknown
from signoff.conformance.trial import FRAME_LIMIT, Trial

# A verdict that repeats them all is larger than a frame.
LONG_CRITERIA = [f"Criterion {number} {'is long ' * 125}" for number in range(2 * FRAME_LIMIT // 1000)]

frames = Section("frames")
fencing = Section("leases-and-fencing")
SECTIONS = (frames, fencing)


@frames.check("frames.order", "It handles every message of a frame, in order")
async def frames_order(trial: Trial) -> None:
    talk = await trial.conversation()
    dropped, lease = trial.lease(), trial.lease()
    await talk.say(trial.assign(dropped, {"seconds": trial.beats(2)}), cancel(dropped), trial.assign(lease, {}))
    await talk.accepted(lease)
    await trial.result(talk, lease)
    await talk.nothing_about(dropped, trial.beats(4))


@frames.check("frames.unknown", "Messages and fields that it does not know are passed over")
async def frames_unknown(trial: Trial) -> None:
    talk = await trial.welcomed(await trial.fresh(), from_newer=True)
    lease = trial.lease()
    await talk.say(unknown(), trial.assign(lease, {}), unknown())
    await talk.accepted(lease)
    await trial.result(talk, lease)


@frames.check("frames.limit", "No frame is empty, or larger than Welcome allows")
async def frames_limit(trial: Trial) -> None:
    talk, lease = await trial.conversation(), trial.lease()
    await talk.say(trial.assign(lease, {"bytes": 3 * FRAME_LIMIT}, criteria=LONG_CRITERIA))
    if trial.role == EXECUTOR:
        await collected(talk, lease)
    else:
        await trial.result(talk, lease)
    if trial.notes.frames:
        raise NotMet(
            f"expected frames of at least one message and at most {FRAME_LIMIT} bytes, but got {trial.notes.frames[0]}"
        )


@fencing.check("lease.named", "Every message about work carries the id of a lease that was given")
async def lease_named(trial: Trial) -> None:
    talk = await trial.conversation()
    await trial.result(talk, await trial.assigned(talk, seconds=trial.beats(1)))
    if trial.notes.strangers:
        raise NotMet(f"expected only leases that were given, but got {trial.notes.strangers[0]}")
