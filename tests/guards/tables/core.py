"""Guards of the execution machine."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("a stop takes leases back", "a person stops an execution that is being worked on"),
    Guard("retries are remembered", "a runner is built anew while a task waits to be tried again"),
    Guard("past retries are remembered", "a retry falls due while the state is built anew, and older reports wait"),
    Guard("no pass against its own results", "a judge passes what it says has failed"),
    Guard(
        "a continued session ends in order",
        "a worker that rotates as asked is refused as if another worker had its name",
    ),
    Guard("who drains goes on draining", "a stream grows old while the runner is about to end"),
    Guard("assign again", "an assignment and the Hello of the next stream cross"),
    Guard("assign again waits anew", "an assignment and the Hello of the next stream cross, late"),
    Guard("what is never accepted ends with its run timeout", "a worker opens a new stream every few seconds"),
    Guard("only the present session is continued", "a worker continues a session that was replaced long ago"),
    Guard("a replaced session cannot be lost", "the end of the old stream is seen after the new one has begun"),
    Guard("lease fence", "a worker reports under a lease that another worker has by now"),
    Guard("a lease is its session's", "a worker reports under a lease that it never held"),
    Guard("orphans are kept", "a result comes too late"),
    Guard("a judge that is to be tried later holds no other up", "an endpoint that judges is away for a day"),
    Guard("what is settled is acknowledged again", "an acknowledgement is lost"),
    Guard("one session a name", "a worker comes back before its old stream is seen to end"),
    Guard("keep", "a stream breaks"),
    Guard("stop", "a worker comes back after its lease went to another one"),
    Guard("what a worker does not name is not its any more", "a worker is restarted and knows nothing of its work"),
    Guard("an orderly end gives back", "a worker leaves with a lease in hand"),
    Guard("abandon", "a worker is told to end in the middle of its work"),
    Guard("progress refreshes the idle clock", "work takes longer than the idle time-out"),
    Guard("resume grace", "a stream breaks"),
    Guard("credit", "there is more work than a worker can take"),
    Guard("to come back is no progress", "an attempt hangs, and its streams do not live as long as the idle time-out"),
    Guard(
        "the idle clock stands still while a worker is away",
        "a worker could not report progress because its stream was lost",
    ),
    Guard("run timeout", "an attempt goes on for ever"),
    Guard("idle timeout", "an attempt hangs"),
    Guard("accept deadline", "an assignment is lost, or its worker is stuck"),
    Guard("the grace ends", "a worker never comes back"),
    Guard("no work runs out of time by a jump of the clock", "a laptop wakes up, or NTP sets a clock that was slow"),
    Guard("no signal is from before a jump", "a worker reports in the moment in which the clock jumps"),
    Guard("a jump of the clock is told", "a laptop wakes up"),
    Guard("time goes on when the clock is set back", "a clock that was fast is set right while work is under way"),
    Guard("a stop cancels", "a person stops an execution"),
    Guard("checkpoints are handed over", "an executor dies on the way"),
    Guard("checkpoints are for the same inputs", "what a task reads is made anew while it is on its way"),
    Guard("a candidate ends its checkpoint", "a candidate that was made in steps is rejected"),
    Guard("a retry forgets checkpoints", "a person asks for a task to be done again that fails at its checkpoint"),
    Guard("one orphan a lease", "a worker repeats a result that came too late for ever"),
    Guard("orphans of leases that were given", "a worker reports under leases that others had"),
    Guard("costs of given leases only", "a worker reports costs of others"),
    Guard("bounded rows of costs", "a worker reports its costs token by token"),
    Guard("a request id is one command's", "a client uses a request id twice"),
)
