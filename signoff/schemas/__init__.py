"""JSON Schema as its users know it, once for all services.

The planner asks whether a schema can decide anything; the validator applies it. Both read it with these modules:

    drafts      tells which draft a schema is written in: by `$schema`, else by its keywords
    walk        finds the schemas inside a schema, and nothing that is only data
    ecma        turns a pattern of ECMA-262 into one of Python's `re` that means the same, or says why not
    sets        sets of characters as ranges: classes, `\\s`, `\\p{L}`
    backrefs    finds references such as `\\1` that the two languages would read differently
    numbers     numbers that keep the digits they were written with
    formats     dates, times, addresses, pointers: every `format` is asserted; names and uris have modules of their own
    keywords    the keywords that the library jsonschema decides otherwise: patterns, numbers, equality
    validator   puts them together: the problems of an instance under a schema

docs/reference/schemas.md says for people what differs from the specification, and tests/suites measures it.
"""
