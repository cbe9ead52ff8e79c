"""Structured checks: code that decides about a candidate, as a plan states them under `validation.checks`.

    kinds.py          the kinds of check, as frozen values; base.py has what all of them have
    file_kinds.py     those that look at files, or at a content that is no text
    structured.py     an entry of plan.json to a check and back; `Effort` bounds the cost of all checks of a task
    text_checks.py    the same for checks of a text's parts, phrases, case and marks
    file_checks.py    the same for checks of files, and the `file` that any check of bytes may name
    check_fields.py   readers of single fields, whose errors name the field
    formats.py        the check of the shape that an output's format states, such as "JSON: string[]"

A check is tried out when the plan is compiled, so that it cannot turn out broken in an execution:

    patterns.py       a regular expression compiles, and quickly
    schemas.py        a JSON Schema is valid and small
    references.py     the references of a schema stay inside it and come to an end
    languages.py      a language is one that validators can tell

A new kind of check is a class of kinds.py, a row of read/check_vocabulary.py, a reader and a case of `check_to_json`
in structured.py (or text_checks.py), a message of plan.proto with its two cases in wire/checks.py, its sentence in
signoff/plan/describe_check.py, and the code that decides in worker_svc/validate/checking. One of files has its class,
reader, cases and sentence in the files of these names that are about files.
"""
