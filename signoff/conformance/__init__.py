"""The conformance kit: a scripted runner that puts one worker, in whatever language, through the protocol.

Its nouns: a check is one thing that a worker has to do, with an id that docs/reference/protocol.md lists. The worker
under test connects to the kit as to a runner. A stream is one connection of it, on which the kit says and expects
messages.

A check takes this way through the modules, from the top:

    kit                 carries out checks one after another, and yields a result for each
    check               a check, its result, and the sections that group checks
    worker_under_test   the handle that checks get: streams, leases, assignments
    command             the worker as a process, from a command line that the kit starts and ends
    runner              a gRPC server that hands each stream of the worker over
    contents            its answers to workers that fetch contents, and to those that bring files
    stream              one stream: say, expect a message, expect that nothing comes
    messages            the messages that the kit sends, and messages of workers in words
    outcome             pass, fail, skip, and the exceptions by which a check says so
    timings, limits     how long the kit waits, and how much its Welcome allows

`checks` holds the checks, a module for each part of docs/reference/protocol.md. A new check is a function there, under
the section that explains it, and a row in the checklist of docs/reference/protocol.md. Give it a faulty worker in
tests/support/conformance: each check must find the fault it is about.
"""
