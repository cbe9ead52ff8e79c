"""The runner: remembers executions and schedules their tasks over the connected workers.

A *term* is the time in which one runner owns the store. In it, the *engine* takes signals from the services, lets the
*core* decide, makes the events durable, tells the watchers, and sends the commands to the workers.

    __main__, settings     flags and variables; starts the terms
    term                   the parts of a runner, made anew for each term: from waiting for the store to its end
    services/              the rpcs: requests become signals and questions, answers become messages
    clock                  Unix time that never goes back or stands still, and says when it has jumped
    inbox                  signals and questions in the order in which they came, bounded
    engine                 the loop: drain the inbox, decide, hand on
    core/                  the decisions: signals in, events and commands out. Read its page first
    committer              one transaction at a time: append, publish, perform, answer
    listings               what the store's index of executions is told with each commit
    recovery/              builds the state at a start, takes checkpoints, brings archived executions back
    mishaps                bugs that the engine survived, and what is kept away because of them
    store/                 the journal, the maps and the contents: SQLite, PostgreSQL, memory
    contents               candidates and artifacts by digest, the recent ones in memory
    codec/                 messages to values of the core, and back
    publish/               what others may follow: the feed of events, files for people, metrics
    planner                the planner service, as the runner needs it
    tables, prices, rate_limits    the TOML files about models

The folder has more than a dozen siblings: each module beside the packages is one step of the engine's way, or one thing
that a term is made of. A new rule of scheduling goes into core/; a new rpc begins in services/.
"""
