"""Stores of journals, maps, contents and checkpoints: one port, three stores.

A store keeps bytes and knows nothing of their meaning; the codec makes and reads them. Its nouns:

    journal       the events of one execution, or of the runner itself (the empty name), as rows without gaps
    content       the bytes of a candidate or an artifact, under their SHA-256
    map           a compiled plan, in parts
    checkpoint    the state after the rows so far, so that a restart need not read all of them
    listing       the index of executions: a row for each, with what lists are filtered by
    epoch         a number that grows with every open and fences off a runner that lost the store

`port` states the promises. `memory` is the shortest implementation, and the reference. `sqlite` is the default: one
file, and one runner by a lock file and by the epoch that each write compares (sqlite_ownership). `postgres` serves
several machines; it uses

    postgres_connection    connections that are replaced when lost, and errors without passwords
    postgres_ownership     one runner at a time, by a lease that it renews
    postgres_migrations    the schema, in numbered scripts (migrations_postgres/*.sql; SQLite's are migrations/*.sql)

`listing_query` and `journal_names` write SQL for both databases: questions to the index, and which journals there are.

A new promise goes into `port` and into tests/runner_svc/store/test_conformance.py, which runs over all stores. A new
column is a new script with the next number: data of every earlier version must open (tests/stored).
"""
