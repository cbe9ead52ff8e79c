"""gRPC for all services and clients, in one place.

A call takes this way:

    ports         the default addresses
    addresses     of several runners, finds the one that serves
    channel       opens the connection: sizes, keepalive, options
    socket_files  makes room for a `unix:` address
    server        the server: health, reflection, start and stop
    interceptor   stands around every handler: checks requests, limits slow readers, catches errors
    timely        holds streams of bytes to a pace: an upload has a place that others wait for
    concurrency   limits how many large answers are under way at once
    ends          how a call ended, as the service said
    statuses      turns an error into a status, and back into the same error for the caller
    frames        sizes of a worker's stream, and messages sent in runs

An error is raised as a class of signoff.errors on both sides; no handler makes a status by itself. A new rule for all
requests belongs into `interceptor`, and a new bound of a field into the protos (see signoff.bounds).
"""
