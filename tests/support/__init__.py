"""Helpers of the tests, in one place; no test imports another test. By what they stand for:

    values/         plans, maps, trees and results in a line or two
    story           given, when, then for the core: one machine, its history, its clock
    invariants      what must hold after every turn of the core; `story` and the simulation check it after each
    journal_checks  what must hold of the journal of real processes, after any fault
    servers/        the other sides of a connection, on loopback: runners, workers, models, PostgreSQL, proxies
    processes/      real processes: the command line, single services, a whole cluster
    work/           work for executors and validators: handlers, functions, programs, samples
    judging/        answers and candidates for tests of judges
    conformance/    a runner in process with faults, for the conformance suite

`draws` says how many examples a property is tried on, with --long and without. `watched_execution` collects the events
of an execution. `longest_turn` measures how long an event loop is held.

A test first looks for the smallest stand: `story` for a rule of the core, a `servers.scripted_runner` for a worker,
`servers.runner` for the whole runner in this process, `processes.cluster` only for faults of processes and networks.
A helper that two folders of tests need belongs here; one that a single module needs stays in that module.
"""
