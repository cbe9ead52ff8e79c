"""The fleet: connected workers, the leases that are out, and the deadlines. A restart may forget all of it.

    roster       the one book of sessions and live leases: join, leave, lend, end
    sessions     one stream of one worker: what it can do, with what, and what it holds
    alike        whether connected workers would make or judge as it was done before
    leases       a lease that is out, with its clocks and costs
    matching     which sessions meet a requirement, have room, and may ask their model
    queues       which task goes next: by priority, then in turns between executions, then by the longest path
    deadlines    a heap of what is to be looked at, and when
    rate_limits  the requests and tokens that a model takes a minute
    rests        the workers that gave back what they were given, and are given nothing for a while
    outages      the models that are away, and when they are asked again
    timings      the clocks of the streams, and the tables about models

Work meets a worker here. decide/assign.py asks `queues.next` for a task whose requirement has room; the queues ask
`matching.has_room`, which looks at sessions, rate limits and outages. Then `matching.with_room` picks the session whose
turn it is, and `roster.lend` enters the lease: the journal's record has the lease, too, and invariants compare both.

`roster.end` is the one place where a live lease ends. It settles the rate limit, the probe of an outage and the amount
kept back of a budget.

A new reason why a worker may not have a task goes into `matching`; then explain/why_waiting.py must name it. A new
clock goes into `deadlines` as a kind of `Due`, and is handled in decide/on_time.py.
"""
