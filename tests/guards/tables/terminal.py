"""Guards of what reaches a person's terminal."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard(
        "a command ends when the results are written", "a script reads output.json right after a run on shared services"
    ),
    Guard("hidden characters are written out", "a plan, a model or a worker writes what steers a terminal"),
    Guard("hidden characters are escaped in JSON", "the same, and a person asks for JSON"),
    Guard("a terminal gets no raw bytes", "a person prints what a model made on their terminal"),
    Guard("what is no UTF-8 is refused", "a person names a plan in the letters of an older terminal"),
    Guard("a lost answer is an error", "a script closes the standard output of a command whose answer it needs"),
    Guard(
        "an end that cannot be awaited is refused", "a supervisor gives /dev/null to a service that ends with a pipe"
    ),
    Guard("a screen writes what has changed", "a person watches over a slow line"),
    Guard("NO_COLOR is respected", "a person, or their terminal, cannot do with colours"),
    Guard("a second draws what has changed", "a person watches `signoff top` over a slow line"),
    Guard("thinking is not doubled", "pieces of thinking arrive after the answer that has them too"),
    Guard("failed tasks come first", "a few of two thousand tasks have failed"),
    Guard("what cannot be undone is confirmed", "a person presses the key beside the one they meant"),
    Guard("people judge in top what they were shown", "a person is asked about what they have not seen"),
    Guard("a verdict in top is on what was shown", "another candidate waits by the time that a person presses the key"),
    Guard("top ends without an error", "a clock moves on while `signoff top` takes its screen away"),
    Guard("a dialog has one answer", "keys come faster than the screen is drawn"),
    Guard("a lost connection is told", "the runner has gone, and the screen looks as before"),
    Guard("a watch says when its runner is lost", "the runner has gone, and a person takes the last lines for news"),
    Guard("a watch that breaks off is told at once", "the runner has gone, and the screen looks as before for seconds"),
    Guard("a frozen runner is told of", "the machine of the runner hangs, and its connections stay open"),
    Guard("an execution that ends first is followed to its end", "the last task is done while `signoff run` looks"),
    Guard("logs are visible texts", "a worker is started by hand, and meets such a text"),
)
