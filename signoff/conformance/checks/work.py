"""How work begins and goes on: assignments, pings, progress."""

from __future__ import annotations

from signoff.conformance.check import CheckSkipped, NotMet, Section
from signoff.conformance.speech import ack, feedback, ping
from signoff.conformance.trial import Trial

BUSY = 1.2  # seconds of work that never pauses
PROMPT = 0.8  # seconds within which a ping is answered even then
BEYOND_DOUBLES = 2**53 + 1  # a number that does not survive a floating-point variable

assignments = Section("assignments")
pings = Section("pings")
progress = Section("progress-and-usage")
SECTIONS = (assignments, pings, progress)


@assignments.check("assign.accepted", "It accepts an assignment in time, also one whose input has yet to be fetched")
async def assign_accepted(trial: Trial) -> None:
    talk = await trial.conversation()
    lease, body = trial.lease(), b"Venus"
    with trial.withheld(body):
        await talk.say(trial.assign(lease, {}, given=body, by_reference=True))
        await talk.accepted(lease, within=trial.tempo.answer)
    await trial.result(talk, lease)


@assignments.check("assign.repeated", "Given the same lease again, it accepts again and works once")
async def assign_repeated(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = trial.lease()
    assign = trial.assign(lease, {"seconds": trial.beats(2)})
    for _ in range(2):
        await talk.say(assign)
        await talk.accepted(lease)
    await trial.result(talk, lease)
    await talk.say(ack(lease))
    await talk.nothing_about(lease, trial.beats(4))


@assignments.check("assign.feedback", "It takes a second attempt, with the feedback on the first")
async def assign_feedback(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = trial.lease()
    await talk.say(trial.assign(lease, {}, feedback=feedback()))
    await talk.accepted(lease)
    await trial.result(talk, lease)


@pings.check("ping.answered", "It answers each ping with the same nonce, in order")
async def ping_answered(trial: Trial) -> None:
    talk = await trial.conversation()
    nonces = [7, 0, BEYOND_DOUBLES]
    await talk.say(*map(ping, nonces))
    answers = [(await talk.expect("pong")).nonce for _ in nonces]
    if answers != nonces:
        raise NotMet(f"expected pongs with the nonces {nonces}, but got {answers}")


@pings.check("ping.busy", "It answers pings while its work keeps the processor busy")
async def ping_busy(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=BUSY, busy=True)
    await talk.ask_for_pong(within=PROMPT)
    if talk.said(trial.result_kind, lease):
        raise NotMet(f"expected a pong while the work of {BUSY:g} s goes on, but it was over by then")
    await trial.result(talk, lease)


@progress.check("progress.made", "It reports progress while it works")
async def progress_made(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=trial.beats(4))
    await trial.result(talk, lease)
    if not talk.said("progress", lease):
        raise CheckSkipped("it reports none; work without progress is taken back after its idle_timeout")


@progress.check("progress.thinking", "It sends thinking only when a client watches")
async def progress_thinking(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=trial.beats(2))
    await trial.result(talk, lease)
    if aloud := [said.thinking for said in talk.said("progress", lease) if said.thinking]:
        raise NotMet(f"expected no thinking, because thinking_wanted was false, but got {aloud[0][:80]!r}")
