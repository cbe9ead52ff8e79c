"""The gist of a failure: the part that is the same each time, when the failure will not pass by itself.

Functions and commands are run anew with the same inputs. A failure with the same words at the same place is no progress
(Failure.gist in worker.proto). The gist leaves out parts that differ from run to run. A failure of the world outside,
such as a refused connection, has no gist.
"""

from __future__ import annotations

import re

MAX_GIST = 4 * 1024  # characters

#: Addresses, ids, names of temporary files, moments and durations. Other numbers count: "row 3" is not "row 4".
_VARYING = re.compile(
    r"""0x[0-9a-f]+
    | \d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?
    | \b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b
    | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b
    | \b(?=[a-f]*\d)[0-9a-f]{8,}(?:\.\d+)?\b
    | \btmp[a-z0-9_]{6,}
    | \b(?:pid|process)[ =:]{1,2}\d+
    | \b\d+(?:\.\d+)?(?:e-?\d+)?\ ?(?:ns|us|µs|ms|s|secs?|seconds?|milliseconds?|mins?|minutes?)\b""",
    re.IGNORECASE | re.VERBOSE,
)

_PASSING = re.compile(
    "|".join(
        (
            r"time[ds]?[ _-]?out|deadlock|database is locked|broken pipe|no space left|out of memory",
            r"connect(?:ion)? ?(?:was )?(?:refused|reset|aborted|closed|lost|error)|(?:not|failed to|cannot) connect",
            r"network|resolve host|name resolution|temporar|try again|retry later",
            r"rate.?limit|too many requests|unavailable|overloaded",
        )
    ),
    re.IGNORECASE,
)


def may_pass(words: str) -> bool:
    """Tells whether a failure may pass by itself, by its words."""
    return _PASSING.search(words) is not None


def gist_of(*parts: str) -> str:
    """Joins the parts of a failure, without details that differ from run to run; keeps the end, with the reason."""
    # guard: the gist leaves out what differs from run to run -> return "\n".join(parts)[-MAX_GIST:]
    return _VARYING.sub("#", "\n".join(parts))[-MAX_GIST:]
