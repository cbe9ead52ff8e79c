"""Guards of what people see and say, and of what is told of those who judge."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

CANDIDATES, JUDGING = "runner_svc/services/candidates.py", "signoff/cli/judging.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="people see what they judge",
        file=CANDIDATES,
        code="    info.state, info.validator = pb.CANDIDATE_STATE_WAITS_FOR_PERSON, worker\n    _take_results(",
        without="    _take_results(",
        fault="a person asks what waits for them",
    ),
    Guard(
        name="rejected candidates stay readable",
        file=CANDIDATES,
        code="        self._present = self._wanted in (0, made.attempt)\n",
        without="        self._present = True\n",
        fault="a later attempt has made another candidate",
    ),
    Guard(
        name="a person signs off what they saw",
        file="runner_svc/core/commanding.py",
        code="    _check_seen(record, signal)\n",
        without="",
        fault="another candidate waits by the time that a person has made up their mind",
    ),
    Guard(
        name="a verdict names who gave it",
        file="runner_svc/core/records.py",
        code="replace(record.candidate, signed_off_by=event.by) if",
        without="record.candidate if",
        fault="a person and a validator have the same name",
    ),
    Guard(
        name="a model's words are no person's",
        file="signoff/verdicts.py",
        code="by_words(by) if is_persons and number == len(results) else validator",
        without='"a person" if result.criterion == PERSON_APPROVES else validator',
        fault="a plan has a criterion in the words of a person's verdict",
    ),
    Guard(
        name="a person is asked",
        file=JUDGING,
        code="    if not verdict.yes and not _ask(verdict, info, by, output):\n",
        without="    if False:\n",
        fault="a person looks, and does not say yes",
    ),
    Guard(
        name="people judge by the command line",
        file=JUDGING,
        code="    _show(execution.plan_id, found, where, output)\n",
        without="",
        fault="a person is asked about what they have not seen",
    ),
    Guard(
        name="watchers are told of canaries with their verdict",
        file="runner_svc/codec/journal.py",
        code="    if not event.task_assigned.canary:\n",
        without="    if True:\n",
        fault="a validator watches the execution that it judges for",
    ),
    Guard(
        name="shares have their interval",
        file="signoff/intervals.py",
        code="(share * (1 - share) + added / 4)",
        without="(share * (1 - share))",
        fault="a few canaries were all judged right",
    ),
)
