"""Deterministic checks of a candidate: bytes in, one CriterionResult a check out. No model, no clock, no state.

They are of a candidate that is one content; file_checks.py carries them out for the files of a candidate.

A failed check says precisely enough what to mend. A check that cannot be carried out (a broken pattern, a schema that
refers elsewhere, a text too short to tell its language) is OUTCOME_ERROR: that is no fault of the candidate's, and no
sign-off either.

A plan's pattern or schema may run for hours, and a candidate may have 64 MiB. `is_quick` tells which checks take a few
milliseconds at most, whatever the plan and the candidate say; a pattern is quick when it is searched in linear time.
The other checks belong in a CheckProcess, which can be killed. Programs and functions do not run here.
"""

from __future__ import annotations

from collections.abc import Callable

from signoff.manifest.media_types import is_text_type
from signoff.plan.describe_check import describe_check
from signoff.plan.formats import format_of
from signoff.plan.glossary import COMMAND
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.validate.checking.citations import check_citations
from worker_svc.validate.checking.files.archive import check_archive_safe
from worker_svc.validate.checking.files.image import check_image
from worker_svc.validate.checking.files.media_type import check_media_type
from worker_svc.validate.checking.files.size import check_file_size
from worker_svc.validate.checking.files.table import check_table
from worker_svc.validate.checking.form import (
    check_count,
    check_json,
    check_length,
    check_regex,
    check_required_keys,
    check_words,
    searched_texts,
)
from worker_svc.validate.checking.language import check_language
from worker_svc.validate.checking.language import prepare as prepare_language
from worker_svc.validate.checking.looked_at import LookedAt, content_of
from worker_svc.validate.checking.marks import (
    check_lowercase,
    check_postscript,
    check_quoted,
    check_title,
    check_uppercase,
)
from worker_svc.validate.checking.number import check_number
from worker_svc.validate.checking.parts import check_parts
from worker_svc.validate.checking.patterns import steps
from worker_svc.validate.checking.phrases import check_contains, check_ends_with, check_starts_with
from worker_svc.validate.checking.promised import promise_of
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed, forget, text_of
from worker_svc.validate.checking.schema import check_json_schema
from worker_svc.validate.invisible import has_visible

NOT_EMPTY = "is not empty"
IS_TEXT = "is UTF-8 text"
NO_FILES = "it is about files, but the candidate is one content"

REQUIRED_FILES = "required_files"  #: the kind of the one check of a candidate's files that reads none of them

FUNCTION = "function"  #: the kind of a check by a function of an app
BY_RUNNERS = (FUNCTION, COMMAND)  #: the kinds that an assignment.CheckRunner carries out, the cheaper one first

QUICK_BYTES = 32 * 1024  # of a candidate: a few milliseconds for checks that are linear in it
_QUICK_BYTES_BY_LINES = 8 * 1024  # the same for checks that look at each line or character by itself
_QUICK_CHECK_BYTES = 4 * 1024  # of the check itself
_QUICK_STEPS = 2_000_000  # of a search in linear time, some ten nanoseconds each
_QUICK = frozenset(
    {
        "json", "required_keys", "length", "count", "words", "citations",
        "uppercase", "lowercase", "number", "title", "postscript", "file_size",
    }
)  # fmt: skip
_QUICK_BY_LINES = frozenset({"parts", "contains", "starts_with", "ends_with", "quoted", "table"})

_MAX_REASON_CHARS = 4_000  # a candidate's keys may be as long as it likes
_MAX_CRITERION_CHARS = 8 * 1024  # a plan's patterns, too: a runner keeps no more

CriterionResult = execution_pb2.CriterionResult


def implicit_results(content: bytes, output: plan_pb2.TaskOutput, media_type: str = "") -> list[CriterionResult]:
    """Checks what every candidate must be, whatever its plan says: not empty, text, and as its format promises.

    One whose media type is that of no text, such as a picture, need not be text.
    """
    promise = promise_of(format_of(output.format))
    if promise is None and media_type and not is_text_type(media_type):
        return [decided(NOT_EMPTY, lambda: _check_some_bytes(content))]
    results = [decided(NOT_EMPTY, lambda: _check_not_empty(content)), decided(IS_TEXT, lambda: text_of(content))]
    if promise is not None:
        words, check = promise
        # guard: formats are promises -> pass
        results.append(decided(words, lambda: check(content)))
    return results


def is_quick(content: bytes, check: plan_pb2.Check | None = None) -> bool:
    """Tells whether a check takes a few milliseconds at most; without a check, whether `implicit_results` does."""
    # guard: large candidates are looked at elsewhere -> if False:
    if len(content) > QUICK_BYTES:
        return False
    if check is None:
        return True
    kind = check.WhichOneof("kind")
    if check.ByteSize() > _QUICK_CHECK_BYTES:
        return False
    if kind == "regex":
        return _is_quick_search(check, content)
    return kind in _QUICK or (kind in _QUICK_BY_LINES and len(content) <= _QUICK_BYTES_BY_LINES)


