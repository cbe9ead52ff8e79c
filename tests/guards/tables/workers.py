"""Guards of the worker's side of the stream."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("parts that a worker does not announce are not tried", "the kit meets a worker that takes no files"),
    Guard("checkpoints are said again", "a stream is lost with what it was about to say of how far the work is"),
    Guard("no more at once than there are slots", "a runner that gives all the work that was granted ahead"),
    Guard("work does not wait behind work that hangs", "a slot whose work takes much longer than the last did"),
    Guard(
        "only a refusal ends a worker", "a stream breaks, is cancelled or reset, or its connection is told to go away"
    ),
    Guard("a refusal ends a worker", "two workers have one name"),
    Guard("a clean end is no goodbye", "a proxy ends streams in order"),
    Guard("an end before welcome is no refusal", "a proxy accepts streams while there is no runner"),
    Guard("success is the first frame", "something accepts connections and never answers"),
    Guard("jittered pauses", "a runner restarts and all workers come back at once"),
    Guard("welcome is awaited only so long", "a runner is stuck"),
    Guard("what does not fit is abandoned", "a worker is told to end in the middle of its work"),
    Guard("a silent runner is lost", "the line is dead and the transport does not notice"),
    Guard("pings say when the next one comes", "a line dies just after pings have begun to come more often"),
    Guard("durations are clamped as they are read", "a runner states a time of a hundred thousand million years"),
    Guard("a message ends at most its stream", "a runner sends what the worker stumbles over"),
    Guard("a lease ends with a result whatever happens", "an assignment is read by code with a bug"),
    Guard("pings are answered", "work goes on for long"),
    Guard("a draining runner gets no credit", "a runner is about to end"),
    Guard("cancel drops the work", "no client wants the result any more"),
    Guard("an assignment that comes twice runs once", "an assignment is repeated"),
    Guard("a draining worker takes nothing new", "an assignment and Draining cross"),
    Guard("a draining worker stays draining", "a stream breaks while its worker drains"),
    Guard("results are said again", "a result or its acknowledgement is lost with the stream"),
    Guard("results wait for keep", "work ends while the stream is lost"),
    Guard("answers belong to a stream", "a stream breaks with answers under way"),
    Guard("thinking that may be lost is a gap", "a stream breaks while a client watches"),
    Guard("unsent thinking is bounded", "a model thinks aloud while the stream is slow or lost"),
    Guard("a connection of its own", "a connection is bad and looks good"),
    Guard("checks run in a process of their own", "a check does not end"),
    Guard("input digest", "the bytes of an artifact are changed on the way"),
    Guard("stale lease of an input", "a lease ends while its input is fetched"),
    Guard("status of the service", "the worker writes just as it is refused"),
    Guard("unknown messages", "the runner is newer than the worker"),
    Guard("escapes are read", "an endpoint repeats a key in hex"),
    Guard("a gist leaves as a digest", "a function fails with a secret in the text of its exception"),
    Guard("a backslash hides no key", "a key stands behind a backslash, as in a path, with an escape in its middle"),
    Guard("no key leaves a worker", "a program or a function prints the worker's environment"),
    Guard("a model raises only its failures", "an endpoint sends what trips its own client"),
    Guard("keys go to no other origin", "an endpoint redirects to another server"),
    Guard("no key in what a model streams", "an endpoint repeats the key in its answer, cut in two"),
    Guard("an answer is bounded", "a model writes without end"),
    Guard("words are cut before they are searched", "an endpoint reports an error in megabytes"),
    Guard(
        "what is no answer is cut before it is counted", "an endpoint refuses in megabytes, or calls a tool with them"
    ),
    Guard("an event is bounded", "an endpoint sends one line without end"),
    Guard("only pieces put off the end", "an endpoint sends empty chunks without end"),
    Guard("large candidates are looked at elsewhere", "a candidate of megabytes, or nested deeply"),
    Guard("large answers are read elsewhere", "a model answers with megabytes of JSON"),
)
