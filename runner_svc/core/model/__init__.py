"""The values of the core: frozen dataclasses, enums and tables. They import nothing from the rest of the core.

    values        ids, settings, contents, failure kinds: what signals, events and commands share
    requirements  what a phase of a task needs of a worker, and the abilities that a worker declares
    tallies       verdicts on canaries, counted by pool of validators
    usage         costs: amounts of tokens and money, and the changes between two totals
    pass_rules    the results that a task demands of a passing verdict
    map           the compiled plan in numbers; producers.py finds makers of inputs that a task does not wait for
    inputs        inputs of a plan: declared, given, and their places in texts
    keys          what a task is made from and judged by, part by part, to compare two executions
    makers        the makers of a worker, and the choice among them
    earlier       results of earlier executions that one may keep
    selection     tasks that settings name: done anew, or asked for at all
    signals       what the machine is told
    events        what happened: the journal
    commands      what workers are ordered to do
    states        the states of tasks and executions, and the table of transitions

A signal is a report and may be wrong or late; an event is a fact and stays in the journal for good. So a signal may
change freely, but a new field of an event has a default that stands for the journals of earlier versions.

The rules that all of them keep: tasks are numbers of the map, never names. Times are Unix time in seconds, costs are
billionths of the price table's currency. `None` has a meaning, which the note beside the field states. An event that
ends a lease is a `LeaseResult` or a `LeaseFault`; code that keeps track of leases asks for these bases only.

A new value goes where its users are; into values.py only when signals, events and commands share it. The numbers of
enums are those of the protos. So there are more than a dozen modules: each has one kind of value.
"""
