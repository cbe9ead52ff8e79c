"""Guards of people's views and verdicts, and of the names of those who judge."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("people see what they judge", "a person asks what waits for them"),
    Guard("rejected candidates stay readable", "a later attempt has made another candidate"),
    Guard(
        "a person signs off what they saw", "another candidate waits by the time that a person has made up their mind"
    ),
    Guard("a verdict names who gave it", "a person and a validator have the same name"),
    Guard("a model's words are no person's", "a plan has a criterion in the words of a person's verdict"),
    Guard("a person is asked", "a person looks, and does not say yes"),
    Guard("people judge by the command line", "a person is asked about what they have not seen"),
    Guard("watchers are told of canaries with their verdict", "a validator watches the execution that it judges for"),
    Guard("shares have their interval", "a few canaries were all judged right"),
)
