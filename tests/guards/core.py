"""Guards of the execution machine."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

REPORTING, TIMING, ROSTER = "runner_svc/core/reporting.py", "runner_svc/core/timing.py", "runner_svc/core/roster.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="a continued session ends in order",
        file=REPORTING,
        code="turn.order(c.EndSession(session=old.id, reason=reason, continued=continued))",
        without="turn.order(c.EndSession(session=old.id, reason=reason, continued=False))",
        fault="a worker that rotates as asked is refused as if somebody had taken its name",
    ),
    Guard(
        name="who drains goes on draining",
        file=REPORTING,
        code="        session.draining = continued and old.draining",
        without="        pass",
        fault="a stream grows old while the runner is about to end",
    ),
    Guard(
        name="assign again",
        file=REPORTING,
        code="elif continued and not claimed and not lease.accepted:",
        without="elif False:",
        fault="an assignment and the Hello of the next stream cross",
    ),
    Guard(
        name="assign again waits anew",
        file=ROSTER,
        code="""        lease.accept_by = at + self.timings.accept_deadline
        session.leases.add(lease.id)""",
        without="        session.leases.add(lease.id)",
        fault="an assignment and the Hello of the next stream cross, late",
    ),
    Guard(
        name="only the present session is continued",
        file=REPORTING,
        code="continued = old is not None and old.id == signal.continues and old.role is signal.role",
        without="continued = old is not None and signal.continues is not None",
        fault="a worker continues a session that was replaced long ago",
    ),
    Guard(
        name="a replaced session cannot be lost",
        file=REPORTING,
        code="""    if session is None:
        return  # a newer session took over before this one was seen to end""",
        without="    session = session or next(iter(turn.state.roster.sessions.values()))",
        fault="the end of the old stream is seen after the new one has begun",
    ),
    Guard(
        name="lease fence",
        file=REPORTING,
        code="""    lease = _held(turn, signal)
    if lease is None or lease.phase is not phase:""",
        without="""    lease = _held(turn, signal) or next(iter(turn.state.roster.leases.values()), None)
    if lease is None or lease.phase is not phase:""",
        fault="a worker reports under a lease that somebody else has by now",
    ),
    Guard(
        name="a lease is its session's",
        file=REPORTING,
        code="if session and signal.lease in session.leases else None",
        without="if session else None",
        fault="a worker reports under a lease that it never held",
    ),
    Guard(
        name="orphans are kept",
        file=REPORTING,
        code="            _keep_orphan(turn, session, signal, what, content, body)",
        without="            pass",
        fault="a result comes too late",
    ),
    Guard(
        name="a judge that is to be tried later holds nobody up",
        file="runner_svc/core/execution.py",
        code="return self.unjudged_count - len(self.put_off)",
        without="return self.unjudged_count",
        fault="an endpoint that judges is away for a day",
    ),
    Guard(
        name="what is settled is acknowledged again",
        file=REPORTING,
        code="if found is not None and found[0].record(found[1]).has_settled(lease_id):",
        without="if False:",
        fault="an acknowledgement is lost",
    ),
    Guard(
        name="one session a name",
        file=REPORTING,
        code="        _replace(turn, old, signal.at, continued=continued)",
        without="        pass",
        fault="a worker comes back before its old stream is seen to end",
    ),
    Guard(
        name="keep",
        file=REPORTING,
        code="        turn.order(c.Keep(session=session.id, lease=lease_id))",
        without="        pass",
        fault="a stream breaks",
    ),
    Guard(
        name="stop",
        file=REPORTING,
        code="        _answer_stale(turn, session, lease_id, stop=True)",
        without="        pass",
        fault="a worker comes back after its lease went to another one",
    ),
    Guard(
        name="what a worker does not name is not its any more",
        file=REPORTING,
        code='            lose(turn, lease, at, f"{session.worker} came back without it")',
        without="            return",
        fault="a worker is restarted and knows nothing of its work",
    ),
    Guard(
        name="an orderly end gives back",
        file=REPORTING,
        code="""    if signal.orderly:
""",
        without="""    if False:
""",
        fault="a worker leaves with a lease in hand",
    ),
    Guard(
        name="abandon",
        file=REPORTING,
        code="        give_back(turn, lease, signal.at, signal.reason)",
        without="        pass",
        fault="a worker is told to end in the middle of its work",
    ),
    Guard(
        name="progress refreshes the idle clock",
        file=REPORTING,
        code="""def progress(turn: Turn, signal: s.ProgressMade) -> None:
    lease = _held(turn, signal)
    if lease is not None:
        lease.progress_at = signal.at""",
        without="def progress(turn: Turn, signal: s.ProgressMade) -> None:\n    _held(turn, signal)",
        fault="work takes longer than the idle time-out",
    ),
    Guard(
        name="resume grace",
        file=ROSTER,
        code="        until = at + self.timings.resume_grace",
        without="        until = at",
        fault="a stream breaks",
    ),
    Guard(
        name="credit",
        file="runner_svc/core/room.py",
        code="return not self.draining and len(self.leases) < self.window",
        without="return not self.draining",
        fault="there is more work than a worker can take",
    ),
    Guard(
        name="to come back is no progress",
        file=REPORTING,
        code="_begins(turn, lease, at if not lease.accepted else lease.progress_at)",
        without="_begins(turn, lease, at)",
        fault="an attempt hangs, and its streams do not live as long as the idle time-out",
    ),
    Guard(
        name="the idle clock stands still while a worker is away",
        file=ROSTER,
        code="            self.leases[lease_id].progress_at += at - (until - self.timings.resume_grace)",
        without="            pass",
        fault="a worker could not report progress because its stream was lost",
    ),
    Guard(
        name="run timeout",
        file=ROSTER,
        code="run_until=at + execution.run_timeout(task, lease.phase),",
        without='run_until=float("inf"),',
        fault="an attempt goes on for ever",
    ),
    Guard(
        name="idle timeout",
        file=TIMING,
        code="    idle_until = lease.progress_at + idle_timeout",
        without='    idle_until = float("inf")',
        fault="an attempt hangs",
    ),
    Guard(
        name="accept deadline",
        file=TIMING,
        code='        take_back(turn, lease, at, f"{lease.worker} did not accept it in time")',
        without="        return",
        fault="an assignment is lost, or its worker is stuck",
    ),
    Guard(
        name="the grace ends",
        file=TIMING,
        code='        lose(turn, turn.state.roster.leases[lease_id], at, f"{worker} was lost and did not come back")',
        without="        pass",
        fault="a worker never comes back",
    ),
    Guard(
        name="a stop cancels",
        file="runner_svc/core/failing.py",
        code="        turn.order(c.Cancel(session=session.id, lease=lease.id, reason=reason))",
        without="        pass",
        fault="a person stops an execution",
    ),
    Guard(
        name="checkpoints are handed over",
        file="runner_svc/core/lending.py",
        code="        checkpoint=_checkpoint(lease, record),",
        without="        checkpoint=None,",
        fault="an executor dies on the way",
    ),
    Guard(
        name="checkpoints are for the same inputs",
        file="runner_svc/core/lending.py",
        code="checkpoint is None or checkpoint.input_digest != input_digest_of_lease(lease)",
        without="checkpoint is None",
        fault="what a task reads is made anew while it is on its way",
    ),
    Guard(
        name="a candidate ends its checkpoint",
        file="runner_svc/core/records.py",
        code="    record.candidate, record.checkpoint, record.canary_given = event.content, None, False",
        without="    record.candidate, record.canary_given = event.content, False",
        fault="a candidate that was made in steps is rejected",
    ),
    Guard(
        name="a retry forgets checkpoints",
        file="runner_svc/core/records.py",
        code="record.rejection = record.avoid = record.checkpoint = None",
        without="record.rejection = record.avoid = None",
        fault="a person asks for a task to be done again that fails at its checkpoint",
    ),
    Guard(
        name="one orphan a lease",
        file="runner_svc/core/reporting.py",
        code="    return ended is not None and not ended.orphaned\n",
        without="    return ended is not None\n",
        fault="a worker repeats a result that came too late for ever",
    ),
    Guard(
        name="orphans of leases that were given",
        file="runner_svc/core/records.py",
        code="if ended.id == lease and ended.worker == worker)",
        without="if ended.id == lease)",
        fault="a worker reports under leases that others had",
    ),
    Guard(
        name="costs of given leases only",
        file="runner_svc/core/records.py",
        code="if ended.id == lease and ended.worker == worker)",
        without="if ended.id == lease)",
        fault="a worker reports costs of others",
    ),
    Guard(
        name="bounded rows of costs",
        file="runner_svc/core/accounting.py",
        code="    if lease.reports > MOST_REPORTS and not ",
        without="    if False and not ",
        fault="a worker reports its costs token by token",
    ),
    Guard(
        name="a request id is one command's",
        file="runner_svc/core/requests.py",
        code="    if known != wanted:\n",
        without="    if False:\n",
        fault="a client uses a request id twice",
    ),
)
