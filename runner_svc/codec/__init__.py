"""Conversions between messages (signoff.v1) and values of the core: the only place that knows both.

A function is named after its direction, task_to_proto or settings_from_proto, and both directions stand side by side.
The contract's bounds have been checked before (signoff.bounds), so a conversion checks only what they cannot say: an
unknown enum value, a pass against its own results. By what is converted:

    journal/       events as they are stored and watched: one table, one row for each kind of event
    checkpoints    the state beside the journal, for a fast restart
    maps           the planner's MapParts to a Map, with `requirements` and `canaries` of its tasks
    frames         a worker's messages to signals, and small commands to messages
    assignments    the one large command: contents inside the message, by reference, or in parts before it
    views          the state for clients
    shown          the bounds of what views show of an execution

    spec_parts     the named parts of a task's spec that its keys are made of
    fill           puts inputs of the plan into the places of a task's spec
    previews       what a start would do

and the parts that several of these share: settings, inputs, usage, verdicts, makers, criterion_results, contents,
outages, unread and times. So the folder has more than a dozen modules: each is one noun of the contract.

A new field is converted in the module of its noun. A new event is a row in journal/. A field that is stored must have a
default for data of earlier versions, which did not write it (tests/stored opens them).
"""
