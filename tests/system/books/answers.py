"""Answers of the model server: texts, verdicts, and scripts of them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tests.support.servers.billing import (
    Answer,
    Asked,
    Script,
)
from tests.support.servers.model_server import NONCE, Reply

PROSE = (
    "The bridge over the river was built in 1932, and it carries about 4,000 cars a day. We looked at it on the third "
    "of May and wrote down what we found. The north pier has a crack of four millimetres, which should be repaired "
    "before the winter comes. Two bolts of the railing are loose; the deck drains well, even after heavy rain. "
) * 2
THOUGHT = "First I should say when it was built, then what we saw, and in the end what it means for the winter. " * 3
FIGURES = "\n".join(",".join(str(row * column % 23) for column in range(1, 13)) for row in range(1, 21))
EVIDENCE = "The bridge over the river was built in 1932"


def verdict(*, passes: bool = True, quote: str = EVIDENCE) -> str:
    """Returns a judge's answer about one criterion."""
    told = {
        "criterion": 1,
        "evidence": {"kind": "quotes", "quotes": [quote], "subject": "", "count": 0},
        "reason": "The first sentence says when the bridge was built." if passes else "It says nothing of the winter.",
        "outcome": "pass" if passes else "fail",
        "retry_worthwhile": True,
    }
    return json.dumps({"nonce": NONCE, "verdicts": [told]})


GOOD, APPROVAL = Answer(text=PROSE), Answer(text=verdict())


def first(*answers: Answer | Reply, of_judges: Iterable[Answer | Reply] = ()) -> Script:
    """Returns a script that gives these answers first, to executors and to judges, and good ones after them."""
    judges = tuple(of_judges)

    def script(asked: Asked) -> Answer | Reply:
        given, good = (judges, APPROVAL) if asked.is_judge else (answers, GOOD)
        return given[asked.number - 1] if asked.number <= len(given) else good

    return script


def each(answer: Answer) -> Script:
    """Returns a script that gives this answer to all executors, and good ones to judges."""
    return lambda asked: APPROVAL if asked.is_judge else answer
