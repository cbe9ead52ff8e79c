"""Events as they are stored and watched: core events to signoff.v1.Event and back.

The journal keeps the very message that watchers receive (ADR 1). `rows` reads it from the bytes of a row, and checks
that it is the one that belongs there. `entries` makes that message, and reads the event in it. It looks the event up in
one table, in which each kind of event has one row: a `Kind` with the event's class, the message's class, and the two
functions between them. The rows stand where the events belong:

    executions   an execution's life, its commands and its budgets; the layout of a plan
    leases       work that is given out, and ends without a result
    results      what workers hand in: candidates, verdicts, checkpoints, usage
    reused       results of earlier executions that are kept
    tasks        what the runner decides about a task

A new event is one row here, beside its class in core/model/events.py and its message in execution.proto.
Stored journals must be read for ever: a field that an earlier version did not write reads as its default.
"""
