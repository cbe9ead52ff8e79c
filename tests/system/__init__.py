"""The whole system as real processes: the command line as a user runs it, and clusters under faults.

    test_run, test_inputs, test_people, test_retries …    what a user does with `signoff`, from start to end
    test_faults_*                                         killed, frozen and unreachable processes, full disks
    test_crash, test_standby, test_outages, test_unread   one fault each, of a runner, its store, a model, a client
    books, test_books                                     the runner's books against the true bill of a model server

A cluster is tests/support/processes/cluster.py; after each fault its journal is checked by support/journal_checks.py.
These tests take seconds each: a rule that the core, the simulation or one service in process can show is tested there.
"""
