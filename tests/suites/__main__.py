"""`python -m tests.suites FOLDER [--files]`: measures signoff beside the suites in a folder."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.suites.deviations import deviation_of
from tests.suites.measured import Case, json_cases, schema_cases


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
    parser.add_argument("folder", type=Path, help="Holds json-schema/ and json/.")
    parser.add_argument("--files", action="store_true", help="Count each file of a draft as well.")
    arguments = parser.parse_args()
    cases = [*schema_cases(arguments.folder / "json-schema"), *json_cases(arguments.folder / "json")]
    for line in table(cases, files=arguments.files):
        sys.stdout.write(f"{line}\n")
    wrong = unlisted(cases)
    sys.stdout.writelines(f"WRONG {case}\n" for case in wrong)
    return 1 if wrong or not cases else 0


def table(cases: Iterable[Case], *, files: bool) -> Iterator[str]:
    """Yields a line for each draft or reader of JSON, and for each file when asked."""
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        for key in (case.part, *((f"  {case.part}/{case.file}",) if files and case.name else ())):
            counts.setdefault(key, Counter()).update(["cases", _kind(case)])
    yield f"{'':<58}{'cases':>7}{'right':>7}{'listed':>8}{'wrong':>7}"
    for key, count in counts.items():
        yield f"{key:<58}{count['cases']:>7}{count['right']:>7}{count['listed']:>8}{count['wrong']:>7}"


def _kind(case: Case) -> str:
    if case.is_right:
        return "right"
    return "listed" if deviation_of(case) else "wrong"


def unlisted(cases: Iterable[Case]) -> list[Case]:
    """Returns the cases that are wrong and not listed as deviations."""
    return [case for case in cases if _kind(case) == "wrong"]


if __name__ == "__main__":
    sys.exit(main())
