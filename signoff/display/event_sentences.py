"""The events of a journal as sentences for a person, one for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from signoff.display.origins import describe_origin, describe_sign_off_time
from signoff.display.sizes import format_files, format_size
from signoff.display.unread import describe_unread
from signoff.display.verdicts import author_of, describe_author, describe_results
from signoff.display.wire_names import clock_time, enum_name, model_at, seconds
from signoff.money import from_nanos
from signoff.v1 import execution_pb2 as pb


def sentence_of(event: pb.Event) -> str:
    """Returns what happened, as a sentence. For an event of an unknown kind, the sentence says so."""
    kind = event.WhichOneof("kind") or ""
    tell = _SENTENCES.get(kind)
    return tell(getattr(event, kind)) if tell else "something happened that this version of signoff does not know"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _work(phase: int, attempt: int) -> str:
    return f"attempt {attempt}" if phase == pb.PHASE_EXECUTE else f"the judging of attempt {attempt}"


def _created(event: pb.ExecutionCreated) -> str:
    return f"the execution was created, with {event.task_count} tasks"


def _budget(event: pb.BudgetSet) -> str:
    tokens = [f"{event.budget.tokens:,} tokens"] if event.budget.HasField("tokens") else []
    cost = [f"a cost of {from_nanos(event.budget.cost_nanos):.4f}"] if event.budget.HasField("cost_nanos") else []
    return f"{event.task_id or 'the execution'} may spend {' and '.join(tokens + cost) or 'without bound'}"


def _assigned(event: pb.TaskAssigned) -> str:
    if event.phase == pb.PHASE_EXECUTE:
        return f"attempt {event.attempt} began on {event.worker}"
    return f"{event.worker} was given attempt {event.attempt} to judge"


def _stored(event: pb.CandidateStored) -> str:
    unread = f"; {describe_unread(event.unread)}" if event.HasField("unread") else ""
    if event.file_count:
        made = format_files(event.file_count, event.files_bytes)
        return f"attempt {event.attempt} made a candidate of {made}{unread}"
    return f"attempt {event.attempt} made a candidate of {format_size(event.size_bytes)} ({event.media_type}){unread}"


def _passed(event: pb.VerdictPassed) -> str:
    criteria = f" on all {len(event.results)} criteria" if len(event.results) > 1 else ""
    by = f" by {describe_author(author_of(event))}" if describe_author(author_of(event)) else ""
    return f"signed off{by}: the candidate of attempt {event.attempt} passed{criteria}"


def _asked(event: pb.PersonAsked) -> str:
    return f"the candidate of attempt {event.attempt} passed all else, and waits for a person's verdict"


def _cost(event: pb.UsageRecorded) -> str:
    """Returns what was spent: counted and estimated tokens apart, and estimates that the provider has counted since."""
    of = _work(event.phase, event.attempt) if event.attempt else "an attempt that no longer counts"
    model, change = (
        event.model or "a model without a name",
        (event.estimated_input_tokens, event.estimated_output_tokens),
    )
    added, taken_back = [max(0, tokens) for tokens in change], [max(0, -tokens) for tokens in change]
    told = [] if any(change) and not (event.input_tokens or event.output_tokens) else [_counted(event)]
    told += [f"about {_tokens(added)} (estimated)"] if any(added) else []
    model = event.model or "a model without a name"
    spent = f"{of} has cost {', and '.join(told)} of {model}" if told else f"{of} asked {model}"
    counted = f"; the provider has counted what was estimated as {_tokens(taken_back)}" if any(taken_back) else ""
    return spent + counted


def _counted(event: pb.UsageRecorded) -> str:
    """Returns for example "120 input (100 of them cached) and 30 output tokens"."""
    cached = f" ({event.cached_input_tokens:,} of them cached)" if event.cached_input_tokens else ""
    reasoning = f" ({event.reasoning_tokens:,} of them reasoning)" if event.reasoning_tokens else ""
    return f"{event.input_tokens:,} input{cached} and {event.output_tokens:,} output tokens{reasoning}"


def _tokens(both: Sequence[int]) -> str:
    """Returns for example "120 input and 30 output tokens", or "30 output tokens"."""
    parts = zip(both, ("input", "output"), strict=True)
    return f"{' and '.join(f'{tokens:,} {name}' for tokens, name in parts if tokens)} tokens"


def _rejected(event: pb.VerdictFailed) -> str:
    useless = "" if event.retry_worthwhile else "; the validator says that trying again is useless"
    by = f" by {describe_author(author_of(event))}" if describe_author(author_of(event)) else ""
    return f"the candidate of attempt {event.attempt} was rejected{by}{_because(event.feedback)}{useless}"


def _attempt_failed(event: pb.AttemptFailed) -> str:
    kind = enum_name(pb.FailureKind.DESCRIPTOR, event.kind).replace("-", " ")
    again = f"; the provider asks to wait {seconds(event.retry_after):g} s" if event.HasField("retry_after") else ""
    return f"attempt {event.attempt} failed ({kind}){_because(event.message)}{again}"


def _judge_failed(event: pb.JudgeFailed) -> str:
    again = f"; the candidate is offered again at {clock_time(event.retry_at)}" if event.HasField("retry_at") else ""
    why = _because(event.message)
    return f"the judge of attempt {event.attempt} broke, which counts neither for nor against it{why}{again}"


def _outage_met(event: pb.OutageMet) -> str:
    outage = event.outage
    again = f"; it is asked again at {clock_time(outage.next_try)}" if outage.HasField("next_try") else ""
    work = _work(event.phase, event.attempt)
    return f"{work} waits, which counts as no failure: {model_at(outage)} is away{_because(outage.message)}{again}"


def _canary(event: pb.CanaryJudged) -> str:
    known = f"canary {event.canary} in the place of the candidate, known to be {'good' if event.good else 'bad'}"
    if event.outcome not in (pb.OUTCOME_PASS, pb.OUTCOME_FAIL):
        return f"{event.worker} came to no verdict on {known}{_because(event.reason)}"
    passed = event.outcome == pb.OUTCOME_PASS
    right = "as it should" if passed == event.good else "which is wrong"
    return f"{event.worker} {'passed' if passed else 'failed'} {known}: {right}{_because(event.reason)}"


def _lost(event: pb.LeaseLost) -> str:
    return f"the worker that had {_work(event.phase, event.attempt)} was lost{_because(event.reason)}"


def _returned(event: pb.LeaseReturned) -> str:
    return f"{_work(event.phase, event.attempt)} was given back{_because(event.reason)}"


def _scheduled(event: pb.RetryScheduled) -> str:
    return f"the next attempt may begin at {clock_time(event.retry_at)}"


def _rolled_back(event: pb.TaskRolledBack) -> str:
    return f"rolled back because of {event.cause_task_id}: what it had made is withdrawn, and it is done again"


def _orphaned(event: pb.OrphanStored) -> str:
    return f"a {event.what} of {event.worker} came too late: it was kept and changes nothing"


def _adopted(event: pb.OrphanAdopted) -> str:
    return f"what {event.worker} made came after all, and is judged as attempt {event.candidate.attempt}"


def _kept(event: pb.ArtifactKept) -> str:
    return "signed off: nothing it is made from has changed, so its earlier artifact counts again"


def _artifact_reused(event: pb.ArtifactReused) -> str:
    author = describe_author(event.verdict.by)
    by, at = f" by {author}" if author else "", describe_sign_off_time(event.kept_from)
    return f"kept: nothing has changed since {describe_origin(event.kept_from)} made it, which was signed off{by}{at}"


def _candidate_reused(event: pb.CandidateReused) -> str:
    return f"kept from {describe_origin(event.kept_from)}, to be judged again: it is judged by something else now"


_SENTENCES: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "execution_created": _created,
        "execution_started": lambda _: "the execution started",
        "execution_paused": lambda event: f"the execution was paused{_because(event.reason)}",
        "execution_resumed": lambda _: "the execution went on",
        "execution_stopped": lambda event: f"the execution was stopped{_because(event.reason)}",
        "execution_succeeded": lambda _: "the execution succeeded: all that it was asked for is signed off",
        "execution_failed": lambda event: f"the execution failed{_because(event.reason)}",
        "budget_set": _budget,
        "command_noted": lambda _: "a command had nothing to change",
        "layout_set": lambda event: f"the layout of {event.plan_id} was set",
        "executions_pruned": lambda event: (
            f"{event.removed:,} executions were pruned, and {event.pruned_to_artifacts:,} to their artifacts"
        ),
        "task_assigned": _assigned,
        "candidate_stored": _stored,
        "verdict_passed": _passed,
        "verdict_failed": _rejected,
        "person_asked": _asked,
        "usage_recorded": _cost,
        "checkpoint_stored": lambda event: f"attempt {event.attempt} has left word of how far it is",
        "prompt_kept": lambda event: (
            f"the prompt of {_work(event.phase, event.attempt)} was kept: {format_size(event.size_bytes)}"
        ),
        "attempt_failed": _attempt_failed,
        "judge_failed": _judge_failed,
        "outage_met": _outage_met,
        "outage_ended": lambda event: f"{model_at(event)} answers again",
        "canary_judged": _canary,
        "lease_lost": _lost,
        "lease_returned": _returned,
        "retry_scheduled": _scheduled,
        "task_rolled_back": _rolled_back,
        "task_failed": lambda event: f"failed for good{_because(event.reason)}",
        "task_retried": lambda _: "a person asked for it to be done again; its counters start anew",
        "orphan_stored": _orphaned,
        "orphan_adopted": _adopted,
        "artifact_kept": _kept,
        "artifact_reused": _artifact_reused,
        "candidate_reused": _candidate_reused,
    }
)


def criteria_of(event: pb.Event) -> list[str]:
    """Returns the lines of a verdict, one for each criterion; none for other events."""
    kind = event.WhichOneof("kind") or ""
    if kind not in ("verdict_passed", "verdict_failed", "person_asked"):
        return []
    verdict = getattr(event, kind)
    by = pb.VerdictBy() if kind == "person_asked" else author_of(verdict)
    return list(describe_results(verdict.results, by))
