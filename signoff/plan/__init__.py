"""The meaning of a plan's fields, once for planner, runner, workers and clients.

    ids              the rules for ids of plans and tasks
    limits           the limits that several services keep
    inputs           names of a plan's inputs, their places in texts, media types of files
    glossary         names that are the same everywhere: handlers, the criterion of a person's verdict
    specs            the handler, the criteria and the checks of a task
    describe_check   checks in words
    describe_files   those of files
    named_files      the files that a program's arguments name

An output format, such as "JSON: [{ title: string }]", is read in three steps:

    formats   reads the whole format: what it promises of the output
    forms     finds the form it names: JSON, CSV, Markdown, code in a language
    shapes/   parses the shape of JSON, as far as it is clear

A new form is an entry of the table in `forms`, with rows for the table test in tests/signoff/plan. A reading that two
services need belongs here; a reading of one service stays there.
"""
