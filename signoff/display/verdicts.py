"""Who gave a verdict and what was said of each criterion, in words for people. A person is always called one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from signoff.display.wire_names import enum_name
from signoff.plan.glossary import PERSON_APPROVES
from signoff.v1 import execution_pb2 as pb

Verdict = pb.PersonAsked | pb.VerdictPassed | pb.VerdictFailed


def describe_author(by: pb.VerdictBy) -> str:
    """For example "the person ada", "a person" or "the validator validator-1"; empty when it was not kept."""
    who = by.WhichOneof("who")
    if who == "person":
        return f"the person {by.person}" if by.person else "a person"
    return f"the validator {by.validator}" if who == "validator" else ""


def author_of(verdict: pb.VerdictPassed | pb.VerdictFailed) -> pb.VerdictBy:
    """Who gave a verdict; of one that an earlier version kept, whether it was a person: theirs is under no lease."""
    if verdict.HasField("by") or verdict.lease_id:
        return verdict.by
    return pb.VerdictBy(person="") if _ends_with_a_persons(verdict.results) else verdict.by


def describe_results(results: Sequence[pb.CriterionResult], by: pb.VerdictBy) -> Iterator[str]:
    """Yields a line for each criterion. `by`: who gave the verdict as a whole; of a person's, the last is theirs.

    A validator's criterion may have the very words of a person's: it is none for that.
    """
    is_persons = by.WhichOneof("who") == "person" and _ends_with_a_persons(results)
    for number, result in enumerate(results, 1):
        validator = "code" if result.deterministic else "the model"
        # guard: a model's words are no person's ->
        #     judge = "a person" if result.criterion == PERSON_APPROVES else validator
        judge = describe_author(by) if is_persons and number == len(results) else validator
        reason = f": {result.reason}" if result.reason else ""
        yield f"{enum_name(pb.Outcome.DESCRIPTOR, result.outcome)} (by {judge}): {result.criterion}{reason}"


def _ends_with_a_persons(results: Sequence[pb.CriterionResult]) -> bool:
    return bool(results) and results[-1].criterion == PERSON_APPROVES and not results[-1].deterministic
