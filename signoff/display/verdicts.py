"""Verdicts in words for people: their authors, and the result of each criterion. A person is always called one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from signoff.display.wire_names import enum_name
from signoff.plan.glossary import PERSON_APPROVES
from signoff.v1 import execution_pb2 as pb

Verdict = pb.PersonAsked | pb.VerdictPassed | pb.VerdictFailed


def describe_author(by: pb.VerdictBy) -> str:
    """Returns for example "the person ada", "a person" or "the validator validator-1"; empty when it was not kept."""
    who = by.WhichOneof("who")
    if who == "person":
        return f"the person {by.person}" if by.person else "a person"
    return f"the validator {by.validator}" if who == "validator" else ""


def author_of(verdict: pb.VerdictPassed | pb.VerdictFailed) -> pb.VerdictBy:
    """Returns the author of a verdict. Earlier versions kept none: a verdict under no lease was a person's."""
    if verdict.HasField("by") or verdict.lease_id:
        return verdict.by
    return pb.VerdictBy(person="") if _ends_with_a_persons(verdict.results) else verdict.by


def describe_results(results: Sequence[pb.CriterionResult], by: pb.VerdictBy) -> Iterator[str]:
    """Yields a line for each criterion. `by` is the author of the verdict; the last result is theirs if a person.

    A validator's criterion may have the very words of a person's, and is still the validator's.
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
