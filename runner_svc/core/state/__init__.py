"""The state that is folded from the journal. `fold.apply` is the only way in, live and at a restart alike.

An event takes this way:

    fold          checks the sequence and the table of transitions, and hands the event on
    lifecycle     applies an event of the execution as a whole
    task_events   applies an event of a task to its task_record
    progress      updates the counters, and queues the tasks that became ready in the agenda

The nouns:

    execution     all about one execution; its questions (is_ready, requirement, …) are what decide/ asks
    task_record   one task: attempts, lease, candidate, artifact, failures; untouched tasks have none
    attempts      the failed attempts of a task, and the fingerprint of the last failure
    canaries      how many canaries were given, and how validators judged them
    pruned        the sums over executions that were removed
    requests      which command each request id was for
    listing       what lists of executions are filtered by
    creation_order  which execution came after which, of all and of each plan
    overview      an execution without its tasks: for lists, checkpoints and archived executions

Three parts belong to the running runner, and no replay needs to give the same: the agenda (an index of tasks that may
be given out), changes (what checkpoints and snapshots follow), and quarantine (executions that threw). restore.py
builds an execution from a checkpoint; progress.count_anew derives its counters.

It has more than a dozen modules because each kind of event changes little, and stands beside what it changes.

A new event is applied in task_events.py or lifecycle.py. A new field of an execution or a record also goes into the
checkpoint's codec; the test of recovery fails until it does. Whatever can be derived, such as a counter, goes into
progress.py, both where it changes and in count_anew; tests/support/invariants.py counts it anew after every turn.
"""
