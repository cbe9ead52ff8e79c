"""The promise that the format of an output makes for every candidate: it reads as JSON, JSON Lines, YAML or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from types import MappingProxyType

from signoff.plan.formats import Format, OutputKind
from signoff.rpc.frames import MAX_CANDIDATE_BYTES
from worker_svc.validate.checking.reading import CheckFailed, json_lines_of, json_of, text_of

IS_JSON = "is valid JSON"
DELIMITERS = ",;\t|"  # a CSV may have any one of them: spreadsheets of half of Europe write semicolons

Promise = Callable[[bytes], object]


def promise_of(form: Format) -> tuple[str, Promise] | None:
    """Returns a format's promise in words that follow "the output", and the check of it; None: it has none."""
    return _PROMISES.get(form.kind)


def check_yaml(content: bytes) -> None:
    """Reads the events of YAML and builds nothing of them, so that no alias can grow into gigabytes."""
    import yaml  # slow to import, so only when needed

    text = text_of(content)
    try:
        for _ in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            pass
    except (yaml.YAMLError, RecursionError) as error:
        raise CheckFailed(f"expected YAML, but {' '.join(str(error).split())[:300]}") from error


def check_csv(content: bytes) -> None:
    """Expects as many fields in each row as in the first one, with a usual delimiter that the first line has."""
    text = text_of(content)
    head = text.lstrip("\r\n").partition("\n")[0]
    usable = [delimiter for delimiter in DELIMITERS if delimiter in head] or [DELIMITERS[0]]
    problems = [problem for delimiter in usable if (problem := _problem_of(text, delimiter)) is not None]
    if len(problems) == len(usable):
        raise CheckFailed(f"expected CSV, but {problems[0]}")


def _problem_of(text: str, delimiter: str) -> str | None:
    """Says why a text is no CSV with this delimiter; None: it is one."""
    csv.field_size_limit(MAX_CANDIDATE_BYTES)  # a single field may be the whole candidate
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    expected = 0
    try:
        for row in reader:
            expected = expected or len(row)
            if row and len(row) != expected:
                return f"line {reader.line_num} has {len(row)} fields, and the first row {expected}"
    except csv.Error as error:
        return f"at line {reader.line_num}: {error}"
    return None


_PROMISES: Mapping[OutputKind, tuple[str, Promise]] = MappingProxyType(
    {
        OutputKind.JSON: (IS_JSON, json_of),
        OutputKind.JSON_LINES: ("is valid JSON Lines", json_lines_of),
        OutputKind.YAML: ("is valid YAML", check_yaml),
        OutputKind.CSV: ("is valid CSV", check_csv),
    }
)
