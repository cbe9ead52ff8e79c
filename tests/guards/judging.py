"""Guards of what counts as a pass."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

ANSWER = "worker_svc/judge/answer.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="a block has its own digest",
        file="worker_svc/prompts.py",
        code="    digest = hashlib.sha256(artifact.content).hexdigest()[:32]\n    text",
        without='    digest = "0" * 32\n    text',
        fault="a candidate writes the end of its block",
    ),
    Guard(
        name="a judge answers once",
        file=ANSWER,
        code="    if other := _VERDICT_KEY.search(text[:start]) or _VERDICT_KEY.search(text[end:]):",
        without="    if other := _VERDICT_KEY.match(text, len(text)):",
        fault="a judge breaks off its verdict, and repeats one that a candidate wrote",
    ),
    Guard(
        name="no verdict of the candidate's own",
        file=ANSWER,
        code="    if shown.repeats(verdict):",
        without="    if False:",
        fault="a judge repeats the verdict that stands in a candidate",
    ),
    Guard(
        name="no pass without its quotation",
        file=ANSWER,
        code="    if outcome == PASS and not shown.quotable.has(evidence):",
        without="    if False:",
        fault="a judge makes up what it passes a candidate for",
    ),
    Guard(
        name="no key twice",
        file="worker_svc/checking/reading.py",
        code="    if len(made) < len(pairs):",
        without="    if False:",
        fault="a candidate says one thing to the validator and another to whoever reads it",
    ),
)
