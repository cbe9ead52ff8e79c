"""The conformance kit: a scripted runner that puts one worker, in whatever language, through the protocol.

    kit    carries out checks, one after another ── check    what a check is, and how it ends
     │
    trial  the worker on trial: streams, leases, its process ── command    a worker started from a command line
     │
    runner         a gRPC server that hands every stream over as a ── conversation    say, expect, hear nothing
     │
    speech         the messages a runner says

`checks` holds the checks, a module for each part of docs/reference/protocol.md.
"""
