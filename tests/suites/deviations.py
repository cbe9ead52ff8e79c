"""Deviations: cases that signoff decides otherwise on purpose, as docs/reference/schemas.md lists them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.suites.measured import Case

_NO_FETCHING = "no document is fetched: the plan is refused, with the reference and its place"
_NO_METASCHEMAS = "`$schema` names a draft, and no metaschema of one's own: the plan is refused"
_ASSERTED = "formats assert something, in every draft: who writes `format: date` wants dates"
_CONTENTS = "contents are described and not decoded, as the later drafts demand of all"
_TWICE = "a key that comes twice is refused, for readers disagree on which one counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """Cases that signoff decides otherwise."""

    file: str
    names: str  #: of the cases, as `group: test`, where * is anything
    parts: tuple[str, ...]  #: drafts, or readers of JSON
    count: int  #: cases in all
    reason: str

    def covers(self, case: Case) -> bool:
        """Tells whether a case is one of these."""
        return case.file == self.file and case.part in self.parts and fnmatchcase(case.name, self.names)

    def row(self) -> str:
        """Returns this as a row of the table in docs/reference/schemas.md."""
        names = f"`{self.names}`" if self.names.strip("*") else "all"
        return f"| `{self.file}` | {names} | {', '.join(self.parts)} | {self.count} | {self.reason} |"


_ALL = ("draft4", "draft7", "draft2019-09", "draft2020-12")
_SINCE_2019 = ("draft2019-09", "draft2020-12")
_2020 = ("draft2020-12",)


def _deviation(file: str, names: str, parts: tuple[str, ...], count: int, reason: str) -> Deviation:
    return Deviation(file=file, names=names, parts=parts, count=count, reason=reason)


DEVIATIONS = (
    _deviation("refRemote.json", "*", _ALL, 102, _NO_FETCHING),
    _deviation("optional/cross-draft.json", "*", _ALL[1:], 6, _NO_FETCHING),
    _deviation(
        "dynamicRef.json", "strict-tree schema, guards against misspelled properties: *", _2020, 2, _NO_FETCHING
    ),
    _deviation(
        "dynamicRef.json", "tests for implementation dynamic anchor and reference link: *", _2020, 3, _NO_FETCHING
    ),
    _deviation("dynamicRef.json", "$ref and $dynamicAnchor are independent of order - *", _2020, 6, _NO_FETCHING),
    _deviation("dynamicRef.json", "$ref to $dynamicRef finds detached $dynamicAnchor: *", _2020, 2, _NO_FETCHING),
    _deviation("vocabulary.json", "*", _SINCE_2019, 10, _NO_METASCHEMAS),
    _deviation("optional/format-assertion.json", "*", _2020, 4, _NO_METASCHEMAS),
    _deviation("format.json", "*: invalid * string is only an annotation by default", _2020, 19, _ASSERTED),
    _deviation("optional/content.json", "*: an invalid JSON document", ("draft7",), 1, _CONTENTS),
    _deviation("optional/content.json", "*: an invalid base64 string*", ("draft7",), 2, _CONTENTS),
    _deviation("optional/content.json", "*: a validly-encoded invalid JSON document", ("draft7",), 1, _CONTENTS),
    _deviation("y_object_duplicated_key.json", "", ("candidates",), 1, _TWICE),
    _deviation("y_object_duplicated_key_and_value.json", "", ("candidates",), 1, _TWICE),
)


def deviation_of(case: Case) -> Deviation | None:
    """Returns the deviation that a case is listed under; None when it has to be right."""
    return next((deviation for deviation in DEVIATIONS if deviation.covers(case)), None)
