"""Deterministic checks of a candidate of several files: one CriterionResult a check, also of one with a pattern.

A check of a pattern passes when each file that it matches passes. Its reason names the files that do not, the first few
of them. Everything but sizes and names is read from the disk, so it belongs in a CheckProcess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from signoff.plan.describe_check import describe_check
from signoff.v1 import plan_pb2
from worker_svc.validate import checks
from worker_svc.validate.candidate_files import CandidateFiles
from worker_svc.validate.checking.files.texts import check_text
from worker_svc.validate.checking.looked_at import LookedAt, named
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed
from worker_svc.validate.checks import CriterionResult, decided

TEXTS_ARE_TEXT = "has UTF-8 text in each file that its name calls one"
MOST_NAMED = 3  # files in the reason of one check
_MOST_MISSING = 10  # names in the reason of one check
_QUICK_NAMES = 1_000  # names that are compared with a pattern: some microseconds each
_QUICK_FILES = 3  # that are read at once
_BY_MANIFEST = frozenset({checks.REQUIRED_FILES, "file_size"})  # decided without a look into a file


def implicit_results(files: CandidateFiles) -> list[CriterionResult]:
    """Checks what all candidates of files must be: not empty all of them, and text where they say so."""
    return [
        decided(checks.NOT_EMPTY, lambda: _check_not_empty(files)),
        # guard: files that say that they are text are -> decided(TEXTS_ARE_TEXT, lambda: None),
        decided(TEXTS_ARE_TEXT, lambda: _raise_all(_problems(files.texts(), check_text))),
    ]


def _check_not_empty(files: CandidateFiles) -> None:
    if not files.manifest.size:
        raise CheckFailed("all files of the candidate are empty")


def check_result(check: plan_pb2.Check, files: CandidateFiles) -> CriterionResult:
    """Carries out one structured check."""
    return decided(describe_check(check), lambda: _carry_out(check, files))


def quick_result(check: plan_pb2.Check, files: CandidateFiles) -> CriterionResult | None:
    """Carries out a check that takes a few milliseconds at most; None: it takes longer, or may."""
    kind = check.WhichOneof("kind")
    patterns = len(check.required_files.files) if kind == checks.REQUIRED_FILES else 1
    if patterns * len(files.manifest.files) > _QUICK_NAMES:
        return None
    if kind in _BY_MANIFEST or _is_quick(check, files):
        return check_result(check, files)
    return None


def _is_quick(check: plan_pb2.Check, files: CandidateFiles) -> bool:
    try:
        looked_at = files.looked_at(check)
        if sum(file.size for file in looked_at) > checks.QUICK_BYTES or len(looked_at) > _QUICK_FILES:
            return False
        return all(checks.is_quick(file.whole(), check) for file in looked_at)
    except (CheckFailed, CheckBroken):
        return True  # nothing will be looked at


def _carry_out(check: plan_pb2.Check, files: CandidateFiles) -> None:
    if check.WhichOneof("kind") == checks.REQUIRED_FILES:
        _check_required(check, files)
    else:
        _raise_all(_problems(files.looked_at(check), lambda file: checks.carry_out(check, file)))


def _check_required(check: plan_pb2.Check, files: CandidateFiles) -> None:
    missing = [path for path in check.required_files.files if not files.has(path)]
    if missing:
        shown = ", ".join(map(named, missing[:_MOST_MISSING]))
        more = f" and {len(missing) - _MOST_MISSING:,} more" if len(missing) > _MOST_MISSING else ""
        raise CheckFailed(f"missing: {shown}{more}; {files.in_words()}")


Problem = tuple[LookedAt, CheckFailed | CheckBroken]


def _problems(files: Iterable[LookedAt], look: Callable[[LookedAt], object]) -> Iterator[Problem]:
    """Yields the files that do not pass, each with the reason."""
    for file in files:
        try:
            look(file)
        except (CheckFailed, CheckBroken) as problem:
            yield file, problem


def _raise_all(problems: Iterator[Problem]) -> None:
    """Raises one error for the first few files that do not pass: that they failed, if one of them has."""
    found = list(islice(problems, MOST_NAMED + 1))
    if not found:
        return
    kind = CheckFailed if any(isinstance(error, CheckFailed) for _, error in found) else CheckBroken
    shown = [f"{named(file.path)}: {error}" for file, error in found if isinstance(error, kind)][:MOST_NAMED]
    raise kind("; ".join([*shown, "and more files"] if len(found) > MOST_NAMED else shown))
