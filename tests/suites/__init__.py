"""Measures signoff beside public test suites, which are data of others and no part of this repository.

    python -m tests.suites FOLDER      prints how many cases are right, and every one that is not and that no page lists

FOLDER holds `json-schema/` (https://github.com/json-schema-org/JSON-Schema-Test-Suite: its tests/) and `json/`
(https://github.com/nst/JSONTestSuite: its test_parsing/), both MIT. What they taught is in cases of our own
(tests/signoff/schemas), which need neither. `deviations` lists what is meant to differ, and so does
docs/reference/schemas.md.
"""
