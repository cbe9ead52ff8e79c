"""signoff: runs plans of tasks, in which a result counts when a validator has signed it off.

This package holds what the services share, and everything on the client's side:

    v1           messages and stubs, generated from protos/
    errors       every error that crosses the wire
    bounds       checks of messages against the bounds that the protos state
    plan         the meaning of a plan's fields: formats, shapes, criteria, limits
    schemas      JSON Schema: drafts, patterns, exact numbers, formats
    rpc          gRPC: servers, channels, errors as statuses, frames
    service      the frame of a service process: settings, logs, start and end
    files        files on disk, and the names in a data directory
    secrets      takes secrets out of texts that leave a process
    display      values of the wire in words for people
    client       the Python client
    local        all services as child processes of one command
    cli          the command `signoff`
    app          functions of your own, for workers
    conformance  checks a worker against the protocol
    health, intervals, money, states    small modules that stand alone

The folder has more than a dozen siblings, for each is one thing that several services share, and none needs all others.

The services are planner_svc, runner_svc and worker_svc. They import this package, and never each other; this package
imports none of them, but for the command line, which compiles plans without a service.
"""
