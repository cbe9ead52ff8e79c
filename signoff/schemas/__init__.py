"""JSON Schema as its users know it, once for all services.

The planner asks whether a schema can be carried out; the validator applies it. A schema takes this way:

    drafts      tells which draft a schema is written in: by `$schema`, else by its keywords
    walk        finds the schemas inside a schema, and nothing that is only data
    ecma        turns a pattern of ECMA-262 into one of Python's `re` that means the same, or says why not
    sets        sets of characters as ranges: classes, `\\s`, `\\p{L}`
    backrefs    finds references such as `\\1` that the two languages would read differently
    numbers     numbers that keep the digits they were written with
    keys        JSON values as hashable keys, for `enum` and `uniqueItems`
    formats     dates, times, pointers: every `format` is asserted
    names, uris formats with modules of their own: hosts and mail addresses; URIs, templates and IP addresses
    keywords    the keywords that the library jsonschema checks otherwise: patterns, numbers, equality
    evaluated   `unevaluatedProperties` and `unevaluatedItems`
    validator   puts them together: the problems of an instance under a schema

The modules are more than a dozen because each follows one specification: ECMA-262, RFC 3339, RFC 3986 and so on. A new
format is a function in `formats` and an entry of its table. docs/reference/schemas.md says for people what differs from
the specification, and tests/suites measures it.
"""
