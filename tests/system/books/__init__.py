"""Books against the bill: real services ask a model server that keeps the true bill, while things go wrong.

A row is an execution that asks a model of its own name, so that its books and its bill stand apart. Its fault happens
when a stream has come to a place, never after a time. `rows` has all of them; `billed_cluster` runs them on a cluster
with the server of tests/support/servers/billing.py, whose scripts are made of `answers`; `outcomes` compares books and
bill. `python -m tests.system.books` prints the table of docs/explanation/books.md. A new row needs no other change than
in `rows` and that page.
"""
