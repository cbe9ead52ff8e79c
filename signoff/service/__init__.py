"""The frame of a service process, from its settings to its end in order.

    process           reads flags and variables, starts a service, and ends it in order at a signal
    exit_codes        how a service says why it has ended
    standard_streams  opens those that the caller of a program has closed
    logs              lines of the log, as text or JSON
    environment       keeps files of the working directory, proxies and broken variables from doing harm
    forks             leaves gRPC out of the programs that a service starts
    gc_tuning         garbage collection for processes with much state

A new service has a `__main__` with a ServiceSettings of its own, and calls `process.main` with it.
"""
