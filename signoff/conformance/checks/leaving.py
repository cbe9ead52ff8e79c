"""How a worker leaves: because it was asked to, or because it was refused."""

from __future__ import annotations

from signoff.conformance.check import NotMet, Section
from signoff.conformance.speech import ack
from signoff.conformance.trial import Trial
from signoff.errors import InvalidField, SessionReplaced

leaving = Section("leaving")
refused = Section("refusals")
SECTIONS = (leaving, refused)


@leaving.check("leave.idle", "Asked to end with nothing in hand, it says so and ends", needs_command=True)
async def leave_idle(trial: Trial) -> None:
    talk = await trial.conversation()
    trial.ask_to_end()
    await talk.expect("draining")
    await talk.until_over()
    await trial.ends()


@leaving.check("leave.finishes", "Asked to end, it finishes what fits, and takes nothing new", needs_command=True)
async def leave_finishes(trial: Trial) -> None:
    talk = await trial.conversation()
    lease, refused = await trial.assigned(talk, seconds=trial.beats(2)), trial.lease()
    trial.ask_to_end()
    await talk.expect("draining")
    await talk.say(trial.assign(refused, {}))
    await trial.result(talk, lease)
    await talk.say(ack(lease))
    await talk.until_over()
    if talk.said("accepted", refused):
        raise NotMet("expected it to take nothing new while it drains, but it accepted an assignment")
    await trial.ends()


@leaving.check("leave.abandons", "What it cannot finish it gives back before it ends", needs_command=True)
async def leave_abandons(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, seconds=600)
    trial.ask_to_end()
    await talk.expect("draining")
    await talk.expect("abandon", lease=lease, within=trial.tempo.leave)
    await talk.until_over(trial.tempo.leave)
    await trial.ends()


@refused.check("refused.replaced", "SESSION_REPLACED ends it for good", needs_command=True)
async def refused_replaced(trial: Trial) -> None:
    talk = await trial.conversation()
    await trial.assigned(talk, seconds=600)
    talk.refuse(SessionReplaced(f"a newer session of {talk.hello.name} took over"))
    await trial.ends()


@refused.check("refused.invalid", "INVALID_FIELD, in answer to its Hello, ends it for good", needs_command=True)
async def refused_invalid(trial: Trial) -> None:
    (await trial.fresh()).refuse(InvalidField("hello.name", "another name", "this one"))
    await trial.ends()
