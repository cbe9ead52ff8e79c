"""Guards of what a task knows of its attempts, and of when another one is useless."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

FAILING, RECORDS, EXECUTION = "runner_svc/core/failing.py", "runner_svc/core/records.py", "runner_svc/core/execution.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="each earlier attempt is told",
        file="runner_svc/core/lending.py",
        code="        earlier=record.failed_attempts.before_the_last,\n",
        without="",
        fault="a model repeats what was rejected two attempts before",
    ),
    Guard(
        name="a lost worker is no rejection",
        file="runner_svc/core/lending.py",
        code="summary=record.feedback or record.last_failure",
        without="summary=record.last_failure",
        fault="a worker is lost between a rejection and the next attempt",
    ),
    Guard(
        name="the same failure twice is no progress",
        file=RECORDS,
        code='record.no_progress = event.fingerprint != "" and event.fingerprint == record.fingerprint',
        without="record.no_progress = False",
        fault="a function raises the same exception on the same inputs, always",
    ),
    Guard(
        name="a checkpoint is progress",
        file=FAILING,
        code='checkpoint = record.checkpoint.digest if record.checkpoint is not None else ""',
        without='checkpoint = ""',
        fault="a function gets further with each attempt, and fails each time",
    ),
    Guard(
        name="the same failure after a rollback is the end",
        file=RECORDS,
        code="    record.rollbacks += 1\n",
        without='    record.rollbacks, record.fingerprint = record.rollbacks + 1, ""\n',
        fault="what a task reads is made anew, and is the same as before",
    ),
    Guard(
        name="other inputs are worth another try",
        file=FAILING,
        code="fingerprint_of(kind, gist, input_digest_of_lease(lease), checkpoint)",
        without='fingerprint_of(kind, gist, "", checkpoint)',
        fault="what a task reads is made anew, and is not the same",
    ),
    Guard(
        name="a larger model is what escalation is for",
        file=FAILING,
        code="    if is_too_small and not execution.is_outgrown(task):",
        without="    if False:",
        fault="the context of a small model is too small for a task",
    ),
    Guard(
        name="a model that was too small is not asked again",
        file="runner_svc/core/terms.py",
        code="        if too_small:",
        without="        if False:",
        fault="a plan names a small model twice, and it is too small",
    ),
    Guard(
        name="stop stops",
        file=FAILING,
        code="    if execution.on_failure(task) is OnFailure.STOP:",
        without="    if False:",
        fault="a task that all depends on fails, and the others spend money for hours",
    ),
    Guard(
        name="a task says what its own failure does",
        file=EXECUTION,
        code="self.map.terms_of(task).on_failure or self.settings.on_failure",
        without="self.settings.on_failure",
        fault="one task of many may fail",
    ),
    Guard(
        name="the gist leaves out what differs from run to run",
        file="worker_svc/sameness.py",
        code='_VARYING.sub("#", "\\n".join(parts))',
        without='"\\n".join(parts)',
        fault="an exception has an address in its text",
    ),
    Guard(
        name="what may pass has no gist",
        file="worker_svc/functions/blame.py",
        code='    if any(map(_may_pass, _told_by(error))) or may_pass(text):\n        return ""\n',
        without="",
        fault="a function cannot reach a service for a minute",
    ),
    Guard(
        name="earlier attempts are data",
        file="worker_svc/prompts.py",
        code='return ["", title, f"<<<BEGIN {digest}", told, f"<<<END {digest}"]',
        without='return ["", title, told]',
        fault="a judge quotes a candidate that gives orders",
    ),
)
