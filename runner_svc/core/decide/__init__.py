"""The decisions: the events and commands that follow from each signal.

Every handler takes the Turn. It reads `turn.state`, and changes the folded state only by `turn.emit`. Commands go out
by `turn.order`, bytes by `turn.keep`; sessions and leases change through the roster.

    turn           the turn, its decision, and the state of the runner
    on_command     commands from clients
    on_report      reports from workers about their leases; late_results answers those whose lease has ended
    on_session     workers that join, grant credit, drain and leave
    on_time        deadlines that are over
    failures       retry, rollback, the end of a task; how leases are taken back and lost; outages
    policy         the arithmetic of retries and rollbacks
    inputs         the artifacts that a task is given
    reuse          keeps what earlier executions of the plan have signed off
    prune          chooses the executions that a prune takes away
    canary_choice  the canary that goes before a candidate
    accounting     the recorded costs of leases
    patience       the pause of executions that have waited too long for a model
    housekeeping   offers the work of touched executions, and ends those with none left
    assign         gives ready work to free workers, at the end of each turn

A handler checks first, and raises a Rejected before it emits anything. Once it has emitted, it must come to its end: an
exception is a bug, and the state is built anew from the journal. Work that grows with the plan is a generator of steps
in `turn.later`, so that the loop can serve others between two.

The end of a lease takes three steps, in this order: `accounting.close` (or `book`, when its worker may not have
reported its costs), `roster.end`, and the event.

A new report is a row in machine.py's table and a function in on_report. A new command is a row in on_command's table.
A new reason to end, hold or repeat work goes beside those it resembles, in failures, assign or patience.

There are more than a dozen modules: one for each source of signals, and one for each concern that several share.
"""