def _is_quick_search(check: plan_pb2.Check, content: bytes) -> bool:
    """Tells whether each search of the check is linear and short."""
    try:
        texts = searched_texts(check, content)
    except CheckFailed:
        return True  # the candidate is no text, and nothing will be searched
    needed = [steps(check.regex.pattern, text) for text in texts]
    return all(number is not None and number <= _QUICK_STEPS for number in needed)


def forget_candidates() -> None:
    """Drops what was kept of earlier candidates."""
    forget()


def prepare(kind: str) -> None:
    """Does the slow part of the first check of a kind: imports, and loading a model."""
    if kind == "json_schema":
        import signoff.schemas.validator  # noqa: F401
    elif kind == "language":
        prepare_language()
    elif kind == "image":
        import PIL.Image  # noqa: F401
    elif kind == "media_type":
        import puremagic  # noqa: F401


def check_result(check: plan_pb2.Check, content: bytes, media_type: str = "") -> CriterionResult:
    """Carries out one structured check of a candidate that is one content."""
    if check.file:
        return broken(check, NO_FILES)
    return decided(describe_check(check), lambda: carry_out(check, content_of(content, media_type)))


def carry_out(check: plan_pb2.Check, file: LookedAt) -> None:
    """Carries out one check of one file, or content. Raises CheckFailed, or CheckBroken when it cannot be decided."""
    kind = check.WhichOneof("kind") or ""
    if (look := _FILE_CHECKS.get(kind)) is not None:
        look(check, file)
    elif (read := _CHECKS.get(kind)) is not None:
        read(check, file.whole())
    elif kind == REQUIRED_FILES:
        raise CheckBroken(NO_FILES)
    else:
        raise CheckBroken("this version of signoff does not know this kind of check")


def broken(check: plan_pb2.Check, reason: str) -> CriterionResult:
    """Returns the result of a check that could not be carried out."""
    return _result(describe_check(check), reason, execution_pb2.OUTCOME_ERROR)


def cannot_tell(criterion: str, reason: str) -> CriterionResult:
    """Returns the result of a criterion that could not be decided."""
    return _result(criterion, reason, execution_pb2.OUTCOME_ERROR)


def decided(criterion: str, decide: Callable[[], object]) -> CriterionResult:
    """Returns the result under a criterion's name of a function that raises CheckFailed or CheckBroken, or passes."""
    try:
        decide()
    except (MemoryError, RecursionError) as error:
        forget()
        return cannot_tell(criterion, f"it takes more than a check may use ({type(error).__name__})")
    except CheckFailed as failed:
        return _result(criterion, str(failed))
    except CheckBroken as problem:
        return _result(criterion, str(problem), execution_pb2.OUTCOME_ERROR)
    return _result(criterion, "")


def _result(
    criterion: str, reason: str, outcome: execution_pb2.Outcome.ValueType = execution_pb2.OUTCOME_FAIL
) -> CriterionResult:
    """Returns a result: a pass without a reason, `outcome` with one."""
    return CriterionResult(
        criterion=criterion[:_MAX_CRITERION_CHARS].encode(errors="replace").decode(),
        outcome=outcome if reason else execution_pb2.OUTCOME_PASS,
        # A key such as "\ud800" is JSON, but half a character, which no message can carry.
        reason=reason[:_MAX_REASON_CHARS].encode(errors="replace").decode(),
        deterministic=True,
    )


def _check_some_bytes(content: bytes) -> None:
    if not content:
        raise CheckFailed("the candidate is empty")


def _check_not_empty(content: bytes) -> None:
    if not content.strip():
        raise CheckFailed("the candidate is empty")
    if not has_visible(content.decode("utf-8", errors="replace")):
        raise CheckFailed("the candidate is empty: none of its characters can be seen")


_CHECKS: dict[str, Callable[[plan_pb2.Check, bytes], None]] = {
    "json": check_json,
    "json_schema": check_json_schema,
    "required_keys": check_required_keys,
    "regex": check_regex,
    "length": check_length,
    "count": check_count,
    "words": check_words,
    "language": check_language,
    "citations": check_citations,
    "parts": check_parts,
    "contains": check_contains,
    "starts_with": check_starts_with,
    "ends_with": check_ends_with,
    "uppercase": check_uppercase,
    "lowercase": check_lowercase,
    "number": check_number,
    "quoted": check_quoted,
    "title": check_title,
    "postscript": check_postscript,
}

_FILE_CHECKS: dict[str, Callable[[plan_pb2.Check, LookedAt], None]] = {
    "file_size": check_file_size,
    "media_type": check_media_type,
    "image": check_image,
    "table": check_table,
    "archive_safe": check_archive_safe,
}
